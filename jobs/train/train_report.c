#include "jobs/train/train_report.h"

#include "core/base/memory.h"
#include "core/kernels/matmul/matmul.h"
#include "core/model/graph_figures.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/process_memory.h"
#include "jobs/launch/reduction_driver.h"
#include "jobs/replica/replica_step.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { AMOUNT_BYTES = 32 };

/* 1234567 as "1.23 M", with a unit's prefix of 1000s. */
static const char *amount(double value, char text[AMOUNT_BYTES]) {
    static const char *const prefixes[] = {"", " k", " M", " G", " T", " P"};
    int i = 0;
    for (; value >= 999.5 && i < 5; i++)
        value /= 1000;
    snprintf(text, AMOUNT_BYTES, "%.*f%s",
             i == 0 || value >= 99.95 ? 0
             : value >= 9.995         ? 1
                                      : 2,
             value, prefixes[i]);
    return text;
}

static const char *megabytes(size_t bytes, char text[AMOUNT_BYTES]) {
    snprintf(text, AMOUNT_BYTES, "%.1f MB", 1e-6 * (double)bytes);
    return text;
}

static void print_changed_settings(const struct gg_settings *settings) {
    struct gg_settings defaults;
    gg_settings_init(&defaults);
    fprintf(stderr, "settings (those that are not the default; all of them in %s/settings.yaml):\n",
            settings->run.dir);
    for (size_t i = 0; i < gg_settings_table.count; i++) {
        const struct gg_option *option = &gg_settings_table.options[i];
        char *value = gg_option_text(option, settings), *usual = gg_option_text(option, &defaults);
        if (strcmp(value, usual) != 0)
            fprintf(stderr, "  %s: %s\n", option->name, value);
        free(value);
        free(usual);
    }
    gg_settings_free(&defaults);
}

static void print_memory(const struct gg_train_memory *memory) {
    struct gg_plan_part parts[GG_PLAN_PARTS + 1] = {
        [GG_PLAN_PARTS] = {"program and libraries", memory->program}};
    gg_plan_memory_parts(&memory->plan, parts);
    char text[AMOUNT_BYTES];
    fprintf(stderr, "memory per rank: %s (", megabytes(gg_train_memory_total(memory), text));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].bytes > 0)
            fprintf(stderr, "%s%s %s", i > 0 ? ", " : "", parts[i].name, megabytes(parts[i].bytes, text));
    fprintf(stderr, ")\n");
}

/* What the run takes of each corpus of a blend. */
static void print_blend(const struct gg_trainer *t) {
    const struct gg_settings *settings = t->session.settings;
    const struct gg_corpora *corpora = &settings->data.train;
    const struct gg_train_data *data = &t->session.data;
    const int64_t samples = settings->run.steps * settings->batch.sequences;
    uint64_t counts[GG_CORPORA_MOST];
    double epochs[GG_CORPORA_MOST];
    char tokens[AMOUNT_BYTES];
    gg_train_data_epochs(data, samples, counts, epochs);
    fprintf(stderr, "data: a blend of %zu corpora; %lld steps are %lld samples, of them\n", corpora->count,
            (long long)settings->run.steps, (long long)samples);
    for (size_t c = 0; c < corpora->count; c++)
        fprintf(stderr, "  %s: %.2f%%, %llu samples, which are %.2f epochs of %s tokens\n",
                corpora->named[c].name, 100 * (double)counts[c] / (double)samples,
                (unsigned long long)counts[c], epochs[c],
                amount((double)(data->corpus_samples[c] * t->session.replica.graph.config.context), tokens));
}

