/* Settings files and name=value words: what is read, what is refused and how. */
#include "jobs/command/settings.h"
#include "tests/check.h"

#include "core/base/memory.h"
#include "io/base/file.h"

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
    assert_int_equal(settings.data.train.paths.count, 2);
    assert_string_equal(settings.data.train.paths.items[1], "b c.h5");
    assert_string_equal(settings.data.val.paths.items[0], "v.h5");
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
        {"data: &x\n  train: *x\n", "line 1: anchors"},
        {"run.dir: *x\n", "aliases"},
        {"run.dir: !!str a\n", "tags"},
        {"run.steps: 3\n---\nrun.steps: 4\n", "a second document"},
        {"model:\n  layers: 3\nmodel.layers: 3\n", "line 3: setting model.layers is given twice"},
        {"model:\n  layers:\n    deep: 3\n", "setting 'model.layers' is a value, not a section"},
        {"modle: {}\n", "unknown section 'modle'"},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n", "nested too deep"},
        {"model.layers: [1, 2]\n", "line 1: setting model.layers takes no list; allowed: an integer"},
        {"data.trian: [a, b]\n", "did you mean 'data.train'"},
        {"model.layers:\n", "cannot be ''"},
        {"model: 3\n", "'model' is a section"},
        {"\tmodel.layers: 3\n", "not YAML"},
        {"optim: 3\n", "unknown setting 'optim'"},
        {"run.dir: \xc3(\n", "not YAML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gg_settings_free(&settings);
        gg_settings_init(&settings);
        CHECK_FAILS(read_text(cases[i].text), GG_USAGE, cases[i].message);
    }
    CHECK_FAILS(gg_settings_read_file(&settings, "no-such.yaml"), GG_USAGE, "no-such.yaml");
    CHECK_FAILS(gg_settings_read_text(&settings, "\0\1binary", 8, "x.bin"), GG_USAGE, "binary");

    const size_t huge = (1 << 20) + 1;
    char *text = malloc(huge);
    memset(text, '#', huge);
    CHECK_OK(gg_file_write("test_settings_file.yaml", text, huge));
    CHECK_FAILS(gg_settings_read_file(&settings, "test_settings_file.yaml"), GG_USAGE, "larger than");
    remove("test_settings_file.yaml");
    free(text);
}

/* Every setting, set to something that is not its default, is the same after writing and reading. */
static void every_setting_round_trips(void **state) {
    (void)state;
    for (size_t i = 0; i < gg_settings_table.count; i++) {
        const struct gg_option *option = &gg_settings_table.options[i];
        char text[64] = "";
        /* The last ones: what YAML takes for line ends or refuses, and their neighbours that it takes. */
        const char *const items[] = {"a, b",
                                     "\"q\" \\ #",
                                     "tab\there",
                                     "new\nline",
                                     "[x]",
                                     "~",
                                     "\xc3\xa4",
                                     "a\x01\x7f\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0z",
                                     " \xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa ",
                                     "\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf\xf0\x9f\x98\x80"};
        switch (option->type) {
        case GG_OPTION_LIST:
        case GG_OPTION_CORPORA:
            gg_options_set_list(option, &settings, items, sizeof items / sizeof *items);
            continue;
        case GG_OPTION_INTEGER:
            snprintf(text, sizeof text, "%.0f", option->max);
            break;
        case GG_OPTION_REAL:
            snprintf(text, sizeof text, "%.17g", option->max / 3);
            break;
        case GG_OPTION_CHOICE:
            snprintf(text, sizeof text, "%s", option->choices[1]);
            break;
        case GG_OPTION_FLAG:
            snprintf(text, sizeof text, "true");
            break;
        case GG_OPTION_TEXT:
            snprintf(text, sizeof text, " \"\\'\n\t: # null %zu ", i);
            break;
        }
        CHECK_OK(gg_settings_set(&settings, option->name, text, "here"));
    }
    char *yaml = gg_settings_yaml(&settings);
    struct gg_settings again;
    gg_settings_init(&again);
    CHECK_OK(gg_settings_read_text(&again, yaml, strlen(yaml), "resolved"));
    for (size_t i = 0; i < gg_settings_table.count; i++) {
        char before[512], after[512];
        gg_options_format(&gg_settings_table.options[i], &settings, before, sizeof before);
        gg_options_format(&gg_settings_table.options[i], &again, after, sizeof after);
        assert_string_equal(before, after);
        assert_true(again.given[i]);
    }
    assert_int_equal(again.data.train.paths.count, 10);
    assert_string_equal(again.data.train.paths.items[3], "new\nline");
    free(yaml);
    gg_settings_free(&again);
}

