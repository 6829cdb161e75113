/* A page of text that is coloured by how surprised the model was at each token; a token opens the likeliest in its
 * place. HTML in one file that needs no network and no script, for light and dark, wide and narrow. Local.
 */
#ifndef GG_JOBS_USE_TOKEN_PAGE_H
#define GG_JOBS_USE_TOKEN_PAGE_H

#include "core/text/tokenizer.h"
#include "jobs/use/result_file.h"
#include "jobs/use/token_record.h"

struct gg_token_page {
    const struct gg_result_file *file;
    const gg_tokenizer *tokenizer;
    long summary;     /* where room is left for what is known at the end */
    int64_t document; /* the one that is being written; -1: none */
};

/* Begins the page.
 *   title [in] any bytes */
void gg_token_page_begin(struct gg_token_page *page, const struct gg_result_file *file,
                         const gg_tokenizer *tokenizer, const char *title);

/* Appends a token; those of a document follow each other. */
void gg_token_page_write(struct gg_token_page *page, const struct gg_token_record *token);

/* Ends the page.
 *   summary [in] a line of plain ASCII, which is put on top */
void gg_token_page_end(struct gg_token_page *page, const char *summary);

#endif
