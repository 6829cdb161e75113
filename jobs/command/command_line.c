#include "jobs/command/command_line.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

static void print_help(const struct gg_command *command, FILE *out) {
    fprintf(out, "usage: %s\n\n%s\n", command->usage, command->summary);
    fprintf(out, "\noptions:\n");
    if (command->options != NULL)
        gg_options_help(command->options, out);
    fprintf(out, "  %-28s %s\n", "--help", "this text");
    if (command->settings != NULL) {
        fprintf(out, "\nsettings, in the file or as name=value:\n");
        gg_options_help(command->settings, out);
    }
    if (command->more_help != NULL)
        fprintf(out, "\n%s", command->more_help);
}

static gg_status unknown_option(const struct gg_command *command, const char *name) {
    const char *nearest = command->options != NULL ? gg_options_nearest(command->options, name) : NULL;
    if (nearest != NULL)
        return gg_fail(GG_USAGE, "%s: unknown option '--%s'; did you mean '--%s'?", command->name, name,
                       nearest);
    return gg_fail(GG_USAGE, "%s: unknown option '--%s'; 'gridgpt %s --help' lists the known ones",
                   command->name, name, command->name);
}

/* Takes the option at argv[*at] and its value, and moves *at to the last word taken. */
static gg_status take_option(const struct gg_command *command, int argc, char **argv, int *at, void *values) {
    char *name = gg_strdup(argv[*at] + 2);
    char *equals = strchr(name, '=');
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (equals != NULL)
        *equals = '\0';
    gg_status status = GG_OK;
    const struct gg_option *option =
        command->options != NULL ? gg_options_find(command->options, name) : NULL;
    if (option == NULL)
        status = unknown_option(command, name);
    else if (value == NULL && option->type == GG_OPTION_FLAG)
        value = "true";
    else if (value == NULL && *at + 1 < argc)
        value = argv[++*at];
    else if (value == NULL)
        status = gg_fail(GG_USAGE, "%s: option '--%s' wants a value", command->name, name);
    if (status == GG_OK)
        status = gg_options_set(command->options, values, name, value, command->name);
    free(name);
    return status;
}

gg_status gg_command_line_read(const struct gg_command *command, int argc, char **argv, void *values,
                               struct gg_words *words, bool *help) {
    *words = (struct gg_words){gg_calloc((size_t)argc, sizeof(char *)), 0};
    *help = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        *help = *help || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    if (*help) {
        print_help(command, stdout);
        return GG_OK;
    }
    if (command->options != NULL)
        gg_options_defaults(command->options, values);
    bool options_ended = false;
    for (int i = 1; i < argc; i++) {
        if (options_ended || argv[i][0] != '-' || argv[i][1] == '\0')
            words->items[words->count++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            options_ended = true;
        else if (argv[i][1] != '-')
            return gg_fail(GG_USAGE, "%s: unknown option '%s'; options begin with --", command->name,
                           argv[i]);
        else
            GG_TRY(take_option(command, argc, argv, &i, values));
    }
    return GG_OK;
}

void gg_words_free(struct gg_words *words) {
    free(words->items);
    *words = (struct gg_words){0};
}

gg_status gg_command_run(const struct gg_command *command, int argc, char **argv, void *values,
                         gg_status (*work)(const struct gg_command *command, const void *values,
                                           const struct gg_words *words)) {
    struct gg_words words;
    bool help;
    gg_status status = gg_command_line_read(command, argc, argv, values, &words, &help);
    if (status == GG_OK && !help)
        status = work(command, values, &words);
    gg_words_free(&words);
    if (command->options != NULL)
        gg_options_free(command->options, values);
    return status;
}
