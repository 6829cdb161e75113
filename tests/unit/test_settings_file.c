/* Settings files and name=value words: what is read, what is refused and how. */
#include "io/file.h"
#include "io/settings_file.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

static struct gg_settings settings;

static int setup(void **state) {
    (void)state;
    gg_settings_init(&settings);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    gg_settings_free(&settings);
    return 0;
}

static gg_status read_text(const char *text) {
    return gg_settings_read_text(&settings, text, strlen(text), "run.yaml");
}

static void dotted_and_nested(void **state) {
    (void)state;
    CHECK_OK(
        read_text("# a run\nmodel.layers: 3\noptim:\n  lr: 1e-3\n  schedule: wsd\n"
                  "data:\n  train: [a.h5, \"b c.h5\"]\n  val:\n    - v.h5\nrun.dir: \"some \\\"where\"\n"));
    assert_int_equal(settings.model.layers, 3);
    assert_true(settings.optim.lr == 1e-3);
    assert_int_equal(settings.optim.schedule, GG_SCHEDULE_WSD);
    assert_int_equal(settings.data.train.count, 2);
    assert_string_equal(settings.data.train.items[1], "b c.h5");
    assert_string_equal(settings.data.val.items[0], "v.h5");
    assert_string_equal(settings.run.dir, "some \"where");
}

static void resolved_settings_read_back(void **state) {
    (void)state;
    CHECK_OK(read_text("model.preset: gpt2-124m\nmodel.dropout: 0.1\ndata.train: \"x y/*.h5\"\n"));
    CHECK_OK(gg_settings_resolve(&settings));
    char *yaml = gg_settings_yaml(&settings);
    struct gg_settings again;
    gg_settings_init(&again);
    CHECK_OK(gg_settings_read_text(&again, yaml, strlen(yaml), "resolved"));
    char *yaml_again = gg_settings_yaml(&again);
    assert_string_equal(yaml, yaml_again);
    free(yaml);
    free(yaml_again);
    gg_settings_free(&again);
}

static void nothing_is_allowed(void **state) {
    (void)state;
    CHECK_OK(read_text(""));
    CHECK_OK(read_text("# only a comment\n"));
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"model.layers: 3\nmodel.layrs: 4\n", "run.yaml line 2: unknown setting 'model.layrs'; did you mean"},
        {"model.layers: 0\n", "cannot be '0'; allowed: an integer from 1 to 1000"},
        {"optim.lr: 1e-3\noptim.lr: 1e-4\n", "line 2: setting optim.lr is given twice"},
        {"optim.beta1: [0.9]\n", "optim.beta1"},
        {"run.dir: [a]\n", "takes no list"},
        {"data.train: [[a]]\n", "plain texts"},
        {"- a\n- b\n", "name: value"},
        {"just words\n", "name: value"},
        {"run.dir: \"open\n", "not YAML"},
        {"? [a]\n: b\n", "no setting's name"},
        {"run.dir: \"a\\0b\"\n", "zero byte"},
        {"a: &x\n  b: *x\n", "no setting's name"},
        {"optim: 3\n", "unknown setting 'optim'"},
        {"run.dir: \xc3(\n", "not YAML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gg_settings_free(&settings);
        gg_settings_init(&settings);
        CHECK_FAILS(read_text(cases[i].text), GG_USAGE, cases[i].message);
    }
    CHECK_FAILS(gg_settings_read_file(&settings, "no-such.yaml"), GG_USAGE, "no-such.yaml");
}

static void words(void **state) {
    (void)state;
    CHECK_OK(read_text("data.train: [from-file.h5]\noptim.lr: 1e-3\n"));
    char text[5][32] = {"optim.lr=2e-3", "data.train=a.h5", "data.train=b.h5", "optim.lr", "=3"};
    char *const line[] = {text[0], text[1], text[2], text[3], text[4]};
    for (int i = 0; i < 3; i++)
        CHECK_OK(gg_settings_set_word(&settings, line, i));
    assert_true(settings.optim.lr == 2e-3);
    assert_int_equal(settings.data.train.count, 2);
    assert_string_equal(settings.data.train.items[0], "a.h5");
    CHECK_FAILS(gg_settings_set_word(&settings, line, 3), GG_USAGE, "name=value");
    CHECK_FAILS(gg_settings_set_word(&settings, line, 4), GG_USAGE, "name=value");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dotted_and_nested, setup, teardown),
        cmocka_unit_test_setup_teardown(resolved_settings_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(words, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
