/* Samples of every form as tokens and marks, against what is written here by hand. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "io/base/json_parse.h"
#include "io/samples/sample_source.h"
#include "io/tokenizer/tokenizer_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static gg_tokenizer *tokenizer;
static struct gg_chat_settings chat;
static char *label_items[] = {(char[]){"bad"}, (char[]){"good"}};
static const struct gg_text_list labels = {label_items, 2};

static int open_tokenizer(void **state) {
    (void)state;
    char *path = gg_format("%s/tests/golden/tokenizer_gpt2.json", getenv("GG_SOURCE"));
    CHECK_OK(gg_tokenizer_load(path, &tokenizer));
    free(path);
    gg_options_defaults(&gg_chat_setting_rows, &chat);
    return 0;
}

static int close_tokenizer(void **state) {
    (void)state;
    gg_options_free(&gg_chat_setting_rows, &chat);
    gg_tokenizer_destroy(&tokenizer);
    return 0;
}

/* The text of tokens; what is learned of it stands in [ ]. */
static char *spelled(const struct gg_learned_ids *list) {
    struct gg_text text = {0};
    for (size_t i = 0; i < list->ids.count; i++) {
        size_t bytes;
        const char *token = gg_token_bytes(tokenizer, list->ids.items[i], &bytes);
        const bool now = list->learned.bytes[i], before = i > 0 && list->learned.bytes[i - 1];
        if (now != before)
            CHECK_OK(gg_text_append(&text, now ? "[" : "]", 1));
        CHECK_OK(gg_text_append(&text, token, bytes));
    }
    CHECK_OK(gg_text_append(&text, "", 1));
    return text.bytes;
}

static gg_status read_line(enum gg_sample_form form, const char *task, const char *line,
                           struct gg_learned_ids *list, int32_t *label) {
    struct gg_chat_template template;
    struct gg_sample_reader reader = {form, task, tokenizer, NULL, &template, &labels};
    json_t *value;
    CHECK_OK(gg_encoder_create(tokenizer, &reader.encoder));
    CHECK_OK(gg_json_parse(line, strlen(line), &value));
    gg_chat_template_make(&chat, tokenizer, &template);
    const gg_status status = gg_sample_read(&reader, value, list, label);
    gg_chat_template_free(&template);
    json_decref(value);
    gg_encoder_destroy(&reader.encoder);
    return status;
}

static void expect(enum gg_sample_form form, const char *task, const char *line, const char *wanted,
                   int32_t label) {
    struct gg_learned_ids list = {0};
    int32_t told;
    CHECK_OK(read_line(form, task, line, &list, &told));
    char *text = spelled(&list);
    assert_string_equal(text, wanted);
    assert_int_equal(told, label);
    free(text);
    gg_learned_ids_free(&list);
}

static void forms(void **state) {
    (void)state;
    expect(GG_SAMPLE_PROMPT, NULL, "{\"prompt\": \"One and\", \"completion\": \" two\"}",
           "One and[ two<|endoftext|>", -1);
    expect(GG_SAMPLE_PROMPT, "count", "{\"prompt\": \"One and\", \"completion\": \" two\"}",
           "count\nOne and[ two<|endoftext|>", -1);
    expect(GG_SAMPLE_PROMPT, "count", "{\"prompt\": \"a\", \"completion\": \"b\", \"task\": \"spell\"}",
           "spell\na[b<|endoftext|>", -1);
    expect(GG_SAMPLE_TEXT, NULL, "{\"text\": \"The end\"}", "[The end<|endoftext|>", -1);
    expect(GG_SAMPLE_LABEL, NULL, "{\"text\": \"The end\", \"label\": \"good\"}", "[The end", 1);
    expect(GG_SAMPLE_LABEL, "judge", "{\"text\": \"The end\", \"label\": \"bad\"}", "[judge\nThe end", 0);
    expect(GG_SAMPLE_INSTRUCTION, NULL, "{\"instruction\": \"Add\", \"input\": \"1 2\", \"output\": \"3\"}",
           "### User:\nAdd\n\n1 2\n\n### Assistant:\n[3<|endoftext|>", -1);
    expect(GG_SAMPLE_INSTRUCTION, "sums", "{\"instruction\": \"Add\", \"output\": \"3\"}",
           "### User:\nsums\nAdd\n\n### Assistant:\n[3<|endoftext|>", -1);
}

