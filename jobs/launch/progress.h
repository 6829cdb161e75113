/* Progress on stderr: on a terminal a bar that rewrites its line, with rate or free text and the time left;
 * in a log file a plain line every few seconds. Called often; prints seldom. Local: one rank prints.
 */
#ifndef GG_JOBS_LAUNCH_PROGRESS_H
#define GG_JOBS_LAUNCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum gg_progress_unit {
    GG_PROGRESS_COUNT, /* steps: "12/200" */
    GG_PROGRESS_BYTES, /* "3.4/120.0 MB", with the rate in MB/s */
};

struct gg_progress {
    /* Set by the caller before gg_progress_begin(): */
    const char *label; /* "prepare"; must outlive the struct */
    enum gg_progress_unit unit;
    int64_t total; /* 0: not known; no bar and no time left then */
    int64_t start; /* what was done before this run: a resumed training's step */
    FILE *out;     /* NULL: stderr */
    bool every;    /* without a terminal: a line at every update (training steps), not every few seconds */

    /* Kept by the functions. */
    bool terminal, dirty;
    double began, printed;
    int64_t done;
};

/* Notes the time and whether a terminal is there. */
void gg_progress_begin(struct gg_progress *progress);

/* Tells how much is done.
 *   extra [in]  free text, "loss 3.21  1234 tok/s  MFU 61%", or NULL */
void gg_progress_update(struct gg_progress *progress, int64_t done, const char *extra);

/* Prints a line of its own, above the bar where there is one. */
void gg_progress_note(struct gg_progress *progress, const char *line);

/* Prints the last state and ends the line. */
void gg_progress_end(struct gg_progress *progress, const char *extra);

/* Seconds since gg_progress_begin(). */
double gg_progress_seconds(const struct gg_progress *progress);

/* "02:10", "3:02:10" or "2d 03:02". */
void gg_progress_duration(double seconds, char *text, size_t bytes);

#endif
