/* gridgpt evaluate --task: what a model makes of questions. */
#include "jobs/use/evaluate_internal.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "jobs/use/class_scores.h"
#include "jobs/use/result_file.h"
#include "jobs/use/task_scores.h"

#include <stdlib.h>
#include <string.h>

gg_status gg_evaluate_read_tasks(struct gg_evaluate_job *job) {
    const struct gg_evaluate_values *values = job->values;
    const struct gg_task_form form = {values->template, &values->classes};
    GG_TRY(gg_task_form_check(&form, "--template", "--classes"));
    job->tasks = gg_calloc(job->files.count, sizeof *job->tasks);
    for (size_t i = 0; i < job->files.count; i++)
        GG_TRY(gg_task_read(job->world, job->files.items[i], (enum gg_task_kind)values->task, &form,
                            &job->tasks[i]));
    return GG_OK;
}

/* Of a model with classes: a classification, once more, with its classes for choices. */
static gg_status take_classes(struct gg_evaluate_job *job, size_t i) {
    const struct gg_model_config *config = &job->model.replica.graph.config;
    const struct gg_task_form form = {job->values->template, &job->model.settings.model.labels};
    const char *path = job->files.items[i];
    if (config->classes > 0 && job->tasks[i].kind == GG_TASK_CLASSIFY) {
        gg_task_free(&job->tasks[i]);
        job->tasks[i] = (struct gg_task){0};
        return gg_task_read(job->world, path, GG_TASK_CLASSIFY, &form, &job->tasks[i]);
    }
    if (config->classes_only)
        return gg_fail(GG_USAGE, "%s: its model tells classes alone, and %s is of %s", job->model.path, path,
                       gg_task_kind_names[job->tasks[i].kind]);
    return GG_OK;
}

/* What came of a task. */
struct outcome {
    const struct gg_task *task;
    const struct gg_task_requests *requests;
    struct gg_task_scores scores;
    struct gg_task_result result;
    int64_t truncated; /* samples whose context has lost its beginning */
    double seconds;
};

static bool is_truncated(const struct outcome *o, int64_t sample, int64_t first_request) {
    bool truncated = false;
    if (o->requests->count == 0) /* scored by a head of classes, which counts them */
        return false;
    for (int64_t c = 0; c < o->task->samples[sample].count; c++)
        truncated = truncated || o->requests->items[first_request + c].truncated;
    return truncated;
}

