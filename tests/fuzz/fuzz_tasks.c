/* A task's file, of any kind: what is taken has samples of lines in order, whose choices and right answer are there. */
#include "jobs/use/task.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void check(const struct gg_task *task) {
    int64_t line = 0;
    GG_ASSERT(task->kind != GG_TASK_AUTO && task->sample_count > 0);
    for (int64_t i = 0; i < task->sample_count; i++) {
        const struct gg_task_sample *sample = &task->samples[i];
        GG_ASSERT(sample->line > line && sample->context.at + sample->context.bytes <= task->text.count);
        GG_ASSERT(sample->first >= 0 && sample->first + sample->count <= task->choice_count);
        GG_ASSERT(sample->gold >= 0 && sample->gold < sample->count);
        line = sample->line;
    }
    for (int64_t c = 0; c < task->choice_count; c++) {
        const struct gg_task_choice *choice = &task->choices[c];
        GG_ASSERT(choice->text.bytes > 0 && choice->text.at + choice->text.bytes <= task->text.count);
        GG_ASSERT(gg_task_bytes(task, choice->text)[0] == ' ');
        GG_ASSERT(choice->characters >= 0 && (size_t)choice->characters < choice->text.bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const struct gg_task_form form = {"<{text}>", NULL};
    struct gg_task task;
    char *text = fuzz_text(data, bytes);
    const gg_status status = gg_task_parse("tasks", text, bytes, GG_TASK_AUTO, &form, &task);
    free(text);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    else
        check(&task);
    gg_task_free(&task);
    return 0;
}
