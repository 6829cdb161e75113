#include "core/base/settings.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *const optimizers[] = {"adamw", "sgd", NULL};
static const char *const schedules[] = {"cosine", "linear", "constant", "wsd", NULL};
static const char *const precisions[] = {"fp32", "bf16", NULL};
static const char *const recomputes[] = {"none", "attention", "block", NULL};
static const char *const fallbacks[] = {"none", "fp32", NULL};
static const char *const drivers[] = {"auto", "calls", "thread", NULL};

/* Model sizes by name; 0 layers: no preset. GPT: Radford et al. 2018; GPT-2: Radford et al. 2019, table 2;
 * GPT-3: Brown et al. 2020, table 2.1. */
static const struct preset {
    int64_t layers, heads, width, context, vocab;
} presets[] = {
    {0},
    {12, 12, 768, 512, 40478},
    {12, 12, 768, 1024, 50257},
    {24, 16, 1024, 1024, 50257},
    {36, 20, 1280, 1024, 50257},
    {48, 25, 1600, 1024, 50257},
    {12, 12, 768, 2048, 50257},
    {24, 16, 1024, 2048, 50257},
    {24, 16, 1536, 2048, 50257},
};
static const char *const preset_names[] = {"none",       "gpt1",       "gpt2-124m",  "gpt2-355m",
                                           "gpt2-774m",  "gpt2-1558m", "gpt3-small", "gpt3-medium",
                                           "gpt3-large", NULL};

#define AT(member) offsetof(struct gg_settings, member)
#define INTEGER(name, member, low, high, value, help)                                                        \
    { name, GG_OPTION_INTEGER, AT(member), low, high, value, NULL, NULL, help }
#define REAL(name, member, low, high, value, help)                                                           \
    { name, GG_OPTION_REAL, AT(member), low, high, value, NULL, NULL, help }
#define SWITCH(name, member, value, help)                                                                    \
    { name, GG_OPTION_FLAG, AT(member), 0, 0, value, NULL, NULL, help }
#define TEXT(name, member, value, help)                                                                      \
    { name, GG_OPTION_TEXT, AT(member), 0, 0, value, NULL, NULL, help }
#define LIST(name, member, help)                                                                             \
    { name, GG_OPTION_LIST, AT(member), 0, 0, NULL, NULL, NULL, help }
#define CHOICE(name, member, names, value, help)                                                             \
    { name, GG_OPTION_CHOICE, AT(member), 0, 0, value, names, NULL, help }
#define MANY 9e15

