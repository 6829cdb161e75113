#include "mpi/world/roll_call.h"

#include "core/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_BYTES = 64 };

struct neighbour {
    int rank;
    int64_t told; /* the news it has got */
    MPI_Request sending;
    unsigned char *message;
};

struct gg_roll_call {
    MPI_Comm comm;
    int rank, size;
    int bytes;            /* of a set */
    unsigned char *heard; /* a bit for each rank */
    int64_t news;         /* how often `heard` has grown since the call began, from 1 */
    unsigned char *incoming;
    MPI_Request receiving;
    char (*hosts)[HOST_BYTES];
    int count;
    struct neighbour neighbours[GG_ROLL_CALL_NEIGHBOURS];
};

static bool has(const unsigned char *set, int rank) {
    return (set[rank / 8] >> rank % 8 & 1) != 0;
}

static void put(unsigned char *set, int rank) {
    set[rank / 8] = (unsigned char)(set[rank / 8] | 1 << rank % 8);
}

int gg_roll_call_neighbours(int rank, int size, int neighbours[GG_ROLL_CALL_NEIGHBOURS]) {
    int count = 0;
    for (int64_t distance = 1; distance < size; distance *= 2) {
        const int sides[] = {(int)((rank + distance) % size), (int)((rank - distance + size) % size)};
        for (int side = 0; side < 2; side++) {
            bool known = false;
            for (int i = 0; i < count; i++)
                known = known || neighbours[i] == sides[side];
            if (!known)
                neighbours[count++] = sides[side];
        }
    }
    return count;
}

static void listen(gg_roll_call *r) {
    MPI_Irecv(r->incoming, r->bytes, MPI_BYTE, MPI_ANY_SOURCE, 0, r->comm, &r->receiving);
}

