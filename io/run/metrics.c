#include "io/run/metrics.h"
#include "io/base/json_value.h"

#include "core/base/memory.h"
#include "io/run/metrics_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gg_metrics {
    int fd;
    char *path;
    char *kept; /* lines that could not be written yet */
    size_t kept_bytes;
    int64_t kept_lines, lost; /* lost: for want of room to keep them */
    const char *notice;
    bool has_tasks; /* the last line that was found, of the step that is gone on from */
};

enum { REAL_DIGITS = 9 };

/* The step of a line; -1 when it is none of ours.
 *   tasks [out] whether it has any */
static int64_t step_of(const char *line, size_t length, bool *tasks) {
    json_t *object = json_loadb(line, length, 0, NULL);
    const json_t *step = json_object_get(object, "step");
    const int64_t value = json_is_integer(step) ? json_integer_value(step) : -1;
    *tasks = json_object_get(object, "tasks") != NULL;
    json_decref(object);
    return value;
}

/* Where the last whole line of a step <= resume_step ends. */
static gg_status find_end(const char *path, int64_t resume_step, off_t *end, bool *has_tasks) {
    *end = 0;
    *has_tasks = false;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errno == ENOENT ? GG_OK : gg_fail(GG_STORAGE, "%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t capacity = 0;
    off_t at = 0;
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
        at += length;
        if (line[length - 1] != '\n')
            break;
        bool tasks;
        const int64_t step = step_of(line, (size_t)length, &tasks);
        if (step < 0 || step > resume_step)
            continue;
        *end = at;
        *has_tasks = tasks && step == resume_step;
    }
    const bool failed = ferror(file) != 0;
    const int error = errno;
    free(line);
    fclose(file);
    return failed ? gg_fail(GG_STORAGE, "%s: %s", path, strerror(error)) : GG_OK;
}

gg_status gg_metrics_open(const char *path, int64_t resume_step, gg_metrics **metrics) {
    off_t end;
    bool has_tasks;
    *metrics = NULL;
    GG_TRY(find_end(path, resume_step, &end, &has_tasks));
    const int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return gg_fail(GG_STORAGE, "%s: cannot be opened: %s", path, strerror(errno));
    if (ftruncate(fd, end) != 0) {
        const gg_status status = gg_fail(GG_STORAGE, "%s: cannot be cut: %s", path, strerror(errno));
        close(fd);
        return status;
    }
    gg_metrics *m = gg_calloc(1, sizeof *m);
    *m = (gg_metrics){.fd = fd, .path = gg_strdup(path), .has_tasks = has_tasks};
    *metrics = m;
    return GG_OK;
}

/* JSON knows neither infinity nor NaN: they become null. */
static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static void set_corpora(json_t *object, const char *key, const struct gg_metrics_corpora *told) {
    if (told->names == NULL || told->names->count == 0)
        return;
    json_t *values = json_object();
    for (size_t i = 0; i < told->names->count; i++)
        json_object_set_new(values, told->names->named[i].name, real(told->values[i]));
    json_object_set_new(object, key, values);
}

static void set_tasks(json_t *object, const struct gg_metrics_task *tasks, size_t count) {
    json_t *all = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *task = json_object();
        json_object_set_new(task, "task", json_string(tasks[i].kind));
        json_object_set_new(task, "samples", json_integer(tasks[i].samples));
        for (int f = 0; f < GG_METRICS_FIGURES; f++)
            if (tasks[i].figures[f].name != NULL)
                json_object_set_new(task, tasks[i].figures[f].name, real(tasks[i].figures[f].value));
        json_object_set_new(all, tasks[i].file, task);
    }
    if (count > 0)
        json_object_set_new(object, "tasks", all);
    else
        json_decref(all);
}

static void set_texts(json_t *object, const struct gg_metrics_text *texts, size_t count) {
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, json_pack("{s:o, s:o}", "prompt",
                                             gg_json_of_text(texts[i].prompt, strlen(texts[i].prompt)),
                                             "text", gg_json_of_text(texts[i].text, texts[i].bytes)));
    if (count > 0)
        json_object_set_new(object, "texts", all);
    else
        json_decref(all);
}

