/* metrics.jsonl: its lines, and what resuming cuts off. */
#include "tests/check.h"

#include "io/base/file.h"
#include "io/run/metrics.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char path[] = "test_metrics.jsonl";

static void write_step(gg_metrics *metrics, int64_t step) {
    const struct gg_metrics_phase phases[] = {{"data", 0.001}, {"forward", 0.5}};
    const struct gg_metrics_line line = {.step = step,
                                         .tokens = step * 1024,
                                         .trained = true,
                                         .loss = 1.0 / 3,
                                         .lr = 6e-4,
                                         .grad_norm = INFINITY,
                                         .tokens_per_s = 1234.5,
                                         .mfu = 0.7,
                                         .validated = step == 2,
                                         .val_loss = 3.5,
                                         .phases = phases,
                                         .phase_count = 2};
    CHECK_OK(gg_metrics_write(metrics, &line));
    assert_null(gg_metrics_notice(metrics));
}

static void contents(char **text, size_t *bytes) {
    CHECK_OK(gg_file_read(path, 1 << 20, text, bytes));
}

static void lines(void **state) {
    (void)state;
    unlink(path);
    gg_metrics *metrics;
    CHECK_OK(gg_metrics_open(path, -1, &metrics));
    const struct gg_metrics_line start = {.step = 0, .validated = true, .val_loss = 9.5};
    CHECK_OK(gg_metrics_write(metrics, &start));
    for (int step = 1; step <= 3; step++)
        write_step(metrics, step);
    /* Each line is in the file before the next is written, not only when it is closed. */
    size_t bytes;
    char *text;
    contents(&text, &bytes);
    CHECK_OK(gg_metrics_close(&metrics));
    assert_null(metrics);
    const char *second = strchr(text, '\n') + 1;
    assert_int_equal(strncmp(text, "{\"step\":0,\"tokens\":0,\"val_loss\":9.5}\n", (size_t)(second - text)),
                     0);
    const char expected[] =
        "{\"step\":1,\"loss\":0.333333333,\"lr\":0.0006,\"grad_norm\":null,\"tokens\":1024,"
        "\"tokens_per_s\":1234.5,\"mfu\":0.7,\"seconds\":{\"data\":0.001,"
        "\"forward\":0.5}}\n";
    for (const char *line = second; *line != '\0'; line = strchr(line, '\n') + 1)
        assert_non_null(json_loadb(line, (size_t)(strchr(line, '\n') - line), 0, NULL));
    char *first_line = strndup(second, (size_t)(strchr(second, '\n') + 1 - second));
    json_t *got = json_loads(first_line, 0, NULL), *want = json_loads(expected, 0, NULL);
    if (!json_equal(got, want))
        fail_msg("%s", first_line);
    assert_non_null(strstr(text, "\"val_loss\":3.5}\n"));
    json_decref(got);
    json_decref(want);
    free(first_line);
    free(text);
}

static void resuming_cuts(void **state) {
    (void)state;
    size_t before, after;
    char *old, *text;
    contents(&old, &before);
    FILE *file = fopen(path, "ab");
    fputs("{\"step\":4,\"loss\":1.0,\"lr", file); /* a crash in the middle of a line */
    fclose(file);

    gg_metrics *metrics;
    CHECK_OK(gg_metrics_open(path, 100, &metrics));
    contents(&text, &after);
    assert_int_equal(before, after);
    assert_memory_equal(text, old, before);
    free(text);
    CHECK_OK(gg_metrics_close(&metrics));

    CHECK_OK(gg_metrics_open(path, 2, &metrics));
    contents(&text, &after);
    assert_true(after < before);
    assert_memory_equal(text, old, after);
    assert_null(strstr(text, "\"step\":3"));
    assert_non_null(strstr(text, "\"step\":2"));
    free(text);
    write_step(metrics, 3);
    contents(&text, &after);
    assert_int_equal(after, before);
    assert_memory_equal(text, old, before);
    free(text);
    CHECK_OK(gg_metrics_close(&metrics));

    CHECK_OK(gg_metrics_open(path, -1, &metrics));
    CHECK_OK(gg_metrics_close(&metrics));
    assert_int_equal(gg_file_size(path), 0);
    free(old);
}

/* A file that may grow no further stands for a full disk: the line that does not fit leaves nothing behind.
 */
