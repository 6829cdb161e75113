/* metrics.jsonl: what a run measured, one JSON object per line and optimizer step.
 *
 * Keys: step, loss, lr, grad_norm, tokens, tokens_per_s, mfu, skipped (only when true), seconds (an object:
 * by phase), val_loss (only where measured; with classes val_accuracy and val_macro_f1 too, where validations are
 * compared best_step and best_val_loss), of runs with named corpora epochs and val_losses (objects: by corpus), tasks
 * (only where scored, an object: by file), texts (only where written, a list of prompts and texts), checkpoint_step and
 * checkpoint_seconds (of a checkpoint whose write has ended since the line before). A number that is not finite is
 * null. Lines are only ever
 * appended; each is handed to the system whole before gg_metrics_write() returns, or kept until it can be.
 *
 * The file is found by its name again for every line. When it was deleted, with its folder or alone, it is
 * made again with all its lines, out of the file that is still open; when it was renamed (a log that is
 * rotated), a new one is begun; when another file has its name, lines go to that one. All local; rank 0's
 * business.
 */
#ifndef GG_IO_RUN_METRICS_H
#define GG_IO_RUN_METRICS_H

#include "core/base/corpora.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct gg_metrics gg_metrics;

struct gg_metrics_phase {
    const char *name; /* "data", "forward", "backward", "reduce", "optimizer", "checkpoint" ... */
    double seconds;
};

/* What is told of each corpus. */
struct gg_metrics_corpora {
    const struct gg_corpora *names; /* NULL, or without names: nothing */
    const double *values;           /* (names->count) */
};

/* What came of a task. */
struct gg_metrics_figure {
    const char *name; /* NULL: none */
    double value;
};
enum { GG_METRICS_FIGURES = 2 };
struct gg_metrics_task {
    const char *file, *kind;
    int64_t samples;
    struct gg_metrics_figure figures[GG_METRICS_FIGURES];
};

/* A text that the model wrote, any bytes; owned by whoever fills it in. */
struct gg_metrics_text {
    const char *prompt;
    char *text;
    size_t bytes;
};

struct gg_metrics_line {
    int64_t step;
    int64_t tokens; /* trained on since the beginning of the run, this step included */
    bool trained;   /* false (validation at step 0): the line has step, tokens, val_loss */
    bool skipped;   /* loss or gradient was not finite: the weights are as before */
    double loss, lr, grad_norm;
    double tokens_per_s, mfu;
    bool validated; /* val_loss was measured behind this step */
    double val_loss;
    bool compared; /* with the validations before: the next two are told */
    int64_t best_step;
    double best_loss;
    bool val_classes; /* it was of a model with classes, and these are known: */
    double val_accuracy, val_macro_f1;
    struct gg_metrics_corpora val_losses; /* where validated */
    struct gg_metrics_corpora epochs;     /* trained on since the beginning of the run */
    const struct gg_metrics_task *tasks;  /* that were scored behind this step */
    size_t task_count;
    const struct gg_metrics_text *texts; /* that were written behind this step */
    size_t text_count;
    int64_t checkpoint_step; /* 0: none was written */
    double checkpoint_seconds;
    const struct gg_metrics_phase *phases;
    int phase_count;
};

/* Opens the file for appending, and makes it when it is missing.
 *   resume_step [in] everything behind the last line of a step <= this is cut off (lines of steps that will
 *                    be done again, a line that a crash left unfinished); -1: the file is emptied
 * GG_STORAGE when it cannot be opened, read or cut. */
gg_status gg_metrics_open(const char *path, int64_t resume_step, gg_metrics **metrics) GG_MUST_USE;

/* Whether the last line that was found, of the step that the run goes on from, has tasks. */
bool gg_metrics_has_tasks(const gg_metrics *metrics);

/* Appends a line. GG_STORAGE when it cannot be written: no part of it is left in the file then, and it is
 * written with the next line for which there is room, up to GG_METRICS_KEPT_BYTES of such lines. */
enum { GG_METRICS_KEPT_BYTES = 1 << 20 };
gg_status gg_metrics_write(gg_metrics *metrics, const struct gg_metrics_line *line) GG_MUST_USE;

/* What the last write found had happened to the file, and how it was mended, as the end of a sentence that
 * begins with its name: "was deleted: made again, ..."; NULL: nothing. */
const char *gg_metrics_notice(const gg_metrics *metrics);

/* Tries once more to write lines that are kept, flushes to the disk and closes; NULL is taken. GG_STORAGE
 * when lines are lost or flushing fails. */
gg_status gg_metrics_close(gg_metrics **metrics) GG_MUST_USE;

#endif
