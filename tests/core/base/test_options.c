#include "tests/check.h"

#include "core/base/options.h"

#include <string.h>

struct values {
    int64_t layers;
    double lr;
    bool flag;
    char *text;
    int choice;
    struct gg_text_list list;
};

static const char *const colours[] = {"red", "green", NULL};
static const struct gg_option options[] = {
    {"model.layers", GG_OPTION_INTEGER, offsetof(struct values, layers), 1, 1000, "12", NULL, "N", "layers",
     0},
    {"optim.lr", GG_OPTION_REAL, offsetof(struct values, lr), 0, 1, "6e-4", NULL, "X", "learning rate", 0},
    {"flag", GG_OPTION_FLAG, offsetof(struct values, flag), 0, 0, NULL, NULL, NULL, "a flag", 0},
    {"text", GG_OPTION_TEXT, offsetof(struct values, text), 0, 0, NULL, NULL, "T", "a text", 0},
    {"colour", GG_OPTION_CHOICE, offsetof(struct values, choice), 0, 0, "green", colours, NULL, "a colour",
     0},
    {"data", GG_OPTION_LIST, offsetof(struct values, list), 0, 0, NULL, NULL, "PATH", "paths", 0},
};
static const struct gg_option_table table = {"setting", "", options, sizeof options / sizeof *options};

static gg_status set(struct values *values, const char *name, const char *text) {
    return gg_options_set(&table, values, name, text, "here");
}

static void values_round_trip(void **state) {
    (void)state;
    struct values values = {0};
    gg_options_defaults(&table, &values);
    assert_int_equal(values.layers, 12);
    assert_int_equal(values.choice, 1);
    CHECK_OK(set(&values, "model.layers", "1k"));
    assert_int_equal(values.layers, 1000);
    CHECK_OK(set(&values, "optim.lr", "0.1"));
    CHECK_OK(set(&values, "data", "a b"));
    CHECK_OK(set(&values, "data", "c"));
    char text[256];
    gg_options_format(gg_options_find(&table, "data"), &values, text, sizeof text);
    assert_string_equal(text, "[\"a b\", \"c\"]");
    CHECK_OK(set(&values, "data", "[\"x\\\"y\", plain , \"z\"]"));
    gg_options_format(gg_options_find(&table, "data"), &values, text, sizeof text);
    assert_string_equal(text, "[\"x\\\"y\", \"plain\", \"z\"]");
    gg_options_format(gg_options_find(&table, "optim.lr"), &values, text, sizeof text);
    assert_string_equal(text, "0.1");
    gg_options_free(&table, &values);
    assert_null(values.list.items);
}

static void refusals_say_what_is_allowed(void **state) {
    (void)state;
    struct values values = {0};
    CHECK_FAILS(set(&values, "model.layer", "1"), GG_USAGE, "did you mean 'model.layers'");
    CHECK_FAILS(set(&values, "lr", "1"), GG_USAGE, "did you mean 'optim.lr'");
    CHECK_FAILS(set(&values, "entirely_else", "1"), GG_USAGE, "unknown setting 'entirely_else'");
    CHECK_FAILS(set(&values, "model.layers", "0"), GG_USAGE, "an integer from 1 to 1000");
    CHECK_FAILS(set(&values, "model.layers", "1.5"), GG_USAGE, "an integer");
    CHECK_FAILS(set(&values, "model.layers", "12x"), GG_USAGE, "an integer");
    CHECK_FAILS(set(&values, "optim.lr", "nan"), GG_USAGE, "a number from 0 to 1");
    CHECK_FAILS(set(&values, "colour", "blue"), GG_USAGE, "red, green");
    CHECK_FAILS(set(&values, "flag", "maybe"), GG_USAGE, "true or false");
    CHECK_FAILS(set(&values, "data", "[a, b"), GG_USAGE, "a list");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_round_trip),
                                       cmocka_unit_test(refusals_say_what_is_allowed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
