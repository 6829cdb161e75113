/* Evaluation tasks out of JSONL files: samples, each a context and some choices that may follow it, of which one is
 * right. All local.
 *
 * A line of
 *   hellaswag        {"activity_label", "ctx_a", "ctx_b", "endings": [...], "label": which}   (Zellers et al. 2019)
 *   multiple_choice  {"query", "choices": [...], "gold": which}
 *   lambada          {"text"}: the word behind its last space is to be predicted             (Paperno et al. 2016)
 *   cloze            {"context", "target"}
 *   classify         {"text", "label"}: the label's text, or a class's number
 * and may have other names too. Numbers count from 0 and may stand in a string. A choice follows its context behind
 * one space; HellaSwag's texts are cleaned up (core/text/task_text.h).
 */
#ifndef GG_JOBS_USE_TASK_H
#define GG_JOBS_USE_TASK_H

#include "core/base/options.h"
#include "core/text/growing_text.h"

#include <stdbool.h>
#include <stdint.h>

enum gg_task_kind {
    GG_TASK_AUTO, /* whichever the first line is of */
    GG_TASK_HELLASWAG,
    GG_TASK_LAMBADA,
    GG_TASK_MULTIPLE_CHOICE,
    GG_TASK_CLOZE,
    GG_TASK_CLASSIFY,
};
extern const char *const gg_task_kind_names[]; /* ends with NULL */

/* Texts lie in the task's `text`, at offsets. */
struct gg_task_text {
    size_t at, bytes;
};

struct gg_task_choice {
    struct gg_task_text text; /* with the space that it begins with */
    int64_t characters;       /* without it */
};

struct gg_task_sample {
    int64_t line;
    struct gg_task_text context;
    int64_t first, count; /* of the task's choices */
    int64_t gold;         /* which of them is right */
};

struct gg_task {
    enum gg_task_kind kind; /* as found */
    char *path;
    struct gg_text text;
    struct gg_task_sample *samples;
    struct gg_task_choice *choices;
    int64_t sample_count, choice_count;
    struct gg_text_list classes; /* classify: their names; a sample's choices are these, in order */
};

/* How the text of a classification becomes a context. */
struct gg_task_form {
    const char *template; /* with {text} in it */
    const struct gg_text_list
        *classes; /* their names in order; none: those of the file, in order of their bytes */
};

/* Takes the samples of a file's bytes.
 *   kind [in]     what the lines must be of
 *   task [in,out] zeroed; free with gg_task_free, also after a failure
 * GG_BAD_DATA with file and line: not JSON, a name missing or of another type, an unknown label, a number out of
 * range, another form than the kind's; no sample. */
gg_status gg_task_parse(const char *path, const char *data, size_t bytes, enum gg_task_kind kind,
                        const struct gg_task_form *form, struct gg_task *task) GG_MUST_USE;
void gg_task_free(struct gg_task *task);

/* GG_USAGE: a template without {text}, or with it twice; a class twice.
 *   origin [in] what to name in messages: "--template" */
gg_status gg_task_form_check(const struct gg_task_form *form, const char *template_origin,
                             const char *classes_origin) GG_MUST_USE;

static inline const char *gg_task_bytes(const struct gg_task *task, struct gg_task_text text) {
    return task->text.bytes + text.at;
}

#endif