/* What fine-tuning reads, and how it fits the context. */
static void print_samples(const struct gg_trainer *t) {
    const struct gg_settings *settings = t->session.settings;
    const struct gg_sample_facts *facts = &t->session.data.facts;
    char tokens[AMOUNT_BYTES];
    fprintf(stderr,
            "samples: %lld of the form %s, %s tokens, side by side in %lld rows of %lld (%.1f%% full)",
            (long long)facts->samples, gg_sample_form_names[settings->finetune.form],
            amount((double)facts->tokens, tokens), (long long)facts->rows, (long long)settings->model.context,
            100 * (double)facts->tokens / (double)(facts->rows * settings->model.context));
    if (facts->truncated > 0)
        fprintf(stderr, "; %lld were too long and are cut off", (long long)facts->truncated);
    fputc('\n', stderr);
    if (settings->model.labels.count == 0)
        return;
    char *labels = gg_option_text(gg_options_find(&gg_settings_table, "model.labels"), settings);
    fprintf(stderr, "classes: %zu, %s\n", settings->model.labels.count, labels);
    free(labels);
}

/* How gradients are summed, and on which numbers of replicas the run comes to the same. */
static void print_summation(const struct gg_trainer *t) {
    const struct gg_plan *plan = &t->session.replica.plan;
    const struct gg_summation *summation = &plan->partition.summation;
    const bool rounded = t->session.settings->parallel.wire == GG_PRECISION_BF16;
    if (summation->replicas > 1)
        fprintf(stderr,
                "gradients: summed over %d replicas in buckets of %d MiB during the backward pass, %s: %d "
                "message%s%s for each and as many back; driven on by %s\n",
                summation->replicas, GG_BUCKET_BYTES >> 20, gg_reduction_names[summation->way],
                gg_summation_messages(summation), gg_summation_messages(summation) > 1 ? "s" : "",
                rounded ? " in bf16" : "", gg_reduction_driver_name(t->session.reduction_thread));
    if (plan->reproducible > 0 && !plan->reproduces)
        fprintf(
            stderr,
            "warning: so far this run was that of %d virtual replicas, which %d replicas%s cannot play: it goes "
            "on, and its result is the same to rounding only; on a number of replicas that divides %d%s it "
            "would be the same to the bit\n",
            plan->reproducible, summation->replicas, rounded ? " with parallel.wire bf16" : "",
            plan->reproducible, rounded ? " with parallel.wire fp32" : "");
    else if (plan->reproducible > 1)
        fprintf(stderr,
                "reproducible: the same bits on any number of replicas that divides %d (with the same "
                "compute.threads, libraries and kind of processor); each of these plays %d\n",
                plan->reproducible, gg_summation_played(summation));
}

void gg_train_report_plan(const struct gg_trainer *t) {
    if (t->session.world->rank != 0)
        return;
    const struct gg_settings *settings = t->session.settings;
    char parameters[AMOUNT_BYTES], flops[AMOUNT_BYTES], tokens[AMOUNT_BYTES], step[AMOUNT_BYTES];
    const double tokens_per_epoch =
        (double)(t->session.data.samples * t->session.replica.graph.config.context);
    print_changed_settings(settings);
    fprintf(
        stderr,
        "model: %lld layers, %lld heads, width %lld, context %lld, vocabulary %lld: %s parameters, %sFLOP "
        "per token\n",
        (long long)t->session.replica.graph.config.layers, (long long)t->session.replica.graph.config.heads,
        (long long)t->session.replica.graph.config.width, (long long)t->session.replica.graph.config.context,
        (long long)t->session.replica.graph.config.vocab,
        amount((double)gg_graph_parameter_count(&t->session.replica.graph), parameters),
        amount(gg_graph_flops_per_token(&t->session.replica.graph), flops));
    if (settings->lora.rank > 0) {
        char *targets =
            gg_option_text(gg_options_find(&gg_settings_table, "finetune.lora.targets"), settings);
        fprintf(stderr, "adapters: rank %lld on %s, scaled by %g: %s parameters are trained\n",
                (long long)settings->lora.rank, targets, gg_lora_scale(&settings->lora),
                amount((double)gg_graph_trained_count(&t->session.replica.graph), parameters));
        free(targets);
    }
    fprintf(stderr,
            "ranks: %d with %d threads each: D x P x Q = %d x %d x %d; a step of %lld sequences (%s tokens) "
            "is %lld micro-batches of %lld on each replica\n",
            t->session.world->size, omp_get_max_threads(), t->session.replica.topology.replicas,
            t->session.replica.topology.shards.feature_shards,
            t->session.replica.topology.shards.token_shards, (long long)settings->batch.sequences,
            amount((double)t->session.replica.plan.tokens_per_step, step),
            (long long)t->session.replica.plan.accumulation, (long long)settings->batch.micro);
    print_summation(t);
    fprintf(stderr,
            "matmul: %s in %s, %.0f GFLOP/s over all ranks (C = A B^T, 2048 cubed, best of 5, all at once); "
            "MFU = FLOP per token x tokens/s / that\n",
            gg_matmul_maker(t->session.replica.graph.config.precision),
            gg_precision_names[t->session.replica.graph.config.precision], 1e-9 * t->session.gemm.all);
    if (settings->finetune.from != NULL)
        print_samples(t);
    if (settings->data.train.count > 0)
        print_blend(t);
    else
        fprintf(stderr, "data: %s tokens per epoch; %lld steps are %.2f epochs\n",
                amount(tokens_per_epoch, tokens), (long long)settings->run.steps,
                (double)settings->run.steps * (double)t->session.replica.plan.tokens_per_step /
                    tokens_per_epoch);
    print_memory(&t->session.memory);
}