/* Named corpora, in all the ways that there are to write them, read back as they were. */
static void corpora(void **state) {
    (void)state;
    static const char *const texts[] = {
        "data.train: {en: {paths: [e1.h5, \"e 2\"], weight: 0.7}, de: {paths: d.h5, weight: 0.3}}\n"
        "data.val: {en: v.h5, de: [w.h5, x.h5]}\n",
        "data:\n  train:\n    de.weight: 0.3\n    en: [e1.h5, e 2]\n    en.weight: 0.7\n"
        "  train.de:\n    paths: [d.h5]\n  val.de.paths: [w.h5, x.h5]\n  val.en: v.h5\n",
    };
    for (size_t i = 0; i < 2; i++) {
        gg_settings_free(&settings);
        gg_settings_init(&settings);
        CHECK_OK(read_text(texts[i]));
        CHECK_OK(gg_settings_resolve(&settings));
        const struct gg_corpora *train = &settings.data.train;
        assert_int_equal(gg_corpora_count(train), 2);
        assert_int_equal(train->paths.count, 0);
        assert_string_equal(train->named[0].name, "de");
        assert_string_equal(train->named[1].paths.items[1], "e 2");
        assert_true(train->named[0].weight == 0.3 && train->named[1].weight == 0.7);
        assert_int_equal(settings.data.val.named[0].paths.count, 2);
        char *yaml = gg_settings_yaml(&settings), *text;
        text = gg_option_text(gg_options_find(&gg_settings_table, "data.train"), &settings);
        assert_string_equal(
            text, "{de: {paths: [\"d.h5\"], weight: 0.3}, en: {paths: [\"e1.h5\", \"e 2\"], weight: 0.7}}");
        free(text);
        struct gg_settings again;
        gg_settings_init(&again);
        CHECK_OK(gg_settings_read_text(&again, yaml, strlen(yaml), "resolved"));
        char *yaml_again = gg_settings_yaml(&again);
        assert_string_equal(yaml, yaml_again);
        assert_true(gg_options_given(&gg_settings_table, again.given, "data.train"));
        free(yaml);
        free(yaml_again);
        gg_settings_free(&again);
    }
}

static void corpora_round_trip(void **state) {
    (void)state;
    /* Names that YAML could take for something else, paths that it must quote. */
    const char *const names[] = {"-", "null", "1e3", "no", "_", "A-z_9"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *paths = gg_format("data.train.%s.paths", names[i]),
             *weight = gg_format("data.train.%s.weight", names[i]);
        char *number = gg_format("%.17g", 0.1 + (double)i / 3), *val = gg_format("data.val.%s", names[i]);
        CHECK_OK(gg_settings_set(&settings, paths, "new\nline \xc3\xa4 \"q\" \\", "here"));
        CHECK_OK(gg_settings_set(&settings, paths, " # {x}: ", "here"));
        CHECK_OK(gg_settings_set(&settings, weight, number, "here"));
        CHECK_OK(gg_settings_set(&settings, val, "v.h5", "here"));
        free(paths);
        free(weight);
        free(number);
        free(val);
    }
    CHECK_OK(gg_settings_resolve(&settings));
    char *yaml = gg_settings_yaml(&settings);
    struct gg_settings again;
    gg_settings_init(&again);
    CHECK_OK(gg_settings_read_text(&again, yaml, strlen(yaml), "resolved"));
    assert_int_equal(again.data.train.count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct gg_corpus *was = &settings.data.train.named[i], *is = &again.data.train.named[i];
        assert_string_equal(is->name, was->name);
        assert_true(is->weight == was->weight && was->weight > 0);
        assert_int_equal(is->paths.count, 2);
        assert_string_equal(is->paths.items[0], "new\nline \xc3\xa4 \"q\" \\");
        assert_string_equal(is->paths.items[1], " # {x}: ");
        assert_string_equal(again.data.val.named[i].paths.items[0], "v.h5");
    }
    free(yaml);
    gg_settings_free(&again);
}

