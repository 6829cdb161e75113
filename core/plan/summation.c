#include "core/plan/summation.h"

#include <stddef.h>

const char *const gg_reduction_names[] = {"auto", "pairwise", "tree", NULL};

struct gg_summation gg_summation_make(int replicas, int leaves, enum gg_reduction way) {
    GG_ASSERT(replicas > 0 && leaves > 0 && leaves % replicas == 0);
    struct gg_summation s = {.replicas = replicas, .leaves = leaves, .way = way};
    if (way == GG_REDUCTION_AUTO)
        s.way = replicas <= GG_MOST_PAIRWISE ? GG_REDUCTION_PAIRWISE : GG_REDUCTION_TREE;
    int rest = replicas;
    for (; s.way == GG_REDUCTION_TREE && rest % 2 == 0; rest /= 2)
        s.radix[s.rounds++] = 2;
    if (rest > 1)
        s.radix[s.rounds++] = rest;
    return s;
}

int gg_summation_played(const struct gg_summation *summation) {
    return summation->leaves / summation->replicas;
}

int gg_summation_levels(const struct gg_summation *summation) {
    int levels = 0;
    for (int leaves = gg_summation_played(summation) - 1; leaves > 0; leaves /= 2)
        levels++;
    return levels;
}

struct gg_round gg_summation_round(const struct gg_summation *summation, int replica, int round) {
    struct gg_round r = {.stride = 1, .width = summation->replicas};
    for (int i = 0; i <= round; i++) {
        if (i > 0) {
            r.first += r.member * r.width;
            r.stride *= r.radix;
        }
        r.radix = summation->radix[i];
        r.member = replica / r.stride % r.radix;
        r.width /= r.radix;
    }
    return r;
}

int gg_round_replica(const struct gg_round *round, int replica, int member) {
    return replica + (member - round->member) * round->stride;
}

int gg_summation_position(const struct gg_summation *summation, int replica) {
    if (summation->rounds == 0)
        return 0;
    const struct gg_round last = gg_summation_round(summation, replica, summation->rounds - 1);
    return last.first + last.member * last.width;
}

int gg_summation_messages(const struct gg_summation *summation) {
    int messages = 0;
    for (int i = 0; i < summation->rounds; i++)
        messages += summation->radix[i] - 1;
    return messages;
}
