/* Who answers, who does not, and that a lost host keeps none of the others from hearing of each other. */
#include "core/base/memory.h"
#include "mpi/world/roll_call.h"
#include "tests/check.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int rank, size;

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* Two ranks on each host. */
static gg_roll_call *create(void) {
    char host[100];
    snprintf(host, sizeof host, "node-%d.%s", rank / 2,
             "with-a-name-that-is-longer-than-what-is-kept-of-the-names-of-hosts");
    host[size == 4 ? 6 : 90] = '\0';
    return gg_roll_call_create(MPI_COMM_WORLD, host);
}

/* Turns for at most ten seconds until this rank has heard of `count` others; then a little longer, for the others. */
static void turn_until(gg_roll_call *roll, int missing) {
    char text[200];
    for (int turn = 0; turn < 1000 && gg_roll_call_missing(roll, text, sizeof text) > missing; turn++) {
        gg_roll_call_turn(roll, true);
        sleep_ms(10);
    }
    for (int turn = 0; turn < 20; turn++) {
        gg_roll_call_turn(roll, true);
        sleep_ms(10);
    }
    assert_int_equal(gg_roll_call_missing(roll, text, sizeof text), missing);
}

static void hears_of_all(void **state) {
    (void)state;
    char text[64];
    gg_roll_call *roll = create();
    assert_true(gg_roll_call_heard(roll, rank));
    assert_int_equal(gg_roll_call_missing(roll, text, sizeof text), size - 1);
    turn_until(roll, 0);
    assert_string_equal((gg_roll_call_missing(roll, text, sizeof text), text), "");
    MPI_Barrier(MPI_COMM_WORLD);
    gg_roll_call_destroy(&roll);
    assert_null(roll);
    gg_roll_call_destroy(&roll);
}

