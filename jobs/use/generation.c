#include "jobs/use/generation.h"

#include "core/base/memory.h"
#include "io/base/json_parse.h"
#include "io/samples/sample_form.h"
#include "jobs/use/continuation.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of prompts on its way. */
struct batch {
    const struct gg_generation *g;
    const struct gg_prompts *prompts;
    struct gg_ids *ids;           /* (prompts) */
    struct gg_continuation *made; /* (prompts) */
    int64_t *places;              /* (texts) which prompt's text stands there; -1: none */
    int32_t *fed;                 /* (texts) of a step */
    size_t begun;                 /* prompts that have had a place */
    size_t turn;                  /* the prompt whose text is being written out */
    bool shown;                   /* it has been written itself */
    size_t written;               /* bytes of its text */
    int64_t drawn;
};

/* The ids that a prompt tells, with anything but digits between them. */
static gg_status read_ids(const struct gg_generation *g, const char *prompt, struct gg_ids *ids) {
    static const char digits[] = "0123456789";
    for (const char *at = strpbrk(prompt, digits); at != NULL;) {
        char *end;
        const unsigned long id = strtoul(at, &end, 10);
        if (id >= (unsigned long)g->vocab)
            return gg_fail(GG_USAGE, "the model has ids up to %lld, and not %.*s", (long long)g->vocab - 1,
                           (int)(end - at), at);
        GG_TRY(gg_ids_reserve(ids, 1));
        ids->items[ids->count++] = (uint32_t)id;
        at = strpbrk(end, digits);
    }
    if (ids->count == 0 && (g->tokenizer == NULL || g->path != NULL))
        return gg_fail(GG_USAGE, "token ids are wanted to go on from, \"12 34 56\" for example");
    return GG_OK;
}

/* A conversation's ids, up to where the answer begins, with room for one. */
static gg_status encode_turns(const struct gg_generation *g, gg_encoder *encoder,
                              const struct gg_prompt *prompt, struct gg_ids *ids) {
    const struct gg_sample_reader reader = {.tokenizer = g->tokenizer, .encoder = encoder, .chat = g->chat};
    struct gg_learned_ids list = {0};
    json_t *line;
    GG_TRY(gg_json_parse(prompt->text, prompt->bytes, &line));
    gg_status status = gg_sample_ask(&reader, line, &list);
    json_decref(line);
    if (status == GG_OK && (int64_t)list.ids.count >= g->context)
        status = gg_fail(GG_BAD_DATA,
                         "the conversation is %zu tokens, and the context of %lld has no room for an answer; "
                         "leave the oldest turns out",
                         list.ids.count, (long long)g->context);
    *ids = list.ids;
    gg_text_free(&list.learned);
    return status;
}

/* The prompt's ids; an empty prompt begins a document. */
static gg_status encode(const struct gg_generation *g, gg_encoder *encoder, const struct gg_prompt *prompt,
                        struct gg_ids *ids) {
    if (g->chat != NULL)
        GG_TRY(encode_turns(g, encoder, prompt, ids));
    else
        GG_TRY(g->ids ? read_ids(g, prompt->text, ids)
                      : gg_encode(encoder, prompt->text, prompt->bytes, false, ids));
    if (ids->count > 0)
        return GG_OK;
    GG_TRY(gg_ids_reserve(ids, 1));
    ids->items[ids->count++] = gg_tokenizer_end_of_text(g->tokenizer);
    return GG_OK;
}

static gg_status encode_all(struct batch *b) {
    const struct gg_generation *g = b->g;
    gg_encoder *encoder = NULL;
    gg_status status = g->ids ? GG_OK : gg_encoder_create(g->tokenizer, &encoder);
    for (size_t i = 0; i < b->prompts->count && status == GG_OK; i++) {
        status = encode(g, encoder, &b->prompts->items[i], &b->ids[i]);
        if (status != GG_OK && g->path == NULL && g->ids)
            status = gg_fail_within(status, "--prompt");
        else if (status != GG_OK && g->path != NULL)
            status = gg_fail_within(status == GG_USAGE ? GG_BAD_DATA : status, "%s: line %lld", g->path,
                                    (long long)b->prompts->items[i].line);
    }
    gg_encoder_destroy(&encoder);
    return status;
}

/* Gives free places to the prompts that come next, which go through the model. */
static void fill_places(struct batch *b) {
    for (int64_t t = 0; t < b->g->texts; t++) {
        if (b->places[t] >= 0 || b->begun == b->prompts->count)
            continue;
        const struct gg_ids *ids = &b->ids[b->begun];
        b->places[t] = (int64_t)b->begun++;
        gg_decoder_begin(b->g->decoder, t);
        /* Ids are below 2^31. */
        gg_decoder_feed(b->g->decoder, t, (const int32_t *)ids->items, (int64_t)ids->count);
    }
}

/* Tokens that a prompt's text may have: an answer ends where the context does, as the conversation is to go on. */
static int64_t most_tokens(const struct batch *b, int64_t prompt) {
    const int64_t left = b->g->context - (int64_t)b->ids[prompt].count;
    return b->g->chat != NULL && left < b->g->tokens ? left : b->g->tokens;
}

