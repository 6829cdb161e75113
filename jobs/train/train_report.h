/* What the user sees of a training run: the start message, the bar or the lines, metrics.jsonl. Rank 0 writes
 * to standard error.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_REPORT_H
#define GG_JOBS_TRAIN_TRAIN_REPORT_H

#include "jobs/train/train_step.h"
#include "jobs/train/training_run.h"

/* Says what the run is: settings, model, data, ranks, and the memory of a rank; before any of it is
 * allocated. Collective. */
void gg_train_report_plan(const struct gg_trainer *trainer);

/* Says where the run begins and starts the bar. Local. */
void gg_train_report_begin(struct gg_trainer *trainer);

/* A step is done.
 *   val_loss [in] NULL unless measured behind this step
 *   result   [in] NULL: validation before the first step
 * Writes a line of metrics.jsonl and sets the seconds back to zero. GG_STORAGE on rank 0. Local. */
gg_status gg_train_report_step(struct gg_trainer *trainer, const struct gg_step_result *result,
                               const double *val_loss) GG_MUST_USE;

/* Prints a line above the bar. Rank 0 only prints; local. */
void gg_train_report_note(struct gg_trainer *trainer, const char *format, ...) GG_PRINTF_LIKE(2, 3);

/* Ends the bar and says what came out. Collective. */
void gg_train_report_end(struct gg_trainer *trainer);

#endif
