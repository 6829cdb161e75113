/* Progress: plain lines in a file, one rewritten line that never wraps on a terminal. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#endif

#include "tests/check.h"

#include "jobs/launch/progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void durations(void **state) {
    (void)state;
    const struct {
        double seconds;
        const char *text;
    } cases[] = {{-1, "00:00"}, {59.6, "01:00"}, {130, "02:10"}, {10930, "3:02:10"}, {184000, "2d 03:06"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        gg_progress_duration(cases[i].seconds, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void plain_lines(void **state) {
    (void)state;
    FILE *out = tmpfile();
    struct gg_progress steps = {.label = "train", .total = 20, .start = 10, .out = out, .every = true};
    gg_progress_begin(&steps);
    assert_false(steps.terminal);
    gg_progress_update(&steps, 11, "loss 3.21");
    gg_progress_note(&steps, "a checkpoint");
    gg_progress_update(&steps, 20, "loss 3.20");
    gg_progress_end(&steps, NULL);
    struct gg_progress bytes = {.label = "prepare", .unit = GG_PROGRESS_BYTES, .total = 2000000, .out = out};
    gg_progress_begin(&bytes);
    gg_progress_update(&bytes, 1000, NULL); /* not yet due */
    gg_progress_update(&bytes, 2000000, NULL);
    gg_progress_end(&bytes, NULL);
    rewind(out);
    char text[1000] = "";
    assert_true(fread(text, 1, sizeof text - 1, out) > 0);
    fclose(out);
    char *at = text;
    const char *const expected[] = {"train 11/20  loss 3.21  ETA 00:00\n", "a checkpoint\n",
                                    "train 20/20  loss 3.20\n", "prepare 2.0/2.0 MB  "};
    for (size_t i = 0; i < 4; i++) {
        if (strncmp(at, expected[i], strlen(expected[i])) != 0)
            fail_msg("'%s' is wanted at: %s", expected[i], at);
        at += strlen(expected[i]);
    }
    assert_non_null(strstr(at, " MB/s\n"));
    assert_null(strchr(text, '\033'));
}

static void terminal_line_fits(void **state) {
    (void)state;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        print_message("skipped: no pseudo-terminal here\n");
        skip();
    }
    FILE *out = fopen(ptsname(master), "w");
    assert_non_null(out);
    for (unsigned short columns = 10; columns <= 120; columns += 10) {
        const struct winsize size = {.ws_row = 24, .ws_col = columns};
        assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
        struct gg_progress progress = {.label = "train", .total = 200, .out = out};
        gg_progress_begin(&progress);
        assert_true(progress.terminal);
        progress.done = 100;
        gg_progress_end(&progress, "loss 3.21  1234 tok/s");
        char text[1000] = "";
        for (size_t length = 0; strchr(text, '\n') == NULL;) { /* a terminal may hand it on in parts */
            const ssize_t got = read(master, text + length, sizeof text - 1 - length);
            assert_true(got > 0);
            length += (size_t)got;
        }
        assert_true(text[0] == '\r');
        const char *end = strstr(text, "\033[K");
        assert_non_null(end);
        assert_true(end - (text + 1) < columns);
        assert_int_equal(columns >= 60, memchr(text, '[', (size_t)(end - text)) != NULL);
        if (columns >= 60) {
            int filled = 0, empty = 0;
            for (const char *c = text; c < end; c++) {
                filled += *c == '#';
                empty += *c == '-';
            }
            assert_true(filled >= 4 && abs(filled - empty) <= 1);
        }
    }
    fclose(out);
    close(master);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(durations), cmocka_unit_test(plain_lines),
                                       cmocka_unit_test(terminal_line_fits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