void gg_train_report_begin(struct gg_trainer *t) {
    if (t->session.world->rank != 0)
        return;
    if (t->resume.path != NULL)
        fprintf(stderr, "resuming from %s: step %lld of %lld\n", t->resume.path, (long long)t->at.step,
                (long long)t->session.settings->run.steps);
    else if (t->resume.from != NULL && t->session.settings->lora.rank == 0)
        fprintf(stderr, "beginning with the weights of %s\n", t->resume.from);
    if (t->session.settings->lora.rank > 0)
        fprintf(stderr, "frozen: the weights of %s (%016llx); checkpoints hold the adapters alone\n",
                t->resume.from, (unsigned long long)t->resume.from_checksum);
    if (t->resume.changed != NULL)
        fprintf(stderr, "changed since that checkpoint: %s\n", t->resume.changed);
    t->progress = (struct gg_progress){.label = "train",
                                       .unit = GG_PROGRESS_COUNT,
                                       .total = t->session.settings->run.steps,
                                       .start = t->at.step,
                                       .every = true};
    gg_progress_begin(&t->progress);
}

void gg_train_report_note(struct gg_trainer *t, const char *format, ...) {
    if (t->session.world->rank != 0)
        return;
    char line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    gg_progress_note(&t->progress, line);
}

static void show_step(struct gg_trainer *t, const struct gg_step_result *result, double tokens_per_s,
                      double mfu) {
    char rate[AMOUNT_BYTES], extra[160];
    if (result->skipped)
        gg_train_report_note(t,
                             "step %lld skipped: loss %g, gradient norm %g (%lld in a row; %lld end the run)",
                             (long long)t->at.step, result->loss, result->grad_norm,
                             (long long)t->at.bad_steps, (long long)t->session.settings->run.max_bad_steps);
    snprintf(extra, sizeof extra, "loss %.4f  %s tok/s  MFU %.1f%%", result->loss, amount(tokens_per_s, rate),
             100 * mfu);
    gg_progress_update(&t->progress, t->at.step, extra);
}

