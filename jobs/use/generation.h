/* Text from a model for a list of prompts, several of them at once, written to standard output.
 */
#ifndef GG_JOBS_USE_GENERATION_H
#define GG_JOBS_USE_GENERATION_H

#include "core/model/decoder.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"
#include "jobs/use/prompts.h"
#include "mpi/world/world.h"

/* Texts that are written at once where there is a list of prompts: always so many, that a text does not depend
 * on how long the list is (core/model/decoder.h). */
enum { GG_GENERATION_TEXTS = 8 };

struct gg_generation {
    const struct gg_world *world;
    gg_decoder *decoder;
    int64_t texts;                 /* that it has room for */
    const gg_tokenizer *tokenizer; /* NULL: none */
    int64_t vocab;                 /* ids of the model */
    bool ids;                      /* prompts are token ids, and token ids are written */
    bool json;                     /* a line of JSON for each prompt */
    int64_t tokens;                /* of each text at most */
    struct gg_sampling sampling;   /* `text` is filled in: the prompt's number in the list */
    const struct gg_text_list *stops;
    int64_t context;                     /* of the model */
    const struct gg_chat_template *chat; /* prompts are conversations; NULL: texts */
    struct gg_text *answer; /* [in,out] the first prompt's text is appended to it; NULL: it is only written */
    const char *path;       /* the prompts' file, for messages; NULL: the command line */
};

/* Writes prompts and what the model makes of them, of conversations the answer alone, in the prompts' order, as soon
 * as it is known. Collective over
 * the world, with the same arguments; rank 0 writes.
 *   drawn [out] tokens, of all texts
 * GG_USAGE, or GG_BAD_DATA with file and line, where a prompt's ids are not the model's; GG_STORAGE: standard
 * output cannot be written. On all ranks alike. */
gg_status gg_generation_run(const struct gg_generation *g, const struct gg_prompts *prompts,
                            int64_t *drawn) GG_MUST_USE;

#endif