static json_t *confusion(const struct outcome *o) {
    json_t *rows = json_array();
    const int64_t classes = o->result.classes.classes;
    for (int64_t i = 0; i < classes; i++) {
        json_t *row = json_array();
        for (int64_t j = 0; j < classes; j++)
            json_array_append_new(row, json_integer(o->result.classes.confusion[i * classes + j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static void print_json(const struct gg_evaluate_job *job, const struct outcome *o) {
    const struct gg_task *task = o->task;
    json_t *object =
        json_pack("{s:o, s:I, s:o, s:s, s:I, s:I}", "checkpoint",
                  gg_json_of_text(job->model.path, strlen(job->model.path)), "step",
                  (json_int_t)job->model.contents.meta.step, "file",
                  gg_json_of_text(task->path, strlen(task->path)), "task", gg_task_kind_names[task->kind],
                  "samples", (json_int_t)task->sample_count, "truncated", (json_int_t)o->truncated);
    for (int i = 0; i < GG_TASK_FIGURES; i++)
        json_object_set_new(object, o->result.figures[i].name, gg_result_number(o->result.figures[i].value));
    if (task->kind == GG_TASK_CLASSIFY) {
        json_t *names = json_array();
        for (size_t i = 0; i < task->classes.count; i++)
            json_array_append_new(names,
                                  gg_json_of_text(task->classes.items[i], strlen(task->classes.items[i])));
        json_object_set_new(object, "classes", names);
        json_object_set_new(object, "confusion", confusion(o));
    }
    json_object_set_new(object, "seconds", gg_result_number(o->seconds));
    const struct gg_result_file out = {.out = stdout};
    gg_result_file_line(&out, object);
}

static void print_words(const struct outcome *o) {
    const struct gg_task *task = o->task;
    printf("%s: %s, %lld samples\n", task->path, gg_task_kind_names[task->kind],
           (long long)task->sample_count);
    for (int i = 0; i < GG_TASK_FIGURES; i++)
        printf("  %-13s  %.4f\n", o->result.figures[i].name, o->result.figures[i].value);
    if (task->kind == GG_TASK_CLASSIFY)
        gg_class_figures_print(stdout, &o->result.classes, &task->classes);
    if (o->truncated > 0)
        printf("  %lld samples are longer than the model's context, and lost their %s\n",
               (long long)o->truncated, o->requests->count > 0 ? "beginnings" : "ends");
    printf("  %-13s  %.1f s\n", "time", o->seconds);
}

/* A line per sample. */
static void write_samples(const struct gg_result_file *file, const struct outcome *o) {
    const struct gg_task *task = o->task;
    int64_t request = 0;
    for (int64_t i = 0; i < task->sample_count; i++) {
        const struct gg_task_sample *sample = &task->samples[i];
        json_t *likelihoods = json_array(), *greedy = json_array();
        for (int64_t c = 0; c < sample->count; c++) {
            json_array_append_new(likelihoods, gg_result_number(o->scores.log_likelihoods[request + c]));
            json_array_append_new(greedy, json_boolean(o->scores.greedy[request + c] > 0));
        }
        json_t *object =
            json_pack("{s:o, s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "file",
                      gg_json_of_text(task->path, strlen(task->path)), "line", (json_int_t)sample->line,
                      "gold", (json_int_t)sample->gold, "chosen", (json_int_t)o->result.chosen[i],
                      "chosen_norm", (json_int_t)o->result.chosen_norm[i], "truncated",
                      (int)is_truncated(o, i, request), "log_likelihoods", likelihoods, "greedy", greedy);
        gg_result_file_line(file, object);
        request += sample->count;
    }
}

static void tell(const struct gg_evaluate_job *job, const struct gg_result_file *samples, struct outcome *o) {
    int64_t request = 0;
    for (int64_t i = 0; i < o->task->sample_count; request += o->task->samples[i].count, i++)
        o->truncated += is_truncated(o, i, request);
    if (samples->out != NULL)
        write_samples(samples, o);
    if (job->values->json)
        print_json(job, o);
    else
        print_words(o);
}

static gg_status evaluate_one(struct gg_evaluate_job *job, const struct gg_task *task,
                              const struct gg_result_file *samples) {
    const struct gg_replica *r = &job->model.replica;
    const bool root = job->world->rank == 0;
    struct gg_task_requests requests = {0};
    struct outcome o = {.task = task, .requests = &requests};
    const struct gg_scorer scorer = {.replica = r,
                                     .model = job->trained,
                                     .micro = job->values->micro,
                                     .progress = root ? gg_evaluate_show_progress : NULL,
                                     .context_of_progress = &job->bar};
    const double begin = gg_clock_seconds();
    const bool by_classes = r->graph.config.classes > 0 && task->kind == GG_TASK_CLASSIFY;
    gg_status status = GG_OK;
    if (!by_classes)
        status = gg_agree(job->world->comm, gg_task_requests_make(task, job->model.tokenizer,
                                                                  r->graph.config.context, &requests));
    if (status == GG_OK) {
        job->bar = (struct gg_progress){.label = gg_task_kind_names[task->kind], .unit = GG_PROGRESS_COUNT};
        if (root)
            gg_progress_begin(&job->bar);
        status = by_classes ? gg_class_scores_make(&scorer, task, job->model.tokenizer, &job->model.settings,
                                                   &o.scores, &o.truncated)
                            : gg_task_scores_make(&scorer, &requests, &o.scores);
        if (root)
            gg_progress_end(&job->bar, NULL);
    }
    if (status == GG_OK && root) {
        gg_task_result_make(task, &o.scores, &o.result);
        o.seconds = gg_clock_seconds() - begin;
        tell(job, samples, &o);
    }
    gg_task_result_free(&o.result);
    gg_task_scores_free(&o.scores);
    gg_task_requests_free(&requests);
    return status;
}

gg_status gg_evaluate_tasks(struct gg_evaluate_job *job) {
    const bool root = job->world->rank == 0;
    struct gg_result_file samples = {0};
    if (job->model.tokenizer == NULL)
        return gg_fail(GG_USAGE, "%s: holds no tokenizer, and tasks are text", job->model.path);
    for (size_t i = 0; i < job->files.count; i++)
        GG_TRY(take_classes(job, i));
    gg_status status = GG_OK;
    if (root && job->values->samples != NULL)
        status = gg_result_file_open(job->values->samples, &samples);
    status = gg_status_of_root(job->world->comm, 0, status);
    if (status == GG_OK && root && !job->values->json)
        printf("%s, step %lld\n", job->model.path, (long long)job->model.contents.meta.step);
    for (size_t i = 0; i < job->files.count && status == GG_OK; i++)
        status = evaluate_one(job, &job->tasks[i], &samples);
    if (status == GG_OK)
        status = gg_status_of_root(job->world->comm, 0, gg_result_file_commit(&samples));
    gg_result_file_discard(&samples);
    return status;
}
