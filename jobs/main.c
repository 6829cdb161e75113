/* gridgpt: finds the subcommand and runs it. */
#include "jobs/command/commands.h"
#include "jobs/command/standard_streams.h"
#include "jobs/command/version.h"
#include "jobs/launch/stop_signal.h"

#include <signal.h>
#include <string.h>

/* In the order of a model's life. */
/* clang-format off */
static const struct gg_command *const commands[] = {
    &gg_command_tokenizer,
    &gg_command_prepare,
    &gg_command_settings,
    &gg_command_train,
    &gg_command_finetune,
    &gg_command_evaluate,
    &gg_command_generate,
    &gg_command_inspect,
    &gg_command_import,
    &gg_command_export,
    &gg_command_bench,
    NULL,
};
/* clang-format on */

static size_t command_count(void) {
    size_t count = 0;
    while (commands[count] != NULL)
        count++;
    return count;
}

static void help(FILE *out) {
    fprintf(out, "gridgpt: GPT pretraining on CPU clusters\n\nusage: gridgpt COMMAND ...\n\ncommands:\n");
    for (size_t i = 0; i < command_count(); i++)
        fprintf(out, "  %-12s %.*s\n", commands[i]->name, (int)strcspn(commands[i]->summary, "\n"),
                commands[i]->summary);
    fprintf(out, "\n'gridgpt COMMAND --help' tells more of each.\n");
    fprintf(out, "'gridgpt --version' tells the version, and the libraries it runs on.\n");
}

static const struct gg_command *find(const char *name) {
    for (size_t i = 0; i < command_count(); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *name) {
    const char *names[sizeof commands / sizeof *commands] = {NULL};
    for (size_t i = 0; i < command_count(); i++)
        names[i] = commands[i]->name;
    const char *nearest = gg_nearest_name(name, names, command_count());
    fprintf(stderr, "gridgpt: unknown command '%s'", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean '%s'?\n", nearest);
    else
        fprintf(stderr, "; 'gridgpt --help' lists the known ones\n");
    return GG_USAGE;
}

/* The exit status, once what was printed is written out. */
static int end(gg_status status, const char *separator, const char *name) {
    if (status == GG_OK)
        status = gg_standard_output_end();
    if (status != GG_OK && gg_failure()[0] != '\0')
        fprintf(stderr, "gridgpt%s%s: %s\n", separator, name, gg_failure());
    return (int)status;
}

int main(int argc, char **argv) {
    /* A file that may not grow any more (ulimit -f) is a failed write like others, and no reason to die. */
    signal(SIGXFSZ, SIG_IGN);
    gg_standard_streams_hold();
    if (argc < 2) {
        help(stderr);
        return GG_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return end(GG_OK, "", "");
    }
    if (strcmp(argv[1], "--version") == 0) {
        gg_version_print(stdout);
        return end(GG_OK, "", "");
    }
    const struct gg_command *command = find(argv[1]);
    if (command == NULL)
        return unknown(argv[1]);
    if (command->stops)
        gg_stop_install();
    return end(command->run(command, argc - 1, argv + 1), " ", command->name);
}
