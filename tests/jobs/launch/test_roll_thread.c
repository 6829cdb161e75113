/* A rank whose main thread waits in MPI is heard from all the same; the lowest of those that hear each other speaks. */
#include "jobs/launch/roll_thread.h"
#include "tests/check.h"

#include <mpi.h>
#include <string.h>
#include <time.h>

static struct gg_world world;

/* Looks for ten seconds until no more than `missing` ranks are. */
static struct gg_roll_answer look(int missing) {
    struct gg_roll_answer answer = {.missing = -1};
    for (int i = 0; i < 1000; i++) {
        if (gg_roll_thread_answer(&answer) == GG_ROLL_ANSWER && answer.missing <= missing)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(gg_roll_thread_answer(&answer), GG_ROLL_ANSWER);
    assert_int_equal(answer.missing, missing);
    return answer;
}

static void hears_who_waits_in_mpi(void **state) {
    (void)state;
    struct gg_roll_answer answer;
    gg_roll_thread_start(&world, "here");
    gg_roll_thread_ask(true);
    if (world.rank == world.size - 1) {
        MPI_Recv(NULL, 0, MPI_BYTE, 0, 0, world.comm, MPI_STATUS_IGNORE);
    } else {
        answer = look(0);
        assert_string_equal(answer.names, "");
        assert_int_equal(answer.speaks, world.rank == 0);
        if (world.rank == 0)
            MPI_Send(NULL, 0, MPI_BYTE, world.size - 1, 0, world.comm);
    }
    MPI_Barrier(world.comm);
    gg_roll_thread_stop();
}

/* Rank 0 says nothing: the next one speaks, and names it. Who was called can know. */
static void speaks_for_the_silent(void **state) {
    (void)state;
    gg_roll_thread_start(&world, "here");
    if (world.rank > 0) {
        gg_roll_thread_ask(true);
        const struct gg_roll_answer answer = look(1);
        assert_string_equal(answer.names, "rank 0 on here");
        assert_int_equal(answer.speaks, world.rank == 1);
    }
    MPI_Barrier(world.comm);
    if (world.rank == 0) {
        struct gg_roll_answer answer;
        assert_int_equal(gg_roll_thread_answer(&answer), GG_ROLL_STUCK);
        bool called = false;
        for (int i = 0; i < 1000 && !called; i++) {
            called = gg_roll_thread_called();
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
        assert_true(called);
    }
    gg_roll_thread_stop();
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_who_waits_in_mpi),
        cmocka_unit_test(speaks_for_the_silent),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gg_world_stop(&world);
    return failed;
}