/* The validation's loss, and each corpus'. */
static void show_validation(struct gg_trainer *t, double val_loss) {
    const struct gg_corpora *corpora = &t->session.settings->data.val;
    char *each = gg_strdup("");
    for (size_t c = 0; c < corpora->count; c++) {
        char *longer =
            gg_format("%s%s%s %.4f", each, c > 0 ? ", " : ": ", corpora->named[c].name, t->val_losses[c]);
        free(each);
        each = longer;
    }
    if (t->val_classes.classes > 0)
        gg_train_report_note(t, "step %lld: validation loss %.4f (accuracy %.4f, macro-F1 %.4f)%s",
                             (long long)t->at.step, val_loss, t->val_classes.accuracy,
                             t->val_classes.macro_f1, each);
    else
        gg_train_report_note(t, "step %lld: validation loss %.4f (perplexity %.2f)%s", (long long)t->at.step,
                             val_loss, exp(val_loss), each);
    free(each);
}

static void show_tasks(struct gg_trainer *t) {
    for (size_t i = 0; i < t->tasks.count; i++) {
        const struct gg_metrics_task *task = &t->tasks.results[i];
        gg_train_report_note(t, "step %lld: %s: %s %.4f, %s %.4f", (long long)t->at.step, task->file,
                             task->figures[0].name, task->figures[0].value, task->figures[1].name,
                             task->figures[1].value);
    }
}

/* On a line each: line ends and controls become spaces. */
static void show_texts(struct gg_trainer *t) {
    for (size_t i = 0; i < t->tasks.prompt_count; i++) {
        const struct gg_metrics_text *text = &t->tasks.texts[i];
        char *line =
            gg_format("%s%.*s", text->prompt, (int)text->bytes, text->text != NULL ? text->text : "");
        for (char *at = line; *at != '\0'; at++)
            if ((unsigned char)*at < 0x20 || *at == 0x7F)
                *at = ' ';
        gg_train_report_note(t, "step %lld: writes: %s", (long long)t->at.step, line);
        free(line);
    }
}

/* Takes what tasks and texts have to tell into the line, and shows it. */
static void take_tasks(struct gg_trainer *t, struct gg_metrics_line *line) {
    if (t->tasks.tasks_fresh) {
        line->tasks = t->tasks.results;
        line->task_count = t->tasks.count;
        show_tasks(t);
    }
    if (t->tasks.texts_fresh) {
        line->texts = t->tasks.texts;
        line->text_count = t->tasks.prompt_count;
        show_texts(t);
    }
}

gg_status gg_train_report_step(struct gg_trainer *t, const struct gg_step_result *result,
                               const double *val_loss) {
    gg_status status = GG_OK;
    if (t->session.world->rank == 0) {
        struct gg_metrics_phase phases[GG_PHASES];
        for (int i = 0; i < GG_STEP_PHASES; i++)
            phases[i] = (struct gg_metrics_phase){gg_phase_names[i], t->seconds[i]};
        phases[GG_PHASE_EVAL] = (struct gg_metrics_phase){"eval", t->seconds[GG_PHASE_EVAL]};
        phases[GG_PHASE_CHECKPOINT] =
            (struct gg_metrics_phase){"checkpoint", t->seconds[GG_PHASE_CHECKPOINT]};
        struct gg_metrics_line line = {.step = t->at.step,
                                       .tokens = t->at.consumed_tokens,
                                       .trained = result != NULL,
                                       .validated = val_loss != NULL,
                                       .val_loss = val_loss != NULL ? *val_loss : 0,
                                       .compared = val_loss != NULL && t->at.compared,
                                       .best_step = t->at.best_step,
                                       .best_loss = t->at.best_loss,
                                       .val_classes = t->val_classes.classes > 0,
                                       .val_accuracy = t->val_classes.accuracy,
                                       .val_macro_f1 = t->val_classes.macro_f1,
                                       .val_losses = {&t->session.settings->data.val, t->val_losses},
                                       .phases = phases,
                                       .phase_count = GG_PHASES};
        if (t->written_fresh && t->written.written) {
            line.checkpoint_step = t->written.step;
            line.checkpoint_seconds = t->written.write_seconds;
        }
        t->written_fresh = false;
        uint64_t counts[GG_CORPORA_MOST];
        double epochs[GG_CORPORA_MOST];
        if (result != NULL && t->session.data.counter != NULL) {
            gg_train_data_epochs(&t->session.data, t->at.consumed_samples, counts, epochs);
            line.epochs = (struct gg_metrics_corpora){&t->session.settings->data.train, epochs};
        }
        if (result != NULL) {
            line.skipped = result->skipped;
            line.loss = result->loss;
            line.lr = result->learning_rate;
            line.grad_norm = result->grad_norm;
            line.tokens_per_s = (double)t->session.replica.plan.tokens_per_step / result->whole_seconds;
            line.mfu =
                line.tokens_per_s * gg_graph_flops_per_token(&t->session.replica.graph) / t->session.gemm.all;
            show_step(t, result, line.tokens_per_s, line.mfu);
        }
        if (val_loss != NULL)
            show_validation(t, *val_loss);
        take_tasks(t, &line);
        status = gg_metrics_write(t->metrics, &line);
    }
    t->tasks.tasks_fresh = t->tasks.texts_fresh = false;
    memset(t->seconds, 0, sizeof t->seconds);
    return status;
}

