/* The end for lack of memory: status, message, what is called before, and that it comes whatever that does.
 */
#include "tests/check.h"

#include "core/base/memory.h"
#if defined(GG_MATMUL_IS_ONEDNN) && __has_include(<oneapi/dnnl/dnnl.h>)
#include "core/kernels/matmul/onednn_check.h"
#define HAS_ONEDNN
#endif

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `body` in a child whose output goes to `text` (both streams); returns what waitpid says of its end. */
static int end_of(void (*body)(void), char *text, size_t bytes) {
    int ends[2], how;
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        setvbuf(stdout, NULL, _IOFBF, 4096);
        signal(SIGABRT, SIG_DFL);
        body();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length + 1 < bytes && (got = read(ends[0], text + length, bytes - 1 - length)) > 0;)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &how, 0), child);
    return how;
}

static void check_end(void (*body)(void), const char *wanted) {
    char text[1024];
    const int how = end_of(body, text, sizeof text);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != GG_RESOURCE || strcmp(text, wanted) != 0)
        fail_msg("ended as %x with '%s'", how, text);
}

static void say_first(void) {
    (void)!write(STDERR_FILENO, "first ", 6);
}

static void say_second(void) {
    (void)!write(STDERR_FILENO, "second ", 7);
}

static void plain(void) {
    printf("kept ");
    gg_out_of_memory(NULL, 12);
}

static void with_calls(void) {
    gg_out_of_memory_calls(say_first);
    gg_out_of_memory_calls(say_second);
    gg_out_of_memory_calls(say_second);
    gg_out_of_memory("a product", 0);
}

static void again(void) {
    gg_out_of_memory(NULL, 34);
}

static void nested(void) {
    gg_out_of_memory_calls(again);
    gg_out_of_memory(NULL, 12);
}

static void hang(void) {
    for (;;)
        pause();
}

static void hanging(void) {
    gg_out_of_memory_calls(hang);
    gg_out_of_memory(NULL, 12);
}

static void too_much(void) {
    const volatile size_t much = SIZE_MAX / 4;
    free(gg_malloc(much));
}

static void ends(void **state) {
    (void)state;
    check_end(plain, "gridgpt: out of memory (12 bytes)\nkept ");
    check_end(with_calls, "gridgpt: out of memory for a product\nsecond first ");
    check_end(nested, "gridgpt: out of memory (12 bytes)\n");
    check_end(hanging, "gridgpt: out of memory (12 bytes)\n");
}

static void sizes(void **state) {
    (void)state;
    if (getenv("GG_SANITIZE") != NULL && getenv("GG_SANITIZE")[0] != '\0')
        skip(); /* which end the process themselves */
    check_end(too_much, "gridgpt: out of memory (4611686018427387903 bytes)\n");
    void *memory;
    CHECK_FAILS(gg_try_malloc(SIZE_MAX / 4, "much", &memory), GG_RESOURCE, "no memory for much");
    const volatile size_t much = SIZE_MAX / 4;
    assert_null(gg_malloc_or_null(much));
    assert_false(gg_memory_may_be_refused());
}

#ifdef HAS_ONEDNN
static void library_without_memory(void) {
    gg_onednn_check(dnnl_success, "dnnl_sgemm(1)", "x.c", 1);
    gg_onednn_check(dnnl_out_of_memory, "dnnl_sgemm(1)", "x.c", 1);
}

static void wrong_arguments(void) {
    gg_onednn_check(dnnl_invalid_arguments, "dnnl_sgemm(1)", "x.c", 1);
}

static void onednn(void **state) {
    (void)state;
    char text[1024];
    check_end(library_without_memory,
              "gridgpt: out of memory for a matrix product (oneDNN's dnnl_sgemm: status 1)\n");
    const int how = end_of(wrong_arguments, text, sizeof text);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),
        cmocka_unit_test(sizes),
#ifdef HAS_ONEDNN
        cmocka_unit_test(onednn),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