static void conversations(void **state) {
    (void)state;
    expect(
        GG_SAMPLE_MESSAGES, "task",
        "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": \"Hi\"},"
        "{\"role\": \"assistant\", \"content\": \"Ho\"}, {\"role\": \"user\", \"content\": \"So?\"},"
        "{\"role\": \"assistant\", \"content\": \"So.\"}]}",
        "### System:\nBe brief.\n\n### User:\ntask\nHi\n\n### Assistant:\n[Ho<|endoftext|>]### User:\nSo?\n\n"
        "### Assistant:\n[So.<|endoftext|>",
        -1);
    /* A turn's text spells no special token, the template's does. */
    struct gg_learned_ids list = {0};
    int32_t label;
    CHECK_OK(read_line(GG_SAMPLE_MESSAGES, NULL,
                       "{\"messages\": [{\"role\": \"user\", \"content\": \"<|endoftext|>\"},"
                       "{\"role\": \"assistant\", \"content\": \"x\"}]}",
                       &list, &label));
    int ends = 0;
    for (size_t i = 0; i < list.ids.count; i++)
        ends += list.ids.items[i] == gg_tokenizer_end_of_text(tokenizer);
    assert_int_equal(ends, 1);
    gg_learned_ids_free(&list);
}

/* The template in Jinja, whose strings take an end of line for "\n" whatever it is. */
static void jinja(void **state) {
    (void)state;
    struct gg_chat_settings odd = {.turns = true,
                                   .begin = (char[]){"{end}"},
                                   .prefix = {(char[]){"a'\\"}, (char[]){"{{ \r\n\t%}"}, (char[]){""}},
                                   .suffix = {(char[]){"\r"}, (char[]){"\""}, (char[]){"\n{end}"}}};
    char *text = gg_chat_jinja(&odd, tokenizer);
    assert_string_equal(
        text, "{{ '<|endoftext|>' }}{% for message in messages %}"
              "{% if message['role'] == 'system' %}{{ 'a\\'\\\\' + message['content'] + '\\r' }}"
              "{% elif message['role'] == 'user' %}{{ '{{ \\r\\n\\t%}' + message['content'] + '\"' }}"
              "{% elif message['role'] == 'assistant' %}{{ '' + message['content'] + '\\n<|endoftext|>' }}"
              "{% else %}{{ raise_exception('a turn is system, user or assistant') }}{% endif %}{% endfor %}"
              "{% if add_generation_prompt %}{% endif %}");
    free(text);
}

static void refuse(enum gg_sample_form form, const char *line, const char *part) {
    struct gg_learned_ids list = {0};
    int32_t label;
    CHECK_FAILS(read_line(form, NULL, line, &list, &label), GG_BAD_DATA, part);
    gg_learned_ids_free(&list);
}

static void refused_lines(void **state) {
    (void)state;
    refuse(GG_SAMPLE_PROMPT, "{\"prompt\": \"a\"}", "has no \"completion\"");
    refuse(GG_SAMPLE_PROMPT, "{\"prompt\": 3, \"completion\": \"b\"}", "has no text in \"prompt\"");
    refuse(GG_SAMPLE_TEXT, "{\"text\": \"\"}", "empty \"text\"");
    refuse(GG_SAMPLE_LABEL, "{\"text\": \"a\", \"label\": \"goood\"}", "(\"good\" is one)");
    refuse(GG_SAMPLE_LABEL, "{\"text\": \"a\", \"label\": 1.5}", "no \"label\" that is a text or an integer");
    refuse(GG_SAMPLE_MESSAGES, "{\"messages\": []}", "no list of messages");
    refuse(GG_SAMPLE_MESSAGES, "{\"messages\": [{\"role\": \"tool\", \"content\": \"a\"}]}",
           "message 1: has the role \"tool\"");
    refuse(GG_SAMPLE_MESSAGES, "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}",
           "nothing to learn");
    refuse(GG_SAMPLE_TEXT, "{\"text\": \"a\", \"task\": 1}", "has no text in \"task\"");
    enum gg_sample_form form;
    json_t *value;
    CHECK_OK(gg_json_parse("{\"prompt\": \"a\"}", 15, &value));
    CHECK_FAILS(gg_sample_form_of(value, &form), GG_BAD_DATA, "the fields of no form");
    json_decref(value);
}

static char *files[] = {(char[]){"samples.jsonl"}};
static const struct gg_text_list paths = {files, 1};

