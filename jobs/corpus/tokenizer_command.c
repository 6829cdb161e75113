/* gridgpt tokenizer: finds the subcommand and runs it. */
#include "jobs/command/commands.h"
#include "jobs/corpus/tokenizer_commands.h"

#include <string.h>

enum { SUBCOMMANDS = 3 };
static const struct gg_command *const subcommands[SUBCOMMANDS] = {
    &gg_command_tokenizer_train, &gg_command_tokenizer_encode, &gg_command_tokenizer_decode};

/* The subcommand's own word: what follows "tokenizer " in its name. */
static const char *word(const struct gg_command *command) {
    return strchr(command->name, ' ') + 1;
}

static void help(const struct gg_command *command, FILE *out) {
    fprintf(out, "usage: %s\n\n%s\n\ncommands:\n", command->usage, command->summary);
    for (int i = 0; i < SUBCOMMANDS; i++)
        fprintf(out, "  %-12s %.*s\n", word(subcommands[i]), (int)strcspn(subcommands[i]->summary, "\n"),
                subcommands[i]->summary);
    fprintf(out, "\n%s", command->more_help);
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    if (argc < 2) {
        help(command, stderr);
        return GG_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(command, stdout);
        return GG_OK;
    }
    const char *words[SUBCOMMANDS];
    for (int i = 0; i < SUBCOMMANDS; i++) {
        words[i] = word(subcommands[i]);
        if (strcmp(argv[1], words[i]) == 0)
            return subcommands[i]->run(subcommands[i], argc - 1, argv + 1);
    }
    const char *nearest = gg_nearest_name(argv[1], words, SUBCOMMANDS);
    if (nearest != NULL)
        return gg_fail(GG_USAGE, "unknown command '%s'; did you mean '%s'?", argv[1], nearest);
    return gg_fail(GG_USAGE, "unknown command '%s'; 'gridgpt tokenizer --help' lists the known ones",
                   argv[1]);
}

const struct gg_command gg_command_tokenizer = {
    .name = "tokenizer",
    .usage = "gridgpt tokenizer train|encode|decode ...",
    .summary = "learn a byte-level BPE tokenizer from text; turn text into ids and back",
    .run = run,
    .more_help = "TOKENIZER is a file of ours, a Hugging Face tokenizer.json, a folder with vocab.json and "
                 "merges.txt,\n"
                 "or a .tiktoken rank file. 'gridgpt tokenizer COMMAND --help' tells more of each.\n",
};