/* Draws the next token of the text at a place. */
static gg_status draw(struct batch *b, int64_t place) {
    const struct gg_generation *g = b->g;
    struct gg_continuation *made = &b->made[b->places[place]];
    struct gg_sampling sampling = g->sampling;
    sampling.text = (uint32_t)b->places[place];
    const uint32_t id = gg_decoder_sample(g->decoder, place, &sampling);
    const double log_probability = g->json ? gg_decoder_log_probability(g->decoder, place, id) : 0;
    const bool ends = g->tokenizer != NULL && id == gg_tokenizer_end_of_text(g->tokenizer);
    char number[16];
    size_t length = (size_t)snprintf(number, sizeof number, " %u", (unsigned)id);
    const char *bytes = g->ids ? number : gg_token_bytes(g->tokenizer, id, &length);
    GG_TRY(gg_continuation_take(made, id, log_probability, bytes, ends ? 0 : length, g->stops));
    b->drawn++;
    if (ends)
        made->end = GG_CONTINUATION_END_OF_TEXT;
    else if (made->end == GG_CONTINUATION_GOES_ON &&
             (int64_t)made->ids.count == most_tokens(b, b->places[place]))
        made->end = GG_CONTINUATION_TOKENS;
    b->fed[place] = made->end == GG_CONTINUATION_GOES_ON ? (int32_t)id : -1;
    if (made->end != GG_CONTINUATION_GOES_ON)
        b->places[place] = -1;
    return GG_OK;
}

static bool print_json(const struct batch *b) {
    const struct gg_prompt *prompt = &b->prompts->items[b->turn];
    const struct gg_continuation *made = &b->made[b->turn];
    json_t *ids = json_array(), *log_probabilities = json_array();
    for (size_t i = 0; i < made->ids.count; i++) {
        json_array_append_new(ids, json_integer(made->ids.items[i]));
        json_array_append_new(log_probabilities, json_real(made->log_probabilities[i]));
    }
    const bool turns = b->g->chat != NULL; /* a line that has been parsed before */
    json_t *line = turns ? json_loadb(prompt->text, prompt->bytes, 0, NULL) : NULL;
    json_t *object =
        json_pack("{s:o, s:o*, s:o, s:o, s:s}", turns ? "messages" : "prompt",
                  turns ? json_incref(json_object_get(line, "messages"))
                        : gg_json_of_text(prompt->text, prompt->bytes),
                  "text", b->g->ids ? NULL : gg_json_of_text(made->text.bytes, made->text.count), "ids", ids,
                  "log_probabilities", log_probabilities, "end", gg_continuation_end_names[made->end]);
    GG_ASSERT(object != NULL);
    const bool good = json_dumpf(object, stdout, JSON_REAL_PRECISION(9)) == 0 && putchar('\n') == '\n';
    json_decref(object);
    json_decref(line);
    return good;
}

static bool emit(const char *bytes, size_t count) {
    return count == 0 || fwrite(bytes, 1, count, stdout) == count;
}

/* Writes on rank 0 what has become known of the text whose turn it is, and of those behind it where it has
 * ended. False when the reader is gone. */
static bool write_known(struct batch *b) {
    bool good = true;
    for (bool whole = true; whole && good && b->turn < b->prompts->count;) {
        const struct gg_continuation *made = &b->made[b->turn];
        const struct gg_prompt *prompt = &b->prompts->items[b->turn];
        whole = made->end != GG_CONTINUATION_GOES_ON;
        if (!b->g->json) {
            const size_t settled = gg_continuation_settled(made, b->g->stops);
            good = (b->shown || b->g->chat != NULL || emit(prompt->text, prompt->bytes)) &&
                   (settled == b->written || emit(made->text.bytes + b->written, settled - b->written)) &&
                   (!whole || emit("\n", 1));
            b->shown = true;
            b->written = settled;
        } else if (whole) {
            good = print_json(b);
        }
        if (whole) {
            b->turn++;
            b->shown = false;
            b->written = 0;
        }
    }
    return good && fflush(stdout) == 0;
}

/* One rank sees the reader leave, all must stop: a look at every step costs little beside the model. */
static gg_status agree_and_write(struct batch *b, gg_status status) {
    const struct gg_world *world = b->g->world;
    if (status == GG_OK && world->rank == 0 && !write_known(b))
        status = gg_fail(GG_STORAGE, "standard output cannot be written");
    return gg_agree(world->comm, status);
}

/* Every rank draws the same tokens. */
static gg_status write_all(struct batch *b) {
    const struct gg_generation *g = b->g;
    GG_TRY(agree_and_write(b, GG_OK)); /* the first prompt, while the model works on it */
    for (bool works = true; works;) {
        gg_status status = GG_OK;
        fill_places(b);
        for (int64_t t = 0; t < g->texts; t++) {
            b->fed[t] = -1;
            if (b->places[t] >= 0 && status == GG_OK)
                status = draw(b, t);
        }
        GG_TRY(agree_and_write(b, status));
        gg_decoder_step(g->decoder, b->fed);
        works = b->begun < b->prompts->count;
        for (int64_t t = 0; t < g->texts; t++)
            works = works || b->places[t] >= 0;
    }
    return GG_OK;
}

gg_status gg_generation_run(const struct gg_generation *g, const struct gg_prompts *prompts, int64_t *drawn) {
    struct batch b = {.g = g,
                      .prompts = prompts,
                      .ids = gg_calloc(prompts->count, sizeof *b.ids),
                      .made = gg_calloc(prompts->count, sizeof *b.made),
                      .places = gg_calloc((size_t)g->texts, sizeof *b.places),
                      .fed = gg_calloc((size_t)g->texts, sizeof *b.fed)};
    for (int64_t t = 0; t < g->texts; t++)
        b.places[t] = -1;
    gg_status status = gg_agree(g->world->comm, encode_all(&b));
    if (status == GG_OK)
        status = write_all(&b);
    *drawn = b.drawn;
    if (status == GG_OK && g->answer != NULL)
        status = gg_text_append(g->answer, b.made[0].text.bytes, b.made[0].text.count);
    for (size_t i = 0; i < prompts->count; i++) {
        gg_ids_free(&b.ids[i]);
        gg_continuation_free(&b.made[i]);
    }
    free(b.ids);
    free(b.made);
    free(b.places);
    free(b.fed);
    return status;
}
