#include "core/plan/legality.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A count from 1 to a million at *text, moved past it; 0 when there is none. */
static int read_count(const char **text) {
    char *end;
    if (**text < '0' || **text > '9')
        return 0;
    errno = 0;
    const long value = strtol(*text, &end, 10);
    *text = end;
    return errno == 0 && value >= 1 && value <= 10000 ? (int)value : 0;
}

gg_status gg_grid_parse(const char *grid, int *feature_shards, int *token_shards) {
    const char *at = grid != NULL ? grid : "1x1";
    const int p = read_count(&at);
    const int q = *at == 'x' ? (at++, read_count(&at)) : 0;
    if (p == 0 || q == 0 || *at != '\0')
        return gg_fail(GG_USAGE, "parallel.grid is '%s'; it needs two counts as PxQ, 1x1 or 2x2 for example",
                       grid);
    *feature_shards = p;
    *token_shards = q;
    return GG_OK;
}

/* What is wrong with a grid: a failure with the reason, or GG_OK. */
static gg_status check(const struct gg_plan_request *r, int ranks, int p, int q) {
    if (ranks % (p * q) != 0)
        return gg_fail(GG_USAGE, "parallel.grid %dx%d needs a multiple of %d ranks, and there are %d", p, q,
                       p * q, ranks);
    const struct gg_model_settings model = gg_model_settings_filled(r->model);
    const struct {
        const char *name;
        int64_t value;
        bool features, tokens; /* which shards share it out */
    } shared[] = {
        {"model.heads", model.heads, true, false},
        {"model.kv_heads", model.kv_heads, true, false},
        {"model.head_size", model.head_size, model.qk_norm, false},
        {"model.width", model.width, true, true},
        {"model.mlp_width", model.mlp_width, true, true},
        {"model.heads x model.head_size", model.heads * model.head_size, false, true},
    };
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        const bool p_fails = shared[i].features && shared[i].value % p != 0,
                   q_fails = shared[i].tokens && shared[i].value % q != 0;
        if (p_fails || q_fails)
            return gg_fail(GG_USAGE, "parallel.grid %dx%d: %d %s shards do not divide %s %lld", p, q,
                           p_fails ? p : q, p_fails ? "feature" : "token", shared[i].name,
                           (long long)shared[i].value);
    }
    if (r->batch->micro % q != 0)
        return gg_fail(GG_USAGE, "parallel.grid %dx%d: %d token shards do not divide batch.micro %lld", p, q,
                       q, (long long)r->batch->micro);
    return GG_OK;
}

/* The batch divides over the replicas too. */
static bool works(const struct gg_plan_request *r, int ranks, int p, int q) {
    return check(r, ranks, p, q) == GG_OK && r->batch->sequences % (r->batch->micro * (ranks / (p * q))) == 0;
}

/* "1x1, 2x1, 1x2"; the few ranks of P x Q first. */
static void list_working(const struct gg_plan_request *r, int ranks, char *text, size_t bytes) {
    size_t length = 0;
    text[0] = '\0';
    for (int size = 1; size <= ranks; size++) {
        if (ranks % size != 0)
            continue;
        for (int p = size; p >= 1; p--)
            if (size % p == 0 && works(r, ranks, p, size / p) && length + 24 < bytes)
                length += (size_t)snprintf(text + length, bytes - length, "%s%dx%d", length > 0 ? ", " : "",
                                           p, size / p);
    }
}

gg_status gg_legality_grid(const struct gg_plan_request *request, int ranks, int rank,
                           struct gg_place *place) {
    char working[512], reason[512];
    int p, q;
    GG_TRY(gg_grid_parse(request->parallel->grid, &p, &q));
    const gg_status status = check(request, ranks, p, q);
    if (status == GG_OK) {
        *place = gg_place_of(ranks, p, q, rank);
        return GG_OK;
    }
    snprintf(reason, sizeof reason, "%s", gg_failure());
    list_working(request, ranks, working, sizeof working);
    if (working[0] == '\0')
        return gg_fail(status, "%s; no grid works on %d ranks with this model and batch", reason, ranks);
    return gg_fail(status, "%s; on %d ranks these work: %s", reason, ranks, working);
}

/* The largest micro-batch up to batch.micro that works on so many replicas; 0: none. */
static int64_t working_micro(const struct gg_batch_settings *batch, int replicas, int token_shards) {
    for (int64_t micro = batch->micro; micro > 0; micro--)
        if (batch->sequences % (micro * replicas) == 0 && micro % token_shards == 0)
            return micro;
    return 0;
}

gg_status gg_legality_batch(const struct gg_batch_settings *batch, const struct gg_place *place) {
    const int replicas = place->replicas, token_shards = place->shards.token_shards;
    const int64_t sequences = batch->sequences, micro = batch->micro;
    const int64_t round = micro * replicas;
    if (micro % token_shards != 0)
        return gg_fail(GG_USAGE, "batch.micro %lld is not a multiple of the %d token shards of parallel.grid",
                       (long long)micro, token_shards);
    if (sequences % round == 0)
        return GG_OK;
    char below[64] = "", other[64] = "";
    if (sequences > round)
        snprintf(below, sizeof below, "%lld or ", (long long)(sequences / round * round));
    const int64_t better = working_micro(batch, replicas, token_shards);
    if (better > 0)
        snprintf(other, sizeof other, ", or batch.micro %lld", (long long)better);
    return gg_fail(GG_USAGE,
                   "batch.sequences %lld is not a multiple of %lld (%d replicas x batch.micro %lld); "
                   "batch.sequences %s%lld would work%s",
                   (long long)sequences, (long long)round, replicas, (long long)micro, below,
                   (long long)((sequences / round + 1) * round), other);
}

/* Replicas that divide V, and V that divide the micro-batches of a step, are the powers of two up to some number. */
static int largest_power(int64_t divides) {
    int power = 1;
    while (power <= GG_MOST_VIRTUAL_REPLICAS / 2 && divides % (2 * power) == 0)
        power *= 2;
    return power;
}

gg_status gg_legality_summation(const struct gg_plan_request *request, const struct gg_place *place) {
    const struct gg_batch_settings *batch = request->batch;
    const int64_t micro_batches = batch->sequences / batch->micro;
    int wanted;
    GG_TRY(gg_reproducible_parse(request->parallel->reproducible, &wanted));
    if (wanted == 0)
        return GG_OK;
    if (request->parallel->wire == GG_PRECISION_BF16)
        return gg_fail(GG_USAGE,
                       "parallel.wire bf16 rounds what each replica sends, so that the result is another on "
                       "another number of them; with parallel.reproducible %d it must be fp32",
                       wanted);
    if (micro_batches % wanted != 0)
        return gg_fail(
            GG_USAGE,
            "parallel.reproducible %d does not divide the %lld micro-batches of a step (batch.sequences "
            "%lld / batch.micro %lld); at most %d does",
            wanted, (long long)micro_batches, (long long)batch->sequences, (long long)batch->micro,
            largest_power(micro_batches));
    if (wanted % place->replicas != 0)
        return gg_fail(
            GG_USAGE,
            "parallel.reproducible %d: %d replicas do not divide it; powers of two up to %d do, as would "
            "parallel.reproducible auto with any",
            wanted, place->replicas, wanted);
    return GG_OK;
}
