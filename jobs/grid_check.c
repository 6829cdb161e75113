#include "jobs/grid_check.h"

#include "mpi/topology.h"

#include <stdio.h>

/* What is wrong with a grid: a failure with the reason, or GG_OK. */
static gg_status check(const struct gg_settings *s, int ranks, int p, int q) {
    if (ranks % (p * q) != 0)
        return gg_fail(GG_USAGE, "parallel.grid %dx%d needs a multiple of %d ranks, and there are %d", p, q,
                       p * q, ranks);
    if (s->model.heads % p != 0)
        return gg_fail(GG_USAGE, "parallel.grid %dx%d: %d feature shards do not divide model.heads %lld", p,
                       q, p, (long long)s->model.heads);
    if (s->model.width % q != 0)
        return gg_fail(GG_USAGE, "parallel.grid %dx%d: %d token shards do not divide model.width %lld", p, q,
                       q, (long long)s->model.width);
    if (s->batch.micro % q != 0)
        return gg_fail(GG_USAGE, "parallel.grid %dx%d: %d token shards do not divide batch.micro %lld", p, q,
                       q, (long long)s->batch.micro);
    return GG_OK;
}

/* The batch divides over the replicas too. */
static bool works(const struct gg_settings *s, int ranks, int p, int q) {
    return check(s, ranks, p, q) == GG_OK && s->batch.sequences % (s->batch.micro * (ranks / (p * q))) == 0;
}

/* "1x1, 2x1, 1x2"; the few ranks of P x Q first. */
static void list_working(const struct gg_settings *s, int ranks, char *text, size_t bytes) {
    size_t length = 0;
    text[0] = '\0';
    for (int size = 1; size <= ranks; size++) {
        if (ranks % size != 0)
            continue;
        for (int p = size; p >= 1; p--)
            if (size % p == 0 && works(s, ranks, p, size / p) && length + 24 < bytes)
                length += (size_t)snprintf(text + length, bytes - length, "%s%dx%d", length > 0 ? ", " : "",
                                           p, size / p);
    }
}

gg_status gg_grid_check(const struct gg_settings *settings, int ranks, int *feature_shards,
                        int *token_shards) {
    char working[512], reason[512];
    GG_TRY(gg_grid_parse(settings->parallel.grid, feature_shards, token_shards));
    gg_status status = check(settings, ranks, *feature_shards, *token_shards);
    if (status == GG_OK)
        return GG_OK;
    snprintf(reason, sizeof reason, "%s", gg_failure());
    list_working(settings, ranks, working, sizeof working);
    if (working[0] == '\0')
        return gg_fail(status, "%s; no grid works on %d ranks with this model and batch", reason, ranks);
    return gg_fail(status, "%s; on %d ranks these work: %s", reason, ranks, working);
}
