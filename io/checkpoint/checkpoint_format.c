#include "io/checkpoint/checkpoint_format_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int gg_checkpoint_group_count(const struct gg_optimizer_kind *optimizer) {
    return optimizer != NULL ? 1 + optimizer->state_count : 1;
}

struct gg_checkpoint_group gg_checkpoint_group_name(const struct gg_optimizer_kind *optimizer, int group) {
    struct gg_checkpoint_group result;
    if (group == 0)
        snprintf(result.name, sizeof result.name, "model");
    else
        snprintf(result.name, sizeof result.name, "optimizer/%s", optimizer->states[group - 1]);
    return result;
}

/* Whether a tensor is the first of its group: they stand group by group. */
static bool begins_group(const struct gg_checkpoint_contents *contents, int index) {
    return index == 0 || strcmp(contents->tensors[index].group, contents->tensors[index - 1].group) != 0;
}

int gg_checkpoint_state_count(const struct gg_checkpoint_contents *contents) {
    int groups = 0;
    for (int i = 0; i < contents->count; i++)
        groups += begins_group(contents, i);
    return groups > 0 ? groups - 1 : 0;
}

/* Whether the groups are those of a file with this optimizer, in its order. */
static bool has_states(const struct gg_checkpoint_contents *contents, const struct gg_optimizer_kind *kind) {
    int group = 0;
    for (int i = 0; i < contents->count; i++)
        if (begins_group(contents, i) &&
            (group >= gg_checkpoint_group_count(kind) ||
             strcmp(contents->tensors[i].group, gg_checkpoint_group_name(kind, group++).name) != 0))
            return false;
    return group == gg_checkpoint_group_count(kind);
}

const struct gg_optimizer_kind *gg_checkpoint_optimizer(const struct gg_checkpoint_contents *contents) {
    for (int i = 0; gg_optimizer_kinds[i] != NULL; i++)
        if (has_states(contents, gg_optimizer_kinds[i]))
            return gg_optimizer_kinds[i];
    return NULL;
}

#define FIELD(name, type)                                                                                    \
    { #name, type, offsetof(struct gg_checkpoint_meta, name) }
const struct gg_checkpoint_field gg_checkpoint_fields[] = {
    FIELD(step, GG_FIELD_INTEGER),
    FIELD(updates, GG_FIELD_INTEGER),
    FIELD(bad_steps, GG_FIELD_INTEGER),
    FIELD(consumed_samples, GG_FIELD_INTEGER),
    FIELD(consumed_tokens, GG_FIELD_INTEGER),
    FIELD(run_seed, GG_FIELD_INTEGER),
    FIELD(data_seed, GG_FIELD_INTEGER),
    FIELD(vocab, GG_FIELD_INTEGER),
    FIELD(data_fingerprint, GG_FIELD_HASH),
    FIELD(tokenizer_fingerprint, GG_FIELD_HASH),
    FIELD(train_loss, GG_FIELD_REAL),
    FIELD(val_loss, GG_FIELD_REAL),
    FIELD(train_seconds, GG_FIELD_REAL),
};
const int gg_checkpoint_field_count = sizeof gg_checkpoint_fields / sizeof *gg_checkpoint_fields;
const struct gg_checkpoint_field gg_checkpoint_compared_fields[] = {
    FIELD(best_step, GG_FIELD_INTEGER),
    FIELD(worse_validations, GG_FIELD_INTEGER),
    FIELD(best_loss, GG_FIELD_REAL),
};
const int gg_checkpoint_compared_field_count =
    sizeof gg_checkpoint_compared_fields / sizeof *gg_checkpoint_compared_fields;
const struct gg_checkpoint_field gg_checkpoint_reproducible_field = FIELD(reproducible, GG_FIELD_INTEGER);

hid_t gg_checkpoint_format_type(void) {
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, sizeof GG_CHECKPOINT_FORMAT - 1);
    return text;
}

hid_t gg_checkpoint_field_type(const struct gg_checkpoint_field *field, bool in_file) {
    switch (field->type) {
    case GG_FIELD_INTEGER:
        return in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64;
    case GG_FIELD_HASH:
        return in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64;
    case GG_FIELD_REAL:
        break;
    }
    return in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE;
}

static void hash_number(XXH3_state_t *state, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    XXH3_64bits_update(state, bytes, sizeof bytes);
}

static void hash_text(XXH3_state_t *state, const char *text, size_t bytes) {
    hash_number(state, bytes);
    if (bytes > 0)
        XXH3_64bits_update(state, text, bytes);
}