static void corpora_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"data.train: {en: {paths: a, weight: 0}}\n",
         "line 1: setting data.train.en.weight cannot be '0'; allowed: a number above 0"},
        {"data.train.en.weight: -0.5\n", "data.train.en.weight cannot be '-0.5'"},
        {"data.train.en.weight: nan\n", "data.train.en.weight cannot be 'nan'"},
        {"data.train.en.weight: 1x\n", "data.train.en.weight cannot be '1x'"},
        {"data.train.en.weight: [1]\n", "data.train.en.weight takes no list"},
        {"data.val.en.weight: 1\n", "the corpora of data.val have paths, and no weights"},
        {"data.val: {en: {paths: a, weight: 1}}\n", "the corpora of data.val have paths, and no weights"},
        {"data.train: {paths: a, weight: 1}\n", "'paths' is no name of a corpus"},
        {"data.train: {weight: 1}\n", "'weight' is no name of a corpus"},
        {"data.train: {\"e n\": a}\n", "'e n' is no name of a corpus"},
        {"data.train..weight: 1\n", "'' is no name of a corpus"},
        {"data.train.aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde: a\n", "is no name of a corpus"},
        {"data.train.en.wieght: 1\n",
         "unknown setting 'data.train.en.wieght'; a corpus of data.train has paths and weight"},
        {"data.train.en.weight: 1\ndata.train.en.weight: 2\n",
         "line 2: setting data.train.en.weight is given twice"},
        {"data.train.en: a\ndata.train: {en: {paths: b}}\n", "line 2: setting data.train.en is given twice"},
        {"data.train: a\ndata.train.en: b\n", "line 2: setting data.train is given as shards and as corpora"},
        {"data.train.en: b\ndata.train: a\n", "line 2: setting data.train is given twice"},
        {"data.train: {}\n", "the map of data.train is empty"},
        {"data.train: {en: {}}\n", "the map of data.train.en is empty"},
        {"data.tokenizer: {en: a}\n", "setting 'data.tokenizer' is a value, not a section"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gg_settings_free(&settings);
        gg_settings_init(&settings);
        CHECK_FAILS(read_text(cases[i].text), GG_USAGE, cases[i].message);
    }
    static const struct {
        const char *text, *message;
    } together[] = {
        {"data.train.en.weight: 1\n", "data.train.en has no paths"},
        {"data.train: {en: {paths: a, weight: 1}, de: b}\n",
         "data.train.de has no weight; set data.train.de.weight"},
        {"data.train: {en: {paths: a, weight: 65536}, de: {paths: b, weight: 1}}\n",
         "data.train.de.weight is 1 of 65537"},
        {"data.val: {en: a, de: []}\n", "data.val.de has no paths"},
    };
    for (size_t i = 0; i < sizeof together / sizeof *together; i++) {
        gg_settings_free(&settings);
        gg_settings_init(&settings);
        CHECK_OK(read_text(together[i].text));
        CHECK_FAILS(gg_settings_resolve(&settings), GG_USAGE, together[i].message);
    }
    gg_settings_free(&settings);
    gg_settings_init(&settings);
    for (int i = 0; i < GG_CORPORA_MOST + 1; i++) {
        char *name = gg_format("data.train.c%d", i);
        if (i < GG_CORPORA_MOST)
            CHECK_OK(gg_settings_set(&settings, name, "a", "here"));
        else
            CHECK_FAILS(gg_settings_set(&settings, name, "a", "here"), GG_USAGE,
                        "there are 64 corpora already");
        free(name);
    }
}

static gg_status set_words(char *const *line) {
    for (int i = 0; line[i] != NULL; i++)
        GG_TRY(gg_settings_set_word(&settings, line, i));
    return GG_OK;
}

/* Words add to the corpora of a file, replace their lists, and take a list's place; a list takes theirs. */
static void corpora_in_words(void **state) {
    (void)state;
    char text[9][40] = {"data.train.en.weight=2",  "data.train.de=d1",       "data.train.de=d2",
                        "data.train.fr.paths=[f]", "data.train.fr.weight=1", "data.train=all",
                        "data.train=more",         "data.val.en=v",          "data.val=w"};
    const struct gg_corpora *train = &settings.data.train;
    CHECK_OK(read_text("data.train: {en: {paths: e, weight: 1}, de: {paths: [d, dd, ddd], weight: 3}}\n"));
    CHECK_OK(set_words((char *const[]){text[0], text[1], text[2], text[3], text[4], NULL}));
    assert_int_equal(train->count, 3);
    assert_string_equal(train->named[2].name, "fr");
    assert_true(train->named[1].weight == 2 && train->named[0].weight == 3);
    assert_int_equal(train->named[0].paths.count, 2);
    assert_string_equal(train->named[0].paths.items[1], "d2");
    assert_string_equal(train->named[1].paths.items[0], "e");

    CHECK_OK(set_words((char *const[]){text[5], text[6], NULL}));
    assert_int_equal(train->count, 0);
    assert_int_equal(train->paths.count, 2);
    CHECK_OK(set_words((char *const[]){text[1], NULL}));
    assert_int_equal(train->count, 1);
    assert_int_equal(train->paths.count, 0);

    CHECK_FAILS(set_words((char *const[]){text[5], text[1], NULL}), GG_USAGE,
                "data.train is given as shards and as corpora");
    CHECK_FAILS(set_words((char *const[]){text[7], text[8], NULL}), GG_USAGE,
                "data.val is given as shards and as corpora");
}