gg_roll_call *gg_roll_call_create(MPI_Comm comm, const char *host) {
    gg_roll_call *r = gg_calloc(1, sizeof *r);
    char name[HOST_BYTES] = "";
    MPI_Comm_dup(comm, &r->comm);
    /* To send to a lost rank is no failure here. */
    MPI_Comm_set_errhandler(r->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(r->comm, &r->rank);
    MPI_Comm_size(r->comm, &r->size);
    r->bytes = (r->size + 7) / 8;
    r->heard = gg_calloc((size_t)r->bytes, 1);
    r->incoming = gg_calloc((size_t)r->bytes, 1);
    r->hosts = gg_calloc((size_t)r->size, sizeof *r->hosts);
    strncpy(name, host, sizeof name - 1);
    MPI_Allgather(name, HOST_BYTES, MPI_CHAR, r->hosts, HOST_BYTES, MPI_CHAR, r->comm);

    int ranks[GG_ROLL_CALL_NEIGHBOURS];
    r->count = gg_roll_call_neighbours(r->rank, r->size, ranks);
    for (int i = 0; i < r->count; i++)
        r->neighbours[i] = (struct neighbour){
            .rank = ranks[i], .sending = MPI_REQUEST_NULL, .message = gg_malloc((size_t)r->bytes)};
    gg_roll_call_forget(r);
    listen(r);
    return r;
}

void gg_roll_call_destroy(gg_roll_call **roll) {
    gg_roll_call *r = *roll;
    if (r == NULL)
        return;
    MPI_Cancel(&r->receiving);
    MPI_Wait(&r->receiving, MPI_STATUS_IGNORE);
    for (int i = 0; i < r->count; i++) {
        struct neighbour *n = &r->neighbours[i];
        int sent = 0;
        MPI_Test(&n->sending, &sent, MPI_STATUS_IGNORE);
        if (sent)
            free(n->message);
        else /* MPI still reads the message */
            MPI_Request_free(&n->sending);
    }
    MPI_Comm_free(&r->comm);
    free(r->heard);
    free(r->incoming);
    free(r->hosts);
    free(r);
    *roll = NULL;
}

void gg_roll_call_forget(gg_roll_call *r) {
    memset(r->heard, 0, (size_t)r->bytes);
    put(r->heard, r->rank);
    r->news = 1;
    for (int i = 0; i < r->count; i++)
        r->neighbours[i].told = 0;
}

static void take(gg_roll_call *r) {
    bool grows = false;
    for (int i = 0; i < r->bytes; i++) {
        grows = grows || (r->incoming[i] & ~r->heard[i]) != 0;
        r->heard[i] |= r->incoming[i];
    }
    r->news += grows;
}

static void tell(gg_roll_call *r, struct neighbour *n) {
    int sent = 0;
    MPI_Test(&n->sending, &sent, MPI_STATUS_IGNORE);
    if (!sent || n->told == r->news)
        return;
    memcpy(n->message, r->heard, (size_t)r->bytes);
    n->told = r->news;
    if (MPI_Isend(n->message, r->bytes, MPI_BYTE, n->rank, 0, r->comm, &n->sending) != MPI_SUCCESS)
        n->sending = MPI_REQUEST_NULL;
}

bool gg_roll_call_turn(gg_roll_call *r, bool asks) {
    bool called = false;
    int come = 0;
    for (;;) {
        if (MPI_Test(&r->receiving, &come, MPI_STATUS_IGNORE) != MPI_SUCCESS || !come)
            break;
        take(r);
        called = true;
        listen(r);
    }
    for (int i = 0; asks && i < r->count; i++)
        tell(r, &r->neighbours[i]);
    return called;
}

bool gg_roll_call_heard(const gg_roll_call *r, int rank) {
    return has(r->heard, rank);
}

/* Adds "2-3" to a list, or "..." when there is no room for more. */
static void add_ranks(char *list, size_t bytes, int from, int to) {
    enum { LONGEST = 32 };
    const size_t used = strlen(list);
    const char *comma = used > 0 ? ", " : "";
    if (used > 0 && list[used - 1] == '.')
        return;
    if (used + LONGEST > bytes)
        snprintf(list + used, bytes - used, " ...");
    else if (from == to)
        snprintf(list + used, bytes - used, "%s%d", comma, from);
    else
        snprintf(list + used, bytes - used, "%s%d-%d", comma, from, to);
}

/* The missing ranks on the host of `first`, the lowest of them: "ranks 2-3, 7 on h2"; marks them as told.
 * Returns how many. */
static int tell_host(const gg_roll_call *r, int first, unsigned char *told, char *text, size_t bytes) {
    const char *host = r->hosts[first];
    char list[300] = "";
    int count = 0;
    for (int rank = first; rank < r->size; rank++) {
        const int from = rank;
        for (; rank < r->size && !has(r->heard, rank) && strcmp(r->hosts[rank], host) == 0; rank++)
            put(told, rank);
        if (rank > from)
            add_ranks(list, sizeof list, from, rank - 1);
        count += rank - from;
    }
    snprintf(text, bytes, "%s %s on %s", count > 1 ? "ranks" : "rank", list, host);
    return count;
}

int gg_roll_call_missing(const gg_roll_call *r, char *text, size_t bytes) {
    enum { END = 24 }; /* room for the number of those left out */
    unsigned char *told = gg_calloc((size_t)r->bytes, 1);
    size_t used = 0;
    int count = 0, left_out = 0;
    text[0] = '\0';
    for (int rank = 0; rank < r->size; rank++) {
        char item[HOST_BYTES + 400];
        if (has(r->heard, rank) || has(told, rank))
            continue;
        const int ranks = tell_host(r, rank, told, item, sizeof item);
        count += ranks;
        if (left_out == 0 && used + strlen(item) + 2 + END <= bytes)
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", used > 0 ? "; " : "", item);
        else
            left_out += ranks;
    }
    if (left_out > 0)
        snprintf(text + used, bytes - used, "%s%d more", used > 0 ? "; " : "", left_out);
    free(told);
    return count;
}
