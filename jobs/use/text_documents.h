/* Texts as documents of tokens: a file of text is one, a line of a JSONL file another. All local.
 */
#ifndef GG_JOBS_USE_TEXT_DOCUMENTS_H
#define GG_JOBS_USE_TEXT_DOCUMENTS_H

#include "core/text/tokenizer.h"
#include "jobs/use/document_rows.h"

struct gg_text_documents {
    struct gg_ids ids;
    int64_t *starts; /* (count + 1) of the ids */
    int64_t count, text_bytes;
};

/* Appends the documents of a file's bytes, each with the token that ends documents behind it.
 *   path      [in]     of a name that ends in .jsonl or .ndjson: a line is {"text": TEXT}
 *   documents [in,out] zeroed at first; free with gg_text_documents_free, also after a failure
 * GG_BAD_DATA with the file, and the line: not JSON, no text; as gg_encode. */
gg_status gg_text_documents_add(struct gg_text_documents *documents, const gg_tokenizer *tokenizer,
                                const char *path, const char *data, size_t bytes) GG_MUST_USE;
void gg_text_documents_free(struct gg_text_documents *documents);

/* The interface; valid as long as the documents. */
struct gg_documents gg_text_documents_of(struct gg_text_documents *documents);

#endif