static void print_epochs(const struct gg_trainer *t) {
    const struct gg_corpora *corpora = &t->session.settings->data.train;
    uint64_t counts[GG_CORPORA_MOST];
    double epochs[GG_CORPORA_MOST];
    gg_train_data_epochs(&t->session.data, t->at.consumed_samples, counts, epochs);
    for (size_t c = 0; c < corpora->count; c++)
        fprintf(stderr, "%s%s %.2f", c > 0 ? ", " : "epochs: ", corpora->named[c].name, epochs[c]);
    fprintf(stderr, "\n");
}

void gg_train_report_end(struct gg_trainer *t) {
    const double mine = (double)gg_memory_peak();
    double largest;
    MPI_Allreduce(&mine, &largest, 1, MPI_DOUBLE, MPI_MAX, t->session.world->comm);
    if (t->session.world->rank != 0)
        return;
    char writing[80] = "";
    char announced[AMOUNT_BYTES], peak[AMOUNT_BYTES], rate[AMOUNT_BYTES], duration[AMOUNT_BYTES];
    gg_progress_end(&t->progress, NULL);
    const int64_t steps = t->at.step - t->resume.step;
    const double seconds = t->at.train_seconds - t->resume.seconds;
    const double tokens_per_s =
        seconds > 0 ? (double)(steps * t->session.replica.plan.tokens_per_step) / seconds : 0;
    gg_progress_duration(seconds, duration, sizeof duration);
    fprintf(stderr, "trained %lld steps in %s: %s tok/s, MFU %.1f%%\n", (long long)steps, duration,
            amount(tokens_per_s, rate),
            100 * tokens_per_s * gg_graph_flops_per_token(&t->session.replica.graph) / t->session.gemm.all);
    if (t->session.data.counter != NULL)
        print_epochs(t);
    if (t->val_classes.classes > 0) {
        fprintf(stderr, "the last validation:\n");
        gg_class_figures_print(stderr, &t->val_classes, &t->session.settings->model.labels);
    }
    fprintf(stderr, "peak memory of a rank: %s (announced %s)\n", megabytes((size_t)largest, peak),
            megabytes(gg_train_memory_total(&t->session.memory), announced));
    if (t->written.written)
        snprintf(writing, sizeof writing, " (%.3g s to write, and %.3g s to copy before)",
                 t->written.write_seconds, t->written.copy_seconds);
    if (t->at.compared && isfinite(t->at.best_loss))
        fprintf(stderr, "best: %s/checkpoints/best.h5, of step %lld with validation loss %.4f\n",
                t->session.settings->run.dir, (long long)t->at.best_step, t->at.best_loss);
    if (t->saved_step >= 0)
        fprintf(stderr, "checkpoint: %s/checkpoints/step-%08lld.h5%s\n", t->session.settings->run.dir,
                (long long)t->saved_step, writing);
}