/* One that stands still is named, with its host. */
static void names_the_silent(void **state) {
    (void)state;
    gg_roll_call *roll = create();
    const int silent = size - 1;
    if (size > 1 && rank != silent) {
        char text[200], expected[100];
        turn_until(roll, 1);
        assert_false(gg_roll_call_heard(roll, silent));
        gg_roll_call_missing(roll, text, sizeof text);
        snprintf(expected, sizeof expected, "rank %d on node-%d", silent, silent / 2);
        if (strncmp(text, expected, strlen(expected)) != 0)
            fail_msg("'%s' is not '%s'", text, expected);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    gg_roll_call_destroy(&roll); /* with messages that nobody has taken */
}

/* A host's ranks stand together, however they are numbered, and hosts behind each other. */
static void names_by_host(void **state) {
    (void)state;
    const char *const host = rank == 0 ? "a" : rank == 2 ? "c" : "b";
    gg_roll_call *roll = gg_roll_call_create(MPI_COMM_WORLD, host);
    char text[200];
    if (rank == 0) {
        const char *const expected[] = {"", "", "rank 1 on b", "rank 1 on b; rank 2 on c",
                                        "ranks 1, 3 on b; rank 2 on c"};
        assert_int_equal(gg_roll_call_missing(roll, text, sizeof text), size - 1);
        assert_string_equal(text, expected[size]);
    }
    if (rank == size - 1 && size == 4) {
        gg_roll_call_missing(roll, text, sizeof text);
        assert_string_equal(text, "rank 0 on a; rank 1 on b; rank 2 on c");
        gg_roll_call_destroy(&roll);
        roll = gg_roll_call_create(MPI_COMM_SELF, "alone");
    }
    MPI_Barrier(MPI_COMM_WORLD);
    gg_roll_call_destroy(&roll);
}

/* Names that have no room are counted. */
static void counts_what_has_no_room(void **state) {
    (void)state;
    char host[64], text[64];
    memset(host, 'x', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    gg_roll_call *roll = gg_roll_call_create(MPI_COMM_WORLD, host);
    assert_int_equal(gg_roll_call_missing(roll, text, sizeof text), size - 1);
    if (size > 1) {
        snprintf(host, sizeof host, "%d more", size - 1);
        assert_string_equal(text, host);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    gg_roll_call_destroy(&roll);
}

/* One asks and stops asking; what came of it is not taken for an answer to the next call. */
static void forgets_a_call_for_nothing(void **state) {
    (void)state;
    gg_roll_call *roll = create();
    bool called = false;
    if (rank == 0)
        gg_roll_call_turn(roll, true);
    MPI_Barrier(MPI_COMM_WORLD);
    const int last = size - 1; /* a neighbour of rank 0 */
    for (int turn = 0; turn < 1000 && rank == last && rank != 0 && !called; turn++) {
        called = gg_roll_call_turn(roll, false);
        sleep_ms(1);
    }
    if (rank == last && rank != 0) {
        assert_true(called);
        assert_true(gg_roll_call_heard(roll, 0));
        gg_roll_call_forget(roll);
        assert_false(gg_roll_call_heard(roll, 0));
    }
    MPI_Barrier(MPI_COMM_WORLD);
    for (int turn = 0; turn < 100 && rank != last; turn++) {
        gg_roll_call_turn(roll, false);
        sleep_ms(1);
    }
    gg_roll_call_forget(roll);
    MPI_Barrier(MPI_COMM_WORLD);
    turn_until(roll, 0);
    MPI_Barrier(MPI_COMM_WORLD);
    gg_roll_call_destroy(&roll);
}

static void neighbours_are_mutual(void **state) {
    (void)state;
    if (size > 1)
        return;
    for (int ranks = 1; ranks < 140; ranks++)
        for (int r = 0; r < ranks; r++) {
            int mine[GG_ROLL_CALL_NEIGHBOURS], theirs[GG_ROLL_CALL_NEIGHBOURS];
            const int count = gg_roll_call_neighbours(r, ranks, mine);
            for (int i = 0; i < count; i++) {
                const int back = gg_roll_call_neighbours(mine[i], ranks, theirs);
                int found = 0;
                for (int j = 0; j < back; j++)
                    found += theirs[j] == r;
                assert_int_equal(found, 1);
                assert_int_not_equal(mine[i], r);
            }
        }
}

/* Turns until every rank that is not lost has heard of rank `from`, -1: never. */
static int turns_to_all(int ranks, const bool *lost, int from) {
    int *turn = gg_calloc((size_t)ranks, sizeof *turn), last = 0; /* 1: heard at the start */
    turn[from] = 1;
    for (int now = 1, moved = 1; moved; now++) {
        moved = 0;
        for (int r = 0; r < ranks; r++) {
            int neighbours[GG_ROLL_CALL_NEIGHBOURS];
            const int count = turn[r] == now ? gg_roll_call_neighbours(r, ranks, neighbours) : 0;
            for (int i = 0; i < count; i++)
                if (!lost[neighbours[i]] && turn[neighbours[i]] == 0) {
                    turn[neighbours[i]] = now + 1;
                    last = now;
                    moved = 1;
                }
        }
    }
    for (int r = 0; r < ranks; r++)
        if (!lost[r] && turn[r] == 0)
            last = -1;
    free(turn);
    return last;
}

/* 4,096 ranks on hosts of 64: without loss, without any one host, without every second one, and without a third of them
 * in no order. */
static void finds_ways_around_hosts(void **state) {
    (void)state;
    enum { RANKS = 4096, HOST = 64, HOSTS = RANKS / HOST };
    if (size > 1)
        return;
    bool *lost = gg_calloc(RANKS, sizeof *lost);
    assert_in_range(turns_to_all(RANKS, lost, 0), 1, 12);
    for (int kind = 0; kind < HOSTS + 2; kind++) {
        for (int r = 0; r < RANKS; r++) {
            const int host = r / HOST;
            lost[r] = kind < HOSTS ? host == kind : kind == HOSTS ? host % 2 == 1 : host * 37 % 64 % 3 == 0;
        }
        int from = 0;
        while (lost[from])
            from++;
        assert_in_range(turns_to_all(RANKS, lost, from), 1, 12);
    }
    free(lost);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_of_all),
        cmocka_unit_test(names_the_silent),
        cmocka_unit_test(names_by_host),
        cmocka_unit_test(counts_what_has_no_room),
        cmocka_unit_test(forgets_a_call_for_nothing),
        cmocka_unit_test(neighbours_are_mutual),
        cmocka_unit_test(finds_ways_around_hosts),
    };
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Finalize();
    return failed;
}