static void a_full_disk(void **state) {
    (void)state;
    gg_metrics *metrics;
    CHECK_OK(gg_metrics_open(path, -1, &metrics));
    write_step(metrics, 1);
    const int64_t bytes = gg_file_size(path);
    struct rlimit old, tight;
    getrlimit(RLIMIT_FSIZE, &old);
    tight = old;
    tight.rlim_cur = (rlim_t)(bytes + 20);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    const struct gg_metrics_line line = {.step = 2, .trained = true};
    CHECK_FAILS(gg_metrics_write(metrics, &line), GG_STORAGE, "cannot be written");
    assert_int_equal(gg_file_size(path), bytes);
    setrlimit(RLIMIT_FSIZE, &old);
    write_step(metrics, 2);
    assert_true(gg_file_size(path) > bytes + 20);
    CHECK_OK(gg_metrics_close(&metrics));
    CHECK_FAILS(gg_metrics_open("no-such-folder/m.jsonl", -1, &metrics), GG_STORAGE, "no-such-folder");
    unlink(path);
}

static int count_lines(const char *name) {
    char *text;
    size_t bytes;
    int count = 0;
    CHECK_OK(gg_file_read(name, 1 << 20, &text, &bytes));
    for (const char *p = text; *p != '\0'; p++)
        count += *p == '\n';
    assert_true(bytes == 0 || text[bytes - 1] == '\n');
    free(text);
    return count;
}

static void write_noticed(gg_metrics *metrics, int64_t step, const char *notice) {
    const struct gg_metrics_line line = {.step = step, .trained = true};
    CHECK_OK(gg_metrics_write(metrics, &line));
    assert_non_null(gg_metrics_notice(metrics));
    assert_non_null(strstr(gg_metrics_notice(metrics), notice));
}

/* What others do to the file, or to its folder, while it is open. */
static void its_name(void **state) {
    (void)state;
    static const char name[] = "test_metrics_folder/run/metrics.jsonl", old[] = "test_metrics_old.jsonl";
    gg_metrics *metrics;
    CHECK_OK(gg_folder_create("test_metrics_folder/run"));
    CHECK_OK(gg_metrics_open(name, -1, &metrics));
    write_step(metrics, 1);
    assert_int_equal(unlink(name), 0);
    write_noticed(metrics, 2, "deleted");
    assert_int_equal(count_lines(name), 2);
    assert_int_equal(unlink(name) + rmdir("test_metrics_folder/run") + rmdir("test_metrics_folder"), 0);
    write_noticed(metrics, 3, "deleted");
    write_step(metrics, 4);
    assert_int_equal(count_lines(name), 4);
    assert_int_equal(rename(name, old), 0);
    write_noticed(metrics, 5, "a new one is begun");
    assert_int_equal(count_lines(old), 4);
    assert_int_equal(count_lines(name), 1);
    FILE *other = fopen(old, "ab");
    fputs("{\"step\":5}", other); /* somebody's last line has no end */
    fclose(other);
    assert_int_equal(rename(old, name), 0);
    write_noticed(metrics, 6, "another file");
    assert_int_equal(count_lines(name), 6);
    CHECK_OK(gg_metrics_close(&metrics));
    assert_int_equal(unlink(name) + rmdir("test_metrics_folder/run") + rmdir("test_metrics_folder"), 0);
}

/* As many lines as there is room for are kept; the end tells how many are lost. */
static void lost_lines(void **state) {
    (void)state;
    gg_metrics *metrics;
    CHECK_OK(gg_metrics_open(path, -1, &metrics));
    write_step(metrics, 0);
    unlink(path);
    assert_int_equal(symlink("/dev/full", path), 0);
    const struct gg_metrics_line line = {.step = 1, .trained = true};
    int written = 0;
    for (size_t bytes = 0; bytes < 3 * GG_METRICS_KEPT_BYTES; bytes += 80, written++)
        CHECK_FAILS(gg_metrics_write(metrics, &line), GG_STORAGE, "No space left on device");
    unlink(path);
    CHECK_OK(gg_metrics_write(metrics, &line));
    const int kept = count_lines(path);
    assert_true(kept > 1000 && kept < written);
    char expected[64];
    snprintf(expected, sizeof expected, "%d of its lines are lost", written + 1 - kept);
    CHECK_FAILS(gg_metrics_close(&metrics), GG_STORAGE, expected);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(resuming_cuts),
                                       cmocka_unit_test(a_full_disk), cmocka_unit_test(its_name),
                                       cmocka_unit_test(lost_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
