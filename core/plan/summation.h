/* How gradients are summed over replicas: in one fixed binary tree over V virtual replicas, whatever number D of
 * real ones plays them.
 *
 * Virtual replicas are leaves 0 .. V - 1 of the tree, which adds neighbours: (0 + 1), (2 + 3), then pairs of pairs;
 * where a level has an odd one at its end, that waits for the next. Replica d plays the V / D leaves from d V / D
 * on. It adds those by itself; the tree's upper levels are rounds of messages among replicas. A round of radix f is
 * an exchange within groups of f replicas, each of which gets an f-th of what the group held and adds up the f
 * shares. Two ways differ only in their rounds, not in a bit of the result:
 *
 *   pairwise   one round of radix D: D - 1 messages, each a D-th of a bucket
 *   tree       a round of radix 2 for each factor 2 of D, nearest replicas first, then one of the odd factor that
 *              is left: log2(D) messages where D is a power of two (recursive halving: Thakur, Rabenseifner and
 *              Gropp 2005, section 4.2). Neighbours in rank share a node, so that the largest messages stay in it
 *
 * Either moves (D - 1) / D of a bucket. All local and pure.
 */
#ifndef GG_CORE_PLAN_SUMMATION_H
#define GG_CORE_PLAN_SUMMATION_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum gg_reduction { GG_REDUCTION_AUTO, GG_REDUCTION_PAIRWISE, GG_REDUCTION_TREE };
extern const char *const gg_reduction_names[]; /* of the enum, ended by NULL */

enum { GG_MOST_ROUNDS = 32 };

struct gg_summation {
    int replicas;          /* D */
    int leaves;            /* V, a multiple of D */
    enum gg_reduction way; /* pairwise or tree */
    int rounds;            /* 0 with one replica */
    int radix[GG_MOST_ROUNDS];
};

/*   way    [in] auto: pairwise up to GG_MOST_PAIRWISE replicas
 *   leaves [in] a multiple of `replicas` */
struct gg_summation gg_summation_make(int replicas, int leaves, enum gg_reduction way);
enum { GG_MOST_PAIRWISE = 4 };

/* Virtual replicas that a replica plays. */
int gg_summation_played(const struct gg_summation *summation);

/* Buffers beside the gradients that a replica needs for adding its own virtual replicas in the tree's order: the
 * tree's levels between them and it. */
enum { GG_SUMMATION_MOST_LEVELS = 16 };
int gg_summation_levels(const struct gg_summation *summation);

/* A replica in a round, and what of a bucket it and the others of its group get. A bucket has D positions, one of
 * which is a replica's in the end; a round splits what a group has, `radix` x `width` positions, among its members. */
struct gg_round {
    int radix;
    int stride; /* from a member to the next, in replicas */
    int member; /* this replica's index in its group */
    int first;  /* position at which the group's positions begin */
    int width;  /* positions of each member: member j gets those from first + j x width on */
};
struct gg_round gg_summation_round(const struct gg_summation *summation, int replica, int round);

/* The replica that is member `member` of the group of `replica`. */
int gg_round_replica(const struct gg_round *round, int replica, int member);

/* The position of a replica when all rounds are over: its number with its digits in the rounds' radices reversed.
 * With D = 8 by the tree replicas 0 to 7 have the positions 0, 4, 2, 6, 1, 5, 3, 7; pairwise, their own numbers. */
int gg_summation_position(const struct gg_summation *summation, int replica);

/* Messages that a replica sends for a bucket in a reduce-scatter, and again in an all-gather. */
int gg_summation_messages(const struct gg_summation *summation);

#endif
