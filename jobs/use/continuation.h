/* What a model makes of a prompt, token by token, and why it ends. All local.
 */
#ifndef GG_JOBS_USE_CONTINUATION_H
#define GG_JOBS_USE_CONTINUATION_H

#include "core/base/options.h"
#include "core/text/growing_text.h"
#include "core/text/tokenizer.h"

#include <stdbool.h>
#include <stdint.h>

enum gg_continuation_end {
    GG_CONTINUATION_GOES_ON,
    GG_CONTINUATION_TOKENS,      /* as many tokens as were wanted */
    GG_CONTINUATION_STOP,        /* a stop text came */
    GG_CONTINUATION_END_OF_TEXT, /* the token that ends a document came */
};
/* "tokens", "stop", "end_of_text" */
extern const char *const gg_continuation_end_names[];

/* Zero it to begin, free with gg_continuation_free. */
struct gg_continuation {
    struct gg_ids ids;         /* all that were drawn, those of a stop text or the end of text too */
    double *log_probabilities; /* of each, by the model */
    struct gg_text text;       /* up to a stop text, or the end of text */
    enum gg_continuation_end end;
};
void gg_continuation_free(struct gg_continuation *c);

/* Takes a token that was drawn.
 *   bytes, length [in] its text
 *   stops         [in] the text ends before the first of them that it comes to hold
 * GG_RESOURCE: no memory. */
gg_status gg_continuation_take(struct gg_continuation *c, uint32_t id, double log_probability,
                               const char *bytes, size_t length,
                               const struct gg_text_list *stops) GG_MUST_USE;

/* How much of the text no further token can take back: all but an end that a stop text begins with. */
size_t gg_continuation_settled(const struct gg_continuation *c, const struct gg_text_list *stops);

#endif