static void write_file(const char *text) {
    FILE *out = fopen(files[0], "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

struct opened {
    struct gg_source source;
    struct gg_sample_facts facts;
};

static gg_status open_source(int form, int too_long, int64_t context, bool shuffle, double lm_weight,
                             struct opened *opened) {
    const struct gg_finetune_settings settings = {.form = form, .too_long = too_long};
    const struct gg_sample_request request = {&settings, &chat, &labels, tokenizer, 0};
    return gg_sample_source_open(&request, &paths, "data.train", context, 3, shuffle, lm_weight,
                                 &opened->source, &opened->facts);
}

/* Every token of a row belongs to a text that it can tell from its start; what counts is learned in the text itself. */
static void rows(void **state) {
    (void)state;
    enum { CONTEXT = 24, LINES = 40 };
    struct gg_text text = {0};
    for (int i = 0; i < LINES; i++) {
        char line[200];
        snprintf(line, sizeof line, "{\"prompt\": \"%.*s\", \"completion\": \" %d\"}\n\n", 1 + i % 17,
                 "abababababababababab", i);
        CHECK_OK(gg_text_append(&text, line, strlen(line)));
    }
    CHECK_OK(gg_text_append(&text, "", 1));
    write_file(text.bytes);
    gg_text_free(&text);
    struct opened o;
    CHECK_OK(open_source(GG_SAMPLE_PROMPT, GG_TOO_LONG_REFUSE, CONTEXT, true, 0, &o));
    assert_int_equal(o.facts.samples, LINES);
    assert_int_equal(o.facts.truncated, 0);
    assert_true(o.source.marked && o.source.samples == o.facts.rows && o.facts.rows < LINES);
    int32_t tokens[CONTEXT + 1], starts[CONTEXT], told[CONTEXT];
    float weights[CONTEXT], told_weights[CONTEXT];
    const struct gg_sample to = {tokens, {weights, starts, told, told_weights}};
    const uint32_t end = gg_tokenizer_end_of_text(tokenizer);
    int64_t ends[2] = {0, 0}, counted[2] = {0, 0}, row_sum[2] = {0, 0};
    for (uint64_t n = 0; n < 2 * (uint64_t)o.source.samples; n++) {
        const int epoch = n >= (uint64_t)o.source.samples;
        CHECK_OK(o.source.read(o.source.self, n, &to));
        for (int t = 0; t < CONTEXT; t++)
            row_sum[epoch] += (int64_t)(n % (uint64_t)o.source.samples + 1) * (t + 1) * tokens[t];
        for (int t = 0; t < CONTEXT; t++) {
            assert_true(starts[t] <= t && (t == 0 || starts[t] == starts[t - 1] || starts[t] == t));
            assert_true(told_weights[t] == 0 && told[t] == 0);
            if (weights[t] > 0) { /* the target belongs to the same text */
                assert_true(weights[t] == 1 && (t + 1 == CONTEXT || starts[t + 1] == starts[t]));
                ends[epoch] += tokens[t + 1] == (int32_t)end;
                counted[epoch]++;
            }
        }
    }
    assert_int_equal(ends[0], LINES); /* each completion ends once an epoch */
    assert_int_equal(ends[1], LINES);
    assert_int_equal(counted[0], counted[1]);
    assert_int_not_equal(row_sum[0], row_sum[1]); /* in another order */
    o.source.close(o.source.self);
    unlink(files[0]);
}

/* Classes stand at the last token of their text; its tokens share lm_weight. */
static void classes(void **state) {
    (void)state;
    enum { CONTEXT = 16 };
    write_file("{\"text\": \"a b c\", \"label\": \"good\"}\n{\"text\": \"x\", \"label\": \"bad\"}\n");
    struct opened o;
    CHECK_OK(open_source(GG_SAMPLE_LABEL, GG_TOO_LONG_REFUSE, CONTEXT, false, 0.5, &o));
    assert_int_equal(o.source.samples, 1);
    int32_t tokens[CONTEXT + 1], starts[CONTEXT], told[CONTEXT];
    float weights[CONTEXT], told_weights[CONTEXT];
    const struct gg_sample to = {tokens, {weights, starts, told, told_weights}};
    CHECK_OK(o.source.read(o.source.self, 0, &to));
    const int64_t longer = o.facts.tokens - 1; /* "x" is one token */
    float lm = 0;
    for (int t = 0; t < CONTEXT; t++) {
        assert_true(told_weights[t] == (t == longer - 1 || t == longer ? 1.0f : 0.0f));
        lm += weights[t];
    }
    assert_int_equal(told[longer - 1], 1);
    assert_int_equal(told[longer], 0);
    assert_true(fabsf(lm - 0.5f) < 1e-6f);
    o.source.close(o.source.self);
    unlink(files[0]);
}

/* A prompt loses its beginning; where that is not enough, the completion its end. */
static void too_long(void **state) {
    (void)state;
    enum { CONTEXT = 8 };
    write_file("{\"prompt\": \"a b c d e f g h i j k\", \"completion\": \" l m\"}\n");
    struct opened o;
    CHECK_FAILS(open_source(GG_SAMPLE_PROMPT, GG_TOO_LONG_REFUSE, CONTEXT, false, 0, &o), GG_BAD_DATA,
                "samples.jsonl: line 1: comes to");
    CHECK_OK(open_source(GG_SAMPLE_PROMPT, GG_TOO_LONG_TRUNCATE, CONTEXT, false, 0, &o));
    assert_int_equal(o.facts.truncated, 1);
    assert_int_equal(o.facts.tokens, CONTEXT + 1);
    int32_t tokens[CONTEXT + 1], starts[CONTEXT], told[CONTEXT];
    float weights[CONTEXT], told_weights[CONTEXT];
    const struct gg_sample to = {tokens, {weights, starts, told, told_weights}};
    CHECK_OK(o.source.read(o.source.self, 0, &to));
    assert_int_equal(tokens[CONTEXT], gg_tokenizer_end_of_text(tokenizer));
    assert_true(weights[CONTEXT - 1] == 1 && weights[0] == 0);
    o.source.close(o.source.self);
    write_file("{\"prompt\": \"a b\", \"completion\": \" c d e f g h i j k l m n o p\"}\n");
    CHECK_OK(open_source(GG_SAMPLE_PROMPT, GG_TOO_LONG_TRUNCATE, CONTEXT, false, 0, &o));
    CHECK_OK(o.source.read(o.source.self, 0, &to));
    assert_true(weights[0] == 1); /* one token of the prompt is left */
    assert_int_not_equal(tokens[CONTEXT], gg_tokenizer_end_of_text(tokenizer));
    o.source.close(o.source.self);
    unlink(files[0]);
}

static void refused_files(void **state) {
    (void)state;
    struct opened o;
    write_file("{\"text\": \"a\"}\n{\"prompt\": \"a\", \"completion\": \"b\"}\n");
    CHECK_FAILS(open_source(GG_SAMPLE_TEXT, GG_TOO_LONG_REFUSE, 16, false, 0, &o), GG_BAD_DATA,
                "samples.jsonl: line 2: is of the form prompt");
    write_file("{\"text\": \"a\"}\n{\"text\": \n");
    CHECK_FAILS(open_source(GG_SAMPLE_TEXT, GG_TOO_LONG_REFUSE, 16, false, 0, &o), GG_BAD_DATA,
                "samples.jsonl: line 2: is not JSON");
    write_file("\n  \n");
    CHECK_FAILS(open_source(GG_SAMPLE_TEXT, GG_TOO_LONG_REFUSE, 16, false, 0, &o), GG_BAD_DATA, "no sample");
    unlink(files[0]);
    CHECK_FAILS(open_source(GG_SAMPLE_TEXT, GG_TOO_LONG_REFUSE, 16, false, 0, &o), GG_STORAGE,
                "samples.jsonl");
}

/* The first line tells the form, and all lines the classes. */
static void examined(void **state) {
    (void)state;
    struct gg_text_list found = {0};
    int form = GG_SAMPLE_AUTO;
    write_file(
        "{\"text\": \"a\", \"label\": \"z\"}\n{\"text\": \"b\", \"label\": 7}\n{\"text\": \"c\", \"label\": \"z\"}\n");
    CHECK_OK(gg_sample_set_examine(&paths, "data.train", &form, &found));
    assert_int_equal(form, GG_SAMPLE_LABEL);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0], "7");
    assert_string_equal(found.items[1], "z");
    for (size_t i = 0; i < found.count; i++)
        free(found.items[i]);
    free(found.items);
    unlink(files[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),         cmocka_unit_test(conversations), cmocka_unit_test(jinja),
        cmocka_unit_test(refused_lines), cmocka_unit_test(rows),          cmocka_unit_test(classes),
        cmocka_unit_test(too_long),      cmocka_unit_test(examined),      cmocka_unit_test(refused_files),
    };
    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