static json_t *line_object(const struct gg_metrics_line *line) {
    json_t *object = json_object();
    json_object_set_new(object, "step", json_integer(line->step));
    if (line->trained) {
        json_object_set_new(object, "loss", real(line->loss));
        json_object_set_new(object, "lr", real(line->lr));
        json_object_set_new(object, "grad_norm", real(line->grad_norm));
    }
    json_object_set_new(object, "tokens", json_integer(line->tokens));
    if (line->trained) {
        json_object_set_new(object, "tokens_per_s", real(line->tokens_per_s));
        json_object_set_new(object, "mfu", real(line->mfu));
    }
    if (line->skipped)
        json_object_set_new(object, "skipped", json_true());
    if (line->phase_count > 0) {
        json_t *seconds = json_object();
        for (int i = 0; i < line->phase_count; i++)
            json_object_set_new(seconds, line->phases[i].name, real(line->phases[i].seconds));
        json_object_set_new(object, "seconds", seconds);
    }
    set_corpora(object, "epochs", &line->epochs);
    if (line->validated) {
        json_object_set_new(object, "val_loss", real(line->val_loss));
        if (line->compared) {
            json_object_set_new(object, "best_step", json_integer(line->best_step));
            json_object_set_new(object, "best_val_loss", real(line->best_loss));
        }
        if (line->val_classes) {
            json_object_set_new(object, "val_accuracy", real(line->val_accuracy));
            json_object_set_new(object, "val_macro_f1", real(line->val_macro_f1));
        }
        set_corpora(object, "val_losses", &line->val_losses);
    }
    set_tasks(object, line->tasks, line->task_count);
    set_texts(object, line->texts, line->text_count);
    if (line->checkpoint_step > 0) {
        json_object_set_new(object, "checkpoint_step", json_integer(line->checkpoint_step));
        json_object_set_new(object, "checkpoint_seconds", real(line->checkpoint_seconds));
    }
    return object;
}

/* Keeps the line's text until it is written. */
static gg_status keep_line(gg_metrics *m, const struct gg_metrics_line *line) {
    json_t *object = line_object(line);
    char *json = json_dumps(object, JSON_REAL_PRECISION(REAL_DIGITS) | JSON_COMPACT);
    json_decref(object);
    if (json == NULL) {
        m->lost++;
        return gg_fail(GG_RESOURCE, "%s: no memory for a line", m->path);
    }
    const size_t length = strlen(json) + 1;
    if (m->kept_bytes > 0 && m->kept_bytes + length > GG_METRICS_KEPT_BYTES) {
        m->lost++;
    } else {
        m->kept = gg_realloc(m->kept, m->kept_bytes + length);
        memcpy(m->kept + m->kept_bytes, json, length - 1);
        m->kept[m->kept_bytes + length - 1] = '\n';
        m->kept_bytes += length;
        m->kept_lines++;
    }
    free(json);
    return GG_OK;
}

/* Appends all of it, or leaves the file as it was. */
static gg_status append(const gg_metrics *m, const char *text, size_t bytes) {
    struct stat before;
    const bool known = fstat(m->fd, &before) == 0;
    const ssize_t written = write(m->fd, text, bytes);
    const int error = written < 0 ? errno : ENOSPC;
    if (written == (ssize_t)bytes)
        return GG_OK;
    /* Should this fail too, opening the file again drops the unfinished line. */
    const bool cut = written <= 0 || (known && ftruncate(m->fd, before.st_size) == 0);
    return gg_fail(GG_STORAGE, "%s: cannot be written: %s%s", m->path, strerror(error),
                   cut ? "" : "; its last line is unfinished");
}

static gg_status write_kept(gg_metrics *m) {
    if (m->kept_bytes > 0)
        GG_TRY(append(m, m->kept, m->kept_bytes));
    m->kept_bytes = 0;
    m->kept_lines = 0;
    return GG_OK;
}

gg_status gg_metrics_write(gg_metrics *m, const struct gg_metrics_line *line) {
    m->notice = NULL;
    GG_TRY(keep_line(m, line));
    GG_TRY(gg_metrics_follow(m->path, &m->fd, &m->notice));
    return write_kept(m);
}

bool gg_metrics_has_tasks(const gg_metrics *m) {
    return m->has_tasks;
}

const char *gg_metrics_notice(const gg_metrics *m) {
    return m->notice;
}

gg_status gg_metrics_close(gg_metrics **metrics) {
    gg_metrics *m = *metrics;
    if (m == NULL)
        return GG_OK;
    gg_status status = gg_metrics_follow(m->path, &m->fd, &m->notice);
    if (status == GG_OK)
        status = write_kept(m);
    if (status == GG_OK && fsync(m->fd) != 0 && errno != EINVAL)
        status = gg_fail(GG_STORAGE, "%s: cannot be flushed: %s", m->path, strerror(errno));
    const long long lost = (long long)(m->lost + m->kept_lines);
    if (lost > 0)
        status = gg_fail(GG_STORAGE, "%s%s%lld of its lines are lost",
                         status != GG_OK ? gg_failure() : m->path, status != GG_OK ? "; " : ": ", lost);
    close(m->fd);
    free(m->kept);
    free(m->path);
    free(m);
    *metrics = NULL;
    return status;
}
