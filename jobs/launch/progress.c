#include "jobs/launch/progress.h"

#include "core/base/clock.h"
#include "jobs/launch/terminal.h"

#include <stdlib.h>
#include <string.h>

static const double TERMINAL_SECONDS = 0.1, LOG_SECONDS = 5;
enum { BAR_MIN = 8, BAR_MAX = 40, LINE_BYTES = 1024 };

void gg_progress_begin(struct gg_progress *progress) {
    if (progress->out == NULL)
        progress->out = stderr;
    progress->began = progress->printed = gg_clock_seconds();
    progress->done = progress->start;
    progress->dirty = false;
    progress->terminal = gg_terminal_behind(progress->out);
}

double gg_progress_seconds(const struct gg_progress *progress) {
    return gg_clock_seconds() - progress->began;
}

void gg_progress_duration(double seconds, char *text, size_t bytes) {
    const long long whole = seconds > 0 ? (long long)(seconds + 0.5) : 0;
    const long long days = whole / 86400, hours = whole / 3600 % 24, minutes = whole / 60 % 60;
    if (days > 0)
        snprintf(text, bytes, "%lldd %02lld:%02lld", days, hours, minutes);
    else if (hours > 0)
        snprintf(text, bytes, "%lld:%02lld:%02lld", hours, minutes, whole % 60);
    else
        snprintf(text, bytes, "%02lld:%02lld", minutes, whole % 60);
}

static void describe_amount(const struct gg_progress *progress, char *text, size_t bytes) {
    const bool known = progress->total > 0;
    if (progress->unit == GG_PROGRESS_BYTES) {
        const double done = 1e-6 * (double)progress->done, seconds = gg_progress_seconds(progress);
        const double rate = seconds > 0 ? 1e-6 * (double)(progress->done - progress->start) / seconds : 0;
        if (known)
            snprintf(text, bytes, "%.1f/%.1f MB  %.1f MB/s", done, 1e-6 * (double)progress->total, rate);
        else
            snprintf(text, bytes, "%.1f MB  %.1f MB/s", done, rate);
    } else if (known) {
        snprintf(text, bytes, "%lld/%lld", (long long)progress->done, (long long)progress->total);
    } else {
        snprintf(text, bytes, "%lld", (long long)progress->done);
    }
}

/* "  ETA 02:10", or nothing while it cannot be told. */
static void describe_left(const struct gg_progress *progress, char *text, size_t bytes) {
    text[0] = '\0';
    const int64_t done = progress->done - progress->start, left = progress->total - progress->done;
    if (progress->total <= 0 || done <= 0 || left <= 0)
        return;
    char duration[32];
    gg_progress_duration(gg_progress_seconds(progress) * (double)left / (double)done, duration,
                         sizeof duration);
    snprintf(text, bytes, "  ETA %s", duration);
}

/* Appends "[#####-----] " of `width` columns. */
static void append_bar(char *line, const struct gg_progress *progress, int width) {
    double part = (double)progress->done / (double)progress->total;
    part = part < 0 ? 0 : (part > 1 ? 1 : part);
    const int filled = (int)(part * width);
    char *p = line + strlen(line);
    *p++ = '[';
    for (int i = 0; i < width; i++)
        *p++ = i < filled ? '#' : '-';
    memcpy(p, "] ", 3);
}

static void print(struct gg_progress *progress, const char *extra) {
    char amount[128], left[64], rest[LINE_BYTES / 2], line[LINE_BYTES];
    describe_amount(progress, amount, sizeof amount);
    describe_left(progress, left, sizeof left);
    snprintf(rest, sizeof rest, "%s%s%s%s", amount, extra != NULL && extra[0] != '\0' ? "  " : "",
             extra != NULL ? extra : "", left);
    snprintf(line, LINE_BYTES / 4, "%s ", progress->label);
    if (!progress->terminal) {
        fprintf(progress->out, "%s%s\n", line, rest);
    } else {
        const int width = gg_terminal_columns(progress->out);
        int bar = width - 1 - (int)strlen(line) - (int)strlen(rest) - 3;
        bar = bar > BAR_MAX ? BAR_MAX : bar;
        if (progress->total > 0 && bar >= BAR_MIN)
            append_bar(line, progress, bar);
        const size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, "%s", rest);
        /* Never wider than the terminal: a wrapped line could not be rewritten. ESC [K clears the rest. */
        fprintf(progress->out, "\r%.*s\033[K", width > 1 ? width - 1 : 1, line);
        progress->dirty = true;
    }
    fflush(progress->out);
    progress->printed = gg_clock_seconds();
}

void gg_progress_update(struct gg_progress *progress, int64_t done, const char *extra) {
    progress->done = done;
    const double interval = progress->terminal ? TERMINAL_SECONDS : LOG_SECONDS;
    if ((!progress->terminal && progress->every) || gg_clock_seconds() - progress->printed >= interval)
        print(progress, extra);
}

void gg_progress_note(struct gg_progress *progress, const char *line) {
    if (progress->dirty)
        fprintf(progress->out, "\r\033[K");
    fprintf(progress->out, "%s\n", line);
    fflush(progress->out);
    progress->dirty = false;
}

void gg_progress_end(struct gg_progress *progress, const char *extra) {
    if (progress->terminal || !progress->every)
        print(progress, extra);
    if (progress->dirty)
        fprintf(progress->out, "\n");
    fflush(progress->out);
    progress->dirty = false;
}
