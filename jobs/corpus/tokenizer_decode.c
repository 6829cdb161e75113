/* gridgpt tokenizer decode: ids to the bytes they stand for. */
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/corpus/tokenizer_commands.h"

#include <errno.h>
#include <string.h>

struct values {
    char *tokenizer;
};

static const struct gg_option options[] = {
    {"tokenizer", GG_OPTION_TEXT, offsetof(struct values, tokenizer), 0, 0, NULL, NULL, "TOKENIZER",
     "the tokenizer the ids were made with (wanted)", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

static bool is_blank(int c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Reads the number that begins with the character *c, and the character behind it; false when it is none. */
static bool read_number(FILE *file, int *c, uint64_t *number, uint64_t *offset) {
    *number = 0;
    do {
        if (*c < '0' || *c > '9' || *number > UINT32_MAX)
            return false;
        *number = *number * 10 + (uint64_t)(*c - '0');
        *c = getc_unlocked(file);
        ++*offset;
    } while (*c != EOF && !is_blank(*c));
    return true;
}

static gg_status decode_stream(const gg_tokenizer *tokenizer, FILE *file, const char *name) {
    uint64_t offset = 0;
    for (int c = getc_unlocked(file); c != EOF;) {
        if (is_blank(c)) {
            c = getc_unlocked(file);
            offset++;
            continue;
        }
        const uint64_t begin = offset;
        uint64_t id;
        size_t length;
        if (!read_number(file, &c, &id, &offset))
            return gg_fail(GG_BAD_DATA,
                           "%s: byte %llu: not an id: whole numbers with spaces between are wanted", name,
                           (unsigned long long)begin);
        const char *bytes = id <= UINT32_MAX ? gg_token_bytes(tokenizer, (uint32_t)id, &length) : NULL;
        if (bytes == NULL)
            return gg_fail(GG_BAD_DATA, "%s: byte %llu: id %llu is not in the vocabulary of %lld entries",
                           name, (unsigned long long)begin, (unsigned long long)id,
                           (long long)gg_tokenizer_vocab(tokenizer));
        if (fwrite(bytes, 1, length, stdout) != length)
            return gg_fail(GG_STORAGE, "standard output: cannot be written: %s", strerror(errno));
    }
    if (ferror(file))
        return gg_fail(GG_STORAGE, "%s: cannot be read: %s", name, strerror(errno));
    return GG_OK;
}

static gg_status decode_file(const gg_tokenizer *tokenizer, const char *path) {
    if (strcmp(path, "-") == 0)
        return decode_stream(tokenizer, stdin, "standard input");
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return gg_fail(GG_STORAGE, "%s: cannot be opened: %s", path, strerror(errno));
    const gg_status status = decode_stream(tokenizer, file, path);
    fclose(file);
    return status;
}

static gg_status decode(const struct gg_command *command, const void *options_read,
                        const struct gg_words *words) {
    const struct values *values = options_read;
    if (values->tokenizer == NULL)
        return gg_fail(GG_USAGE, "%s: --tokenizer TOKENIZER is wanted", command->name);
    gg_tokenizer *tokenizer;
    GG_TRY(gg_tokenizer_load(values->tokenizer, &tokenizer));
    gg_status status = GG_OK;
    for (int i = 0; status == GG_OK && (i < words->count || i == 0); i++)
        status = decode_file(tokenizer, words->count > 0 ? words->items[i] : "-");
    gg_tokenizer_destroy(&tokenizer);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_command_run(command, argc, argv, &values, decode);
}

const struct gg_command gg_command_tokenizer_decode = {
    .name = "tokenizer decode",
    .usage = "gridgpt tokenizer decode --tokenizer TOKENIZER [IDS...]",
    .summary = "print the text of files of ids (-, or none: standard input)",
    .options = &table,
    .run = run,
    .more_help =
        "Ids are whole numbers with spaces or line ends between. Nothing is added to the bytes they stand\n"
        "for, at the end of a line of ids neither. Special tokens print their names.\n",
};
