/* A checkpoint in words. */
#include "io/checkpoint/checkpoint.h"

#include "core/base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t elements(const struct gg_checkpoint_contents *contents, const char *group) {
    int64_t count = 0;
    for (int i = 0; i < contents->count; i++)
        if (strcmp(contents->tensors[i].group, group) == 0)
            count += contents->tensors[i].rows * contents->tensors[i].columns;
    return count;
}

static void print_progress(const struct gg_checkpoint_meta *meta, FILE *out) {
    fprintf(out, "  step         %" PRId64, meta->step);
    if (meta->updates != meta->step)
        fprintf(out, " (%" PRId64 " updates; %" PRId64 " steps were skipped, %" PRId64 " of them last)",
                meta->updates, meta->step - meta->updates, meta->bad_steps);
    fprintf(out, "\n  seen         %" PRId64 " tokens, %" PRId64 " sequences, %.0f seconds of training\n",
            meta->consumed_tokens, meta->consumed_samples, meta->train_seconds);
    fprintf(out, "  loss         ");
    fprintf(out, isnan(meta->train_loss) ? "not measured in training, " : "%.4f in training, ",
            meta->train_loss);
    fprintf(out, isnan(meta->val_loss) ? "not measured in validation\n" : "%.4f in validation\n",
            meta->val_loss);
    if (meta->compared && isfinite(meta->best_loss))
        fprintf(out,
                "  best         %.4f in validation at step %" PRId64 "; %" PRId64
                " without a better one since\n",
                meta->best_loss, meta->best_step, meta->worse_validations);
    if (meta->reproducible > 0)
        fprintf(out, "  reproducible on any number of replicas that divides %" PRId64 "\n",
                meta->reproducible);
}

/* The optimizer by its name, and the states that are there. */
static void print_optimizer(const struct gg_checkpoint_contents *contents, FILE *out) {
    const struct gg_optimizer_kind *kind = gg_checkpoint_optimizer(contents);
    if (gg_checkpoint_state_count(contents) == 0) {
        fprintf(out, "  optimizer    none: weights only\n");
        return;
    }
    fprintf(out, "  optimizer    %s (", kind != NULL ? kind->name : "not known to this version");
    const char *before = "model", *comma = "";
    for (int i = 0; i < contents->count; i++) {
        const char *group = contents->tensors[i].group, *state = strchr(group, '/');
        if (state != NULL && strcmp(group, before) != 0) {
            fprintf(out, "%s%s", comma, state + 1);
            comma = ", ";
        }
        before = group;
    }
    fprintf(out, kind != NULL ? "): training can go on\n" : ")\n");
}

/* One line per tensor; `good` NULL: not verified. Those that do not fit are printed in any case. */
static void print_tensors(const struct gg_checkpoint_contents *contents, const bool *good, bool all,
                          FILE *out) {
    for (int i = 0; i < contents->count; i++) {
        const struct gg_checkpoint_tensor *t = &contents->tensors[i];
        if (!all && (good == NULL || good[i]))
            continue;
        char shape[48], name[sizeof t->group + sizeof t->name];
        snprintf(name, sizeof name, "%s/%s", t->group, t->name);
        if (t->dimensions == 2)
            snprintf(shape, sizeof shape, "%" PRId64 " x %" PRId64, t->rows, t->columns);
        else
            snprintf(shape, sizeof shape, "%" PRId64, t->columns);
        fprintf(out, "    %-60s %16s  %016" PRIx64 "%s\n", name, shape, t->checksum,
                good == NULL ? ""
                : good[i]    ? "  ok"
                             : "  BAD");
    }
}

/* As gg_checkpoint_examine; damaged bookkeeping is told before anything that might come of it. */
static gg_status examine(const char *path, bool verify, struct gg_checkpoint_contents *contents) {
    GG_TRY(gg_checkpoint_examine(path, contents));
    const gg_status status = verify ? gg_checkpoint_verify_bookkeeping(path) : GG_OK;
    if (status != GG_OK)
        gg_checkpoint_contents_free(contents);
    return status;
}

gg_status gg_checkpoint_print(const char *path, bool verify, bool tensors,
                              gg_checkpoint_print_model *print_model, FILE *out) {
    struct gg_checkpoint_contents contents;
    GG_TRY(examine(path, verify, &contents));
    const struct gg_checkpoint_meta *meta = &contents.meta;
    fprintf(out, "%s: checkpoint, format version %d\n", path, GG_CHECKPOINT_VERSION);
    print_progress(meta, out);
    print_optimizer(&contents, out);
    fprintf(out, "  tokenizer    %016" PRIx64 ", vocabulary of %" PRId64 ", %s\n",
            meta->tokenizer_fingerprint, meta->vocab,
            meta->tokenizer_bytes > 0 ? "enclosed" : "not enclosed");
    fprintf(out, "  data         %016" PRIx64 "\n", meta->data_fingerprint);
    if (meta->base_path == NULL)
        fprintf(out, "  weights      %016" PRIx64 "\n", gg_checkpoint_weights_checksum(&contents));
    else
        fprintf(out, "  weights      adapters alone, beside the frozen weights %016" PRIx64 " of %s\n",
                meta->base_checksum, meta->base_path);
    fprintf(out, "  seeds        run %" PRId64 ", data %" PRId64 "\n", meta->run_seed, meta->data_seed);
    fprintf(out, "  file         %" PRId64 " bytes, %d tensors\n", contents.file_bytes, contents.count);
    print_model(meta, elements(&contents, "model"), out);

    bool *good = verify ? gg_calloc((size_t)contents.count + 1, sizeof *good) : NULL;
    const gg_status status = verify ? gg_checkpoint_verify(path, &contents, good) : GG_OK;
    const bool listed = status == GG_OK || status == GG_BAD_DATA;
    if (tensors || status == GG_BAD_DATA)
        fprintf(out, "  %s\n", tensors ? "tensors, with their checksums" : "damaged tensors");
    if (listed)
        print_tensors(&contents, good, tensors, out);
    if (verify && status == GG_OK)
        fprintf(out, "  verified     every checksum matches\n");
    free(good);
    gg_checkpoint_contents_free(&contents);
    return status;
}
