/* The samples of JSONL files as tokens, all of them in memory. All local.
 */
#ifndef GG_IO_SAMPLES_SAMPLE_SET_H
#define GG_IO_SAMPLES_SAMPLE_SET_H

#include "io/samples/finetune_settings.h"

struct gg_sample_set {
    enum gg_sample_form form;
    int64_t count;
    int64_t *first;             /* (count + 1): where a sample's tokens begin */
    struct gg_learned_ids list; /* the tokens of all */
    int32_t *labels;            /* (count): -1 where the form has none */
    int64_t truncated;          /* samples that were too long */
    uint64_t fingerprint;       /* of tokens, what is learned of them, and labels */
};

/* What samples are made with. */
struct gg_sample_request {
    const struct gg_finetune_settings *settings;
    const struct gg_chat_settings *chat;
    const struct gg_text_list *labels; /* the model's classes */
    const gg_tokenizer *tokenizer;
    int64_t most_tokens; /* of a sample */
};

/* Reads all files, in their order.
 *   origin [in]  the setting that names them, for messages
 *   set    [out] zeroed; free with gg_sample_set_free, after a failure too
 * GG_BAD_DATA with file and line: as gg_sample_read, a line of another form, a sample that is too long where these are
 * refused; no sample at all. GG_STORAGE, GG_RESOURCE. */
gg_status gg_sample_set_read(const struct gg_sample_request *request, const struct gg_text_list *paths,
                             const char *origin, struct gg_sample_set *set) GG_MUST_USE;
void gg_sample_set_free(struct gg_sample_set *set);

/* The form that the first line of the first file has, where it is still open; and where that is one with classes, those
 * of all files.
 *   form   [in,out] enum gg_sample_form
 *   labels [in,out] classes are added to it, in the order of their bytes; NULL: not wanted
 * As gg_sample_set_read. */
gg_status gg_sample_set_examine(const struct gg_text_list *paths, const char *origin, int *form,
                                struct gg_text_list *labels) GG_MUST_USE;

#endif