static const struct gg_option options[] = {
    CHOICE("model.preset", model.preset, preset_names, "none",
           "model sizes by name; the rest of model.* overrides"),
    INTEGER("model.layers", model.layers, 1, 1000, "6", "transformer blocks"),
    INTEGER("model.heads", model.heads, 1, 1024, "6", "attention heads; divides the width"),
    INTEGER("model.width", model.width, 1, 65536, "384", "features of the residual stream"),
    INTEGER("model.mlp_width", model.mlp_width, 0, 1048576, "0",
            "features inside the MLP; 0: four times the width"),
    INTEGER("model.context", model.context, 1, 1048576, "256",
            "tokens of a training sequence, and positions"),
    INTEGER("model.vocab", model.vocab, 0, 4194304, "0", "vocabulary; 0: the tokenizer's"),
    REAL("model.dropout", model.dropout, 0, 0.9, "0", "dropout of embeddings, attention and residuals"),
    LIST("data.train", data.train, "training shards: a path, a glob or a list"),
    LIST("data.val", data.val, "validation shards: a path, a glob or a list"),
    TEXT("data.tokenizer", data.tokenizer, NULL,
         "tokenizer; unset: tokenizer.json beside the first training shard"),
    INTEGER("data.seed", data.seed, 0, MANY, "1", "seed of the sample order"),
    INTEGER("batch.sequences", batch.sequences, 1, 1e9, "32",
            "sequences per optimizer step, over all replicas"),
    INTEGER("batch.micro", batch.micro, 1, 1e6, "8",
            "sequences a replica takes forward and backward at once"),
    CHOICE("optim.name", optim.name, optimizers, "adamw",
           "optimizer: AdamW, or SGD with Nesterov's momentum"),
    REAL("optim.lr", optim.lr, 0, 10, "6e-4", "peak learning rate"),
    REAL("optim.min_lr", optim.min_lr, 0, 10, "6e-5",
         "learning rate that the schedule ends at; unset: a tenth of optim.lr"),
    INTEGER("optim.warmup", optim.warmup, 0, MANY, "100", "steps of linear warm-up"),
    CHOICE("optim.schedule", optim.schedule, schedules, "cosine", "learning rate after the warm-up"),
    INTEGER("optim.decay", optim.decay, 0, MANY, "0",
            "steps of the final decay of wsd; 0: a fifth of run.steps"),
    REAL("optim.weight_decay", optim.weight_decay, 0, 10, "0.1",
         "decay of matrices (never of vectors); decoupled with adamw, added to the gradient with sgd"),
    REAL("optim.beta1", optim.beta1, 0, 0.999999, "0.9", "AdamW, first moment"),
    REAL("optim.beta2", optim.beta2, 0, 0.999999, "0.95", "AdamW, second moment"),
    REAL("optim.eps", optim.eps, 1e-20, 1, "1e-8", "AdamW, added to the root of the second moment"),
    REAL("optim.momentum", optim.momentum, 0, 0.999999, "0.9", "SGD, momentum"),
    REAL("optim.clip", optim.clip, 0, 1e9, "1", "largest global norm of the gradient; 0: never clipped"),
    TEXT("parallel.grid", parallel.grid, "1x1", "ranks of one replica: feature shards x token shards"),
    INTEGER("parallel.zero", parallel.zero, 0, 1, "0", "1: optimizer state is split over the replicas"),
    INTEGER("parallel.block", parallel.block, 1, 65536, "256",
            "PBLAS's logical block: how much of the inner index it takes at once"),
    CHOICE("parallel.progress", parallel.progress, drivers, "auto",
           "what drives the sum of gradients on: calls between kernels, or a thread; auto: a thread where a "
           "core is free"),
    CHOICE("compute.precision", compute.precision, precisions, "fp32",
           "matmuls and activations; sums, weights and the optimizer stay fp32"),
    CHOICE("compute.fallback", compute.fallback, fallbacks, "none",
           "instead of bf16, where a processor has none of it; none: refuse"),
    CHOICE("compute.recompute", compute.recompute, recomputes, "none",
           "activations made again in the backward pass, not kept: of attention, of whole blocks"),
    INTEGER("compute.threads", compute.threads, 0, 4096, "0", "threads per rank; 0: OMP_NUM_THREADS, else 1"),
    INTEGER("checkpoint.every_steps", checkpoint.every_steps, 0, MANY, "0",
            "steps between checkpoints; 0: at the end"),
    REAL("checkpoint.every_minutes", checkpoint.every_minutes, 0, 1e6, "0",
         "minutes between checkpoints; 0: not by time"),
    INTEGER("checkpoint.keep", checkpoint.keep, 1, 1e6, "3", "checkpoints kept; older ones are removed"),
    INTEGER("checkpoint.keep_every", checkpoint.keep_every, 0, MANY, "0",
            "checkpoints of every so many steps are kept for ever; 0: none"),
    SWITCH("checkpoint.async", checkpoint.async, "true",
           "write checkpoints behind the training; takes memory for a copy"),
    INTEGER("eval.every_steps", eval.every_steps, 0, MANY, "0",
            "steps between validations; 0: first and last step"),
    INTEGER("eval.sequences", eval.sequences, 0, MANY, "64", "validation sequences each time; 0: all"),
    TEXT("run.dir", run.dir, "run", "run folder"),
    INTEGER("run.seed", run.seed, 0, MANY, "1", "seed of initial weights and dropout"),
    INTEGER("run.steps", run.steps, 1, MANY, "1000", "optimizer steps"),
    INTEGER("run.max_bad_steps", run.max_bad_steps, 1, MANY, "10",
            "steps skipped in a row (loss or gradient not finite) that end the run"),
    SWITCH("run.restart", run.restart, "false",
           "begin again at step 0 when the run folder has checkpoints and none can be used"),
    REAL("run.max_minutes", run.max_minutes, 0, 1e7, "0",
         "stop with a checkpoint, to be started again, before so many minutes are over; 0: only a job's end "
         "counts"),
    INTEGER("run.watchdog", run.watchdog, 0, 1e6, "20",
            "abort when no step ends in so many times the median step; 0: never"),
    REAL("run.watchdog_minutes", run.watchdog_minutes, 0.01, 1e6, "10",
         "but not before so many minutes; start, validation and checkpoints get six times as many"),
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

const struct gg_option_table gg_settings_table = {"setting", "", options, OPTION_COUNT};

void gg_settings_init(struct gg_settings *settings) {
    memset(settings, 0, sizeof *settings);
    gg_options_defaults(&gg_settings_table, settings);
    settings->given = gg_calloc(OPTION_COUNT, sizeof *settings->given);
}

void gg_settings_free(struct gg_settings *settings) {
    gg_options_free(&gg_settings_table, settings);
    free(settings->given);
    settings->given = NULL;
}

gg_status gg_settings_set(struct gg_settings *settings, const char *name, const char *text,
                          const char *origin) {
    GG_TRY(gg_options_set(&gg_settings_table, settings, name, text, origin));
    settings->given[gg_options_find(&gg_settings_table, name) - options] = true;
    return GG_OK;
}

gg_status gg_settings_set_list(struct gg_settings *settings, const char *name, const char *const *items,
                               size_t count, const char *origin) {
    const struct gg_option *option = gg_options_find(&gg_settings_table, name);
    if (option == NULL) /* for the message with the nearest name */
        return gg_options_set(&gg_settings_table, settings, name, "", origin);
    if (option->type != GG_OPTION_LIST) {
        char allowed[512];
        gg_options_allowed(option, allowed, sizeof allowed);
        return gg_fail(GG_USAGE, "%s: setting %s takes no list; allowed: %s", origin, name, allowed);
    }
    gg_options_set_list(option, settings, items, count);
    settings->given[option - options] = true;
    return GG_OK;
}

static bool was_given(const struct gg_settings *settings, const char *name) {
    return settings->given[gg_options_find(&gg_settings_table, name) - options];
}

static void apply_preset(struct gg_settings *settings) {
    const struct preset *preset = &presets[settings->model.preset];
    if (preset->layers == 0)
        return;
    const struct {
        const char *name;
        int64_t *field, value;
    } fields[] = {
        {"model.layers", &settings->model.layers, preset->layers},
        {"model.heads", &settings->model.heads, preset->heads},
        {"model.width", &settings->model.width, preset->width},
        {"model.context", &settings->model.context, preset->context},
        {"model.vocab", &settings->model.vocab, preset->vocab},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!was_given(settings, fields[i].name))
            *fields[i].field = fields[i].value;
}

/* A tenth of the peak, to the 12 digits that a person would write. */
static double tenth(double lr) {
    char text[40];
    snprintf(text, sizeof text, "%.12g", lr / 10);
    return strtod(text, NULL);
}

gg_status gg_settings_resolve(struct gg_settings *s) {
    apply_preset(s);
    if (!was_given(s, "optim.min_lr"))
        s->optim.min_lr = tenth(s->optim.lr);
    if (s->model.width % s->model.heads != 0)
        return gg_fail(GG_USAGE, "model.heads %lld does not divide model.width %lld",
                       (long long)s->model.heads, (long long)s->model.width);
    if (s->batch.sequences % s->batch.micro != 0)
        return gg_fail(GG_USAGE, "batch.micro %lld does not divide batch.sequences %lld",
                       (long long)s->batch.micro, (long long)s->batch.sequences);
    if (s->optim.min_lr > s->optim.lr)
        return gg_fail(GG_USAGE, "optim.min_lr %g is above optim.lr %g", s->optim.min_lr, s->optim.lr);
    if (s->optim.schedule == GG_SCHEDULE_WSD && s->optim.decay == 0)
        s->optim.decay = s->run.steps / 5;
    if (s->optim.schedule == GG_SCHEDULE_WSD && s->optim.warmup > s->run.steps - s->optim.decay)
        return gg_fail(GG_USAGE,
                       "optim.warmup %lld and optim.decay %lld together are more than run.steps %lld",
                       (long long)s->optim.warmup, (long long)s->optim.decay, (long long)s->run.steps);
    if (s->run.dir == NULL)
        return gg_fail(GG_USAGE, "run.dir is empty; a folder is wanted");
    return GG_OK;
}

/* The code point of the character of three UTF-8 bytes at most that begins there, or 0. */
static unsigned short_character(const unsigned char *p) {
    if ((p[0] & 0xE0) == 0xC0 && (p[1] & 0xC0) == 0x80)
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    if ((p[0] & 0xF0) == 0xE0 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80)
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    return 0;
}

/* Whether YAML 1.1 takes the character for a line's end, or not at all (section 5.1). */
static bool wants_escape(unsigned code) {
    return (code >= 0x80 && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
           code >= 0xFFFE;
}

/* Text that grows. */
struct growing {
    char *text;
    size_t length, room;
};

static void put(struct growing *out, const char *text) {
    const size_t length = strlen(text);
    if (out->length + length + 1 > out->room) {
        out->room = 2 * (out->length + length + 1);
        out->text = gg_realloc(out->text, out->room);
    }
    memcpy(out->text + out->length, text, length + 1);
    out->length += length;
}

/* Writes text, which is UTF-8, as a YAML double-quoted scalar. */
static void put_quoted(struct growing *out, const char *text) {
    put(out, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        const unsigned code = short_character(p);
        char character[8];
        if (*p == '"' || *p == '\\') {
            snprintf(character, sizeof character, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            snprintf(character, sizeof character, "\\x%02x", *p);
        } else if (wants_escape(code)) {
            snprintf(character, sizeof character, "\\u%04x", code);
            p += code < 0x800 ? 1 : 2;
        } else {
            snprintf(character, sizeof character, "%c", *p);
        }
        put(out, character);
    }
    put(out, "\"");
}

static void put_value(struct growing *out, const struct gg_option *option,
                      const struct gg_settings *settings) {
    const void *field = (const char *)settings + option->offset;
    if (option->type == GG_OPTION_TEXT) {
        const char *text = *(char *const *)field;
        put_quoted(out, text != NULL ? text : "");
    } else if (option->type == GG_OPTION_LIST) {
        const struct gg_text_list *list = field;
        put(out, "[");
        for (size_t i = 0; i < list->count; i++) {
            put(out, i > 0 ? ", " : "");
            put_quoted(out, list->items[i]);
        }
        put(out, "]");
    } else {
        char text[64];
        gg_options_format(option, settings, text, sizeof text);
        put(out, text);
    }
}

char *gg_settings_yaml(const struct gg_settings *settings) {
    struct growing out = {0};
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        put(&out, options[i].name);
        put(&out, ": ");
        put_value(&out, &options[i], settings);
        put(&out, "\n");
    }
    return out.text;
}
