/* The command line: the first byte chooses a subcommand, lines are its words. Options go into the
 * subcommand's table; the words that are none are taken for settings, as train does. */
#include "jobs/command/commands.h"
#include "jobs/command/settings.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 64, VALUES_BYTES = 4096 };

static void set_words(const struct gg_words *words) {
    struct gg_settings settings;
    gg_settings_init(&settings);
    gg_status status = GG_OK;
    for (int i = 0; i < words->count && status == GG_OK; i++)
        status = gg_settings_set_word(&settings, words->items, i);
    if (status == GG_OK)
        status = gg_settings_resolve(&settings);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_USAGE);
    gg_settings_free(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static const struct gg_command *const commands[] = {&gg_command_prepare,  &gg_command_generate,
                                                        &gg_command_evaluate, &gg_command_train,
                                                        &gg_command_inspect,  &gg_command_bench};
    if (bytes == 0)
        return 0;
    const struct gg_command *command = commands[data[0] % (sizeof commands / sizeof *commands)];
    char *text = fuzz_text(data + 1, bytes - 1), *rest = text, *argv[MOST_WORDS + 1] = {NULL};
    int argc = 0;
    argv[argc++] = (char *)command->name;
    for (char *word; argc < MOST_WORDS && (word = strsep(&rest, "\n")) != NULL;)
        if (strcmp(word, "--help") != 0 && strcmp(word, "-h") != 0) /* printed, and that is all */
            argv[argc++] = word;

    union {
        max_align_t align;
        char bytes[VALUES_BYTES];
    } values = {.bytes = {0}};
    struct gg_words words;
    bool help;
    const gg_status status = gg_command_line_read(command, argc, argv, &values, &words, &help);
    GG_ASSERT(!help);
    if (status == GG_OK)
        set_words(&words);
    else
        fuzz_check_failure(status, GG_USAGE);
    gg_words_free(&words);
    if (command->options != NULL)
        gg_options_free(command->options, &values);
    free(text);
    return 0;
}