static void hash_tensor(XXH3_state_t *state, const struct gg_checkpoint_tensor *tensor) {
    hash_text(state, tensor->name, strlen(tensor->name));
    hash_number(state, (uint64_t)tensor->dimensions);
    hash_number(state, (uint64_t)tensor->rows);
    hash_number(state, (uint64_t)tensor->columns);
    hash_number(state, tensor->checksum);
}

static void hash_fields(XXH3_state_t *state, const struct gg_checkpoint_meta *meta,
                        const struct gg_checkpoint_field *fields, int count) {
    for (int i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, (const char *)meta + fields[i].offset, sizeof bits);
        hash_text(state, fields[i].name, strlen(fields[i].name));
        hash_number(state, bits);
    }
}

uint64_t gg_checkpoint_metadata_checksum(const struct gg_checkpoint_meta *meta,
                                         const struct gg_checkpoint_tensor *tensors, int count) {
    XXH3_state_t *state = XXH3_createState();
    GG_ASSERT(state != NULL);
    XXH3_64bits_reset(state);
    hash_number(state, GG_CHECKPOINT_VERSION);
    hash_fields(state, meta, gg_checkpoint_fields, gg_checkpoint_field_count);
    hash_text(state, meta->settings_yaml, strlen(meta->settings_yaml));
    hash_text(state, meta->tokenizer_json, meta->tokenizer_bytes);
    if (meta->base_path != NULL) { /* files without it have the checksum that they always had */
        hash_text(state, meta->base_path, strlen(meta->base_path));
        hash_number(state, meta->base_checksum);
    }
    if (meta->compared)
        hash_fields(state, meta, gg_checkpoint_compared_fields, gg_checkpoint_compared_field_count);
    if (meta->reproducible > 0)
        hash_fields(state, meta, &gg_checkpoint_reproducible_field, 1);
    hash_number(state, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        hash_text(state, tensors[i].group, strlen(tensors[i].group));
        hash_tensor(state, &tensors[i]);
    }
    const uint64_t checksum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return checksum;
}

uint64_t gg_checkpoint_weights_checksum(const struct gg_checkpoint_contents *contents) {
    XXH3_state_t *state = XXH3_createState();
    GG_ASSERT(state != NULL);
    XXH3_64bits_reset(state);
    for (int i = 0; i < contents->count; i++)
        if (strcmp(contents->tensors[i].group, "model") == 0)
            hash_tensor(state, &contents->tensors[i]);
    const uint64_t checksum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return checksum;
}

gg_status gg_checkpoint_check_whole(const char *path, const struct gg_checkpoint_meta *meta) {
    if (meta->base_path == NULL)
        return GG_OK;
    return gg_fail(GG_BAD_DATA,
                   "%s: holds adapters alone, of %s; gridgpt export %s --format checkpoint --out FILE makes "
                   "a whole checkpoint of both",
                   path, meta->base_path, path);
}

gg_status gg_checkpoint_check_base(const char *path, const struct gg_checkpoint_meta *adapters,
                                   const char *base_path, const struct gg_checkpoint_contents *base) {
    const uint64_t checksum = gg_checkpoint_weights_checksum(base);
    GG_TRY(gg_checkpoint_check_whole(base_path, &base->meta));
    if (checksum == adapters->base_checksum)
        return GG_OK;
    return gg_fail(GG_BAD_DATA,
                   "%s: its adapters stand beside weights of checksum %016llx, and those of %s have %016llx",
                   path, (unsigned long long)adapters->base_checksum, base_path,
                   (unsigned long long)checksum);
}

struct gg_checkpoint_tensor gg_checkpoint_describe(const struct gg_parameter *p, const char *group) {
    struct gg_checkpoint_tensor tensor;
    memset(&tensor, 0, sizeof tensor);
    snprintf(tensor.group, sizeof tensor.group, "%s", group);
    snprintf(tensor.name, sizeof tensor.name, "%s", p->name);
    tensor.rows = p->rows;
    tensor.columns = p->columns;
    tensor.dimensions = p->dimensions;
    return tensor;
}

void gg_checkpoint_meta_free(struct gg_checkpoint_meta *meta) {
    free(meta->settings_yaml);
    free(meta->tokenizer_json);
    free(meta->base_path);
    *meta = (struct gg_checkpoint_meta){0};
}

void gg_checkpoint_contents_free(struct gg_checkpoint_contents *contents) {
    gg_checkpoint_meta_free(&contents->meta);
    free(contents->tensors);
    *contents = (struct gg_checkpoint_contents){0};
}
