/* Documents as rows that are scored: each in windows that slide over it (core/data/sliding_window.h), and a row for
 * each window.
 */
#ifndef GG_JOBS_USE_DOCUMENT_ROWS_H
#define GG_JOBS_USE_DOCUMENT_ROWS_H

#include "core/data/sliding_window.h"
#include "jobs/use/scorer.h"

/* Where documents come from: shards, or texts. */
struct gg_documents {
    void *self;
    int64_t count;
    int64_t (*tokens)(const void *self, int64_t document); /* with the one that ends it */
    gg_status (*read)(void *self, int64_t document, int64_t first, int64_t count, int32_t *tokens);
};

struct gg_document_rows {
    int64_t documents, rows, context, stride;
    int64_t *tokens;    /* (documents) of each */
    int64_t *first_row; /* (documents + 1) */

    struct gg_documents from; /* on ranks that read */
    int32_t before;           /* the token before each document */
    int32_t *window;          /* (context + 1) */
};

/*   from   [in]  on ranks that read; NULL on the others
 *   most   [in]  rows at most; 0: all
 *   before [in]  the token that ends documents
 *   rows   [out] on every rank; free with gg_document_rows_free
 * Collective over the world. */
void gg_document_rows_make(const struct gg_replica *replica, const struct gg_documents *from, int64_t stride,
                           int64_t most, uint32_t before, struct gg_document_rows *rows);
void gg_document_rows_free(struct gg_document_rows *rows);

/* The interface; valid as long as the rows. */
struct gg_score_source gg_document_rows_source(struct gg_document_rows *rows);

/* Which document a row is of, and which window of it. Local. */
int64_t gg_document_rows_locate(const struct gg_document_rows *rows, int64_t row, struct gg_window *window);

#endif
