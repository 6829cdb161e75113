/* The settings of a run: one table of name, type, range, default and help, and the struct it fills.
 * All local.
 */
#ifndef GG_CORE_BASE_SETTINGS_H
#define GG_CORE_BASE_SETTINGS_H

#include "core/base/options.h"
#include "core/base/precision.h"

enum gg_optim { GG_OPTIM_ADAMW, GG_OPTIM_SGD };
enum gg_schedule { GG_SCHEDULE_COSINE, GG_SCHEDULE_LINEAR, GG_SCHEDULE_CONSTANT, GG_SCHEDULE_WSD };
enum gg_fallback { GG_FALLBACK_NONE, GG_FALLBACK_FP32 };
enum gg_driver { GG_DRIVER_AUTO, GG_DRIVER_CALLS, GG_DRIVER_THREAD };

/* Activations that are made again in the backward pass instead of kept from the forward pass. */
enum gg_recompute {
    GG_RECOMPUTE_NONE,
    GG_RECOMPUTE_ATTENTION, /* norm, queries, keys and values, attention's output */
    GG_RECOMPUTE_BLOCK,     /* all of a block but the stream into it */
};

struct gg_settings {
    struct {
        int preset; /* index into the presets; 0: none */
        int64_t layers, heads, width, context;
        int64_t mlp_width; /* 0: four times the width */
        int64_t vocab;     /* 0: the tokenizer's */
        double dropout;
    } model;
    struct {
        struct gg_text_list train, val;
        char *tokenizer; /* NULL: tokenizer.json beside the first training shard */
        int64_t seed;
    } data;
    struct {
        int64_t sequences, micro;
    } batch;
    struct {
        double lr, min_lr;
        int64_t warmup, decay;
        int name;     /* enum gg_optim */
        int schedule; /* enum gg_schedule */
        double weight_decay, beta1, beta2, eps, momentum, clip;
    } optim;
    struct {
        char *grid; /* "PxQ" */
        int64_t zero, block;
        int progress; /* enum gg_driver: of the sum of gradients over replicas */
    } parallel;
    struct {
        int precision; /* enum gg_precision */
        int fallback;  /* enum gg_fallback: where the processor has no bf16 */
        int recompute; /* enum gg_recompute */
        int64_t threads;
    } compute;
    struct {
        int64_t every_steps;
        double every_minutes;
        int64_t keep, keep_every;
        bool async;
    } checkpoint;
    struct {
        int64_t every_steps, sequences;
    } eval;
    struct {
        char *dir;
        int64_t seed, steps;
        int64_t max_bad_steps;
        bool restart;
        double max_minutes;
        int64_t watchdog;
        double watchdog_minutes;
    } run;
    bool *given; /* per option of the table: set from a file or the command line, not by default; owned */
};

/* The one table. */
extern const struct gg_option_table gg_settings_table;

/* Fills in the defaults. Free with gg_settings_free. */
void gg_settings_init(struct gg_settings *settings);
void gg_settings_free(struct gg_settings *settings);

/* Sets one and notes that it was given; errors as gg_options_set. */
gg_status gg_settings_set(struct gg_settings *settings, const char *name, const char *text,
                          const char *origin) GG_MUST_USE;

/* Sets a list to `count` copies of `items` and notes that it was given. GG_USAGE: unknown name, or a setting
 * that is no list. */
gg_status gg_settings_set_list(struct gg_settings *settings, const char *name, const char *const *items,
                               size_t count, const char *origin) GG_MUST_USE;

/* Fills in what follows from others and was not given (a preset's sizes, the final learning rate, the length
 * of wsd's decay), then checks what can be checked from the settings alone: heads divide the width,
 * micro-batches make up the batch, learning rates and phases of the schedule are in order ... GG_USAGE with
 * the settings' names. */
gg_status gg_settings_resolve(struct gg_settings *settings) GG_MUST_USE;

/* Writes all settings, whose texts must be UTF-8, as YAML, one dotted name a line, that reads back to the
 * same settings. Returns a string owned by the caller. */
char *gg_settings_yaml(const struct gg_settings *settings);

#endif
