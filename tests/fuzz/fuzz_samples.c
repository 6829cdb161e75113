/* Samples of every form. The first byte chooses the form (or that the first line tells it) and whether a task is set,
 * the second how long a sample may be; the rest is the file. What is taken has tokens of the tokenizer, at most so many
 * a sample, something to learn, and a class where the form has one; and samples that are too long make the one
 * difference between cutting and refusing them. */
#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"
#include "io/samples/sample_set.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 256, LONGEST = 40 };

static gg_tokenizer *make_tokenizer(void) {
    static char bytes[BYTES];
    struct gg_vocabulary_entry entries[BYTES + 4];
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (char)gg_alphabet_byte(i);
        entries[i] = (struct gg_vocabulary_entry){.bytes = &bytes[i], .length = 1};
    }
    uint32_t id_of[BYTES];
    for (uint32_t i = 0; i < BYTES; i++)
        id_of[(unsigned char)bytes[i]] = i;
    entries[BYTES] = (struct gg_vocabulary_entry){.bytes = "th", .length = 2};
    entries[BYTES + 1] = (struct gg_vocabulary_entry){.bytes = "\n\n", .length = 2};
    entries[BYTES + 2] = (struct gg_vocabulary_entry){.bytes = "##", .length = 2};
    entries[BYTES + 3] = (struct gg_vocabulary_entry){
        .bytes = GG_END_OF_TEXT, .length = sizeof GG_END_OF_TEXT - 1, .special = true};
    const struct gg_merge merges[] = {{id_of['t'], id_of['h'], BYTES},
                                      {id_of['\n'], id_of['\n'], BYTES + 1},
                                      {id_of['#'], id_of['#'], BYTES + 2}};
    const struct gg_tokenizer_parts parts = {
        .entries = entries, .entry_count = BYTES + 4, .merges = merges, .merge_count = 3};
    gg_tokenizer *tokenizer;
    if (gg_tokenizer_create(&parts, &tokenizer) != GG_OK)
        fprintf(stderr, "%s\n", gg_failure());
    GG_ASSERT(tokenizer != NULL);
    return tokenizer;
}

static void check(const struct gg_sample_request *request, const struct gg_sample_set *set) {
    GG_ASSERT(set->count > 0 && set->first[0] == 0);
    GG_ASSERT(set->list.ids.count == (size_t)set->first[set->count]);
    GG_ASSERT(set->list.learned.count == set->list.ids.count);
    GG_ASSERT(set->truncated >= 0 && set->truncated <= set->count);
    for (size_t i = 0; i < set->list.ids.count; i++)
        GG_ASSERT((int64_t)set->list.ids.items[i] < gg_tokenizer_vocab(request->tokenizer));
    for (int64_t s = 0; s < set->count; s++) {
        const int64_t count = set->first[s + 1] - set->first[s];
        GG_ASSERT(count > 0 && count <= request->most_tokens);
        if (set->form == GG_SAMPLE_LABEL) {
            GG_ASSERT(set->labels[s] >= 0 && (size_t)set->labels[s] < request->labels->count);
            continue;
        }
        GG_ASSERT(set->labels[s] == -1 && count > 1);
        GG_ASSERT(memchr(set->list.learned.bytes + set->first[s] + 1, 1, (size_t)count - 1) != NULL);
    }
}

/* Both ways with samples that are too long. */
static void read_both(struct gg_sample_request *request, struct gg_finetune_settings *settings,
                      const struct gg_text_list *paths) {
    struct gg_sample_set cut = {0}, refused = {0};
    settings->too_long = GG_TOO_LONG_TRUNCATE;
    const gg_status status = gg_sample_set_read(request, paths, "data.train", &cut);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    else
        check(request, &cut);
    settings->too_long = GG_TOO_LONG_REFUSE;
    const gg_status strict = gg_sample_set_read(request, paths, "data.train", &refused);
    if (strict != GG_OK)
        fuzz_check_failure(strict, GG_BAD_DATA);
    GG_ASSERT((strict == GG_OK) == (status == GG_OK && cut.truncated == 0));
    GG_ASSERT(strict != GG_OK || refused.fingerprint == cut.fingerprint);
    gg_sample_set_free(&cut);
    gg_sample_set_free(&refused);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static gg_tokenizer *tokenizer;
    static struct gg_chat_settings chat;
    static char task[] = "sort these";
    if (tokenizer == NULL) {
        tokenizer = make_tokenizer();
        gg_options_defaults(&gg_chat_setting_rows, &chat);
    }
    if (bytes < 2)
        return 0;
    char *path = gg_strdup(fuzz_file(data + 2, bytes - 2));
    const struct gg_text_list paths = {&path, 1};
    struct gg_text_list labels = {0};
    struct gg_finetune_settings settings = {.form = data[0] % GG_SAMPLE_FORMS};
    if (data[0] & 128)
        settings.task = task;
    const gg_status status = gg_sample_set_examine(&paths, "data.train", &settings.form, &labels);
    for (size_t i = 0; i < labels.count; i++)
        GG_ASSERT(*labels.items[i] != '\0' && (i == 0 || strcmp(labels.items[i - 1], labels.items[i]) < 0));
    if (status != GG_OK) {
        fuzz_check_failure(status, GG_BAD_DATA);
    } else {
        struct gg_sample_request request = {.settings = &settings,
                                            .chat = &chat,
                                            .labels = &labels,
                                            .tokenizer = tokenizer,
                                            .most_tokens = 2 + data[1] % LONGEST};
        read_both(&request, &settings, &paths);
    }
    gg_text_list_free(&labels);
    free(path);
    return 0;
}