static void resolving(void **state) {
    (void)state;
    CHECK_OK(read_text("model: {preset: gpt2-355m, heads: 8}\noptim.lr: 3e-4\noptim.schedule: wsd\n"));
    CHECK_OK(gg_settings_resolve(&settings));
    assert_int_equal(settings.model.layers, 24);
    assert_int_equal(settings.model.heads, 8);
    assert_int_equal(settings.model.width, 1024);
    assert_int_equal(settings.model.vocab, 50257);
    assert_true(settings.optim.min_lr == 3e-5);
    assert_int_equal(settings.optim.decay, settings.run.steps / 5);

    static const struct {
        const char *text, *message;
    } cases[] = {
        {"model.heads: 7\n", "model.heads 7 does not divide model.width 384"},
        {"batch: {sequences: 12, micro: 8}\n", "batch.micro 8 does not divide batch.sequences 12"},
        {"optim: {lr: 1e-5, min_lr: 1e-4}\n", "optim.min_lr"},
        {"optim: {schedule: wsd, warmup: 90, decay: 20}\nrun.steps: 100\n", "together are more than"},
        {"run.dir:\n", "run.dir is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gg_settings_free(&settings);
        gg_settings_init(&settings);
        CHECK_OK(read_text(cases[i].text));
        CHECK_FAILS(gg_settings_resolve(&settings), GG_USAGE, cases[i].message);
    }
}

static void words(void **state) {
    (void)state;
    CHECK_OK(read_text("data.train: [from-file.h5]\noptim.lr: 1e-3\n"));
    char text[5][32] = {"optim.lr=2e-3", "data.train=a.h5", "data.train=b.h5", "optim.lr", "=3"};
    char *const line[] = {text[0], text[1], text[2], text[3], text[4]};
    for (int i = 0; i < 3; i++)
        CHECK_OK(gg_settings_set_word(&settings, line, i));
    assert_true(settings.optim.lr == 2e-3);
    assert_int_equal(settings.data.train.paths.count, 2);
    assert_string_equal(settings.data.train.paths.items[0], "a.h5");
    CHECK_FAILS(gg_settings_set_word(&settings, line, 3), GG_USAGE, "name=value");
    CHECK_FAILS(gg_settings_set_word(&settings, line, 4), GG_USAGE, "name=value");
}

/* Refused where they are given: the YAML that they would be kept in could not be read back. */
static void words_that_are_not_utf8(void **state) {
    (void)state;
    static const char *const names[] = {"run.dir", "data.train", "data.val", "data.tokenizer"};
    static const char *const values[] = {"\xff", "runs/\xc3", "a\xe2\x82/b", "\xed\xa0\x80", "[a, b\xf5]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            char *word = gg_format("%s=%s", names[i], values[v]);
            CHECK_FAILS(gg_settings_set_word(&settings, &word, 0), GG_USAGE, names[i]);
            CHECK_FAILS(gg_settings_set_word(&settings, &word, 0), GG_USAGE, "not UTF-8");
            free(word);
        }
    char *good = gg_strdup("run.dir=\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK_OK(gg_settings_set_word(&settings, &good, 0));
    assert_string_equal(settings.run.dir, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    free(good);
}

/* Which rows a resumed run may not change, and which of them shape the model. */
static void flags_of_rows(void **state) {
    (void)state;
    const char *const free_ones[] = {"model.preset", "model.dropout", "finetune.lora.dropout"};
    for (size_t i = 0; i < gg_settings_table.count; i++) {
        const struct gg_option *option = &gg_settings_table.options[i];
        unsigned expected = strcmp(option->name, "optim.name") == 0 ? GG_SETTING_FIXED : 0;
        if (strncmp(option->name, "model.", 6) == 0 || strncmp(option->name, "finetune.lora.", 14) == 0)
            expected = GG_SETTING_SHAPES_MODEL | GG_SETTING_FIXED;
        for (size_t k = 0; k < sizeof free_ones / sizeof *free_ones; k++)
            if (strcmp(option->name, free_ones[k]) == 0)
                expected = 0;
        if (option->flags != expected)
            fail_msg("%s has flags %u, not %u", option->name, option->flags, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dotted_and_nested, setup, teardown),
        cmocka_unit_test_setup_teardown(resolved_settings_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(every_setting_round_trips, setup, teardown),
        cmocka_unit_test_setup_teardown(corpora, setup, teardown),
        cmocka_unit_test_setup_teardown(corpora_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(corpora_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(corpora_in_words, setup, teardown),
        cmocka_unit_test_setup_teardown(resolving, setup, teardown),
        cmocka_unit_test_setup_teardown(words, setup, teardown),
        cmocka_unit_test_setup_teardown(words_that_are_not_utf8, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_of_rows, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
