#include "io/huggingface/huggingface_names.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head_name[] = "lm_head.weight";

bool gg_huggingface_is_linear(const struct gg_parameter_table *table) {
    return gg_parameter_find(table, "model.embed_tokens.weight") >= 0;
}

bool gg_huggingface_transposed(const struct gg_parameter_table *table, const struct gg_parameter *p) {
    return p->layout == GG_LAYOUT_MATRIX && gg_huggingface_is_linear(table);
}

/* The prefix of the names of all tensors but the head. */
static const char *prefix_of(const struct gg_parameter_table *table) {
    return gg_huggingface_is_linear(table) ? "model." : "transformer.";
}

/* A name without the prefix, if it has it. */
static const char *without(const char *prefix, const char *name) {
    const size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 ? name + length : name;
}

/* Whether the folder's names lack the prefix: it was saved from the model without its head. */
static bool is_bare(const struct gg_parameter_table *table, const struct gg_safetensors *set) {
    const char *first = table->items[0].name;
    return gg_safetensors_find(set, first) == NULL &&
           gg_safetensors_find(set, without(prefix_of(table), first)) != NULL;
}

static void print_shape(char *text, size_t bytes, const int64_t *sizes, int dimensions) {
    size_t length = (size_t)snprintf(text, bytes, "%s", dimensions == 0 ? "a scalar" : "");
    for (int i = 0; i < dimensions && length < bytes; i++)
        length += (size_t)snprintf(text + length, bytes - length, "%s%lld", i > 0 ? " x " : "",
                                   (long long)sizes[i]);
}

/* The sizes of a tensor as Hugging Face has it. */
static void their_sizes(const struct gg_parameter_table *table, const struct gg_parameter *p,
                        int64_t sizes[2]) {
    const bool turned = gg_huggingface_transposed(table, p);
    sizes[0] = p->dimensions == 1 || turned ? p->columns : p->rows;
    sizes[1] = turned ? p->rows : p->columns;
}

static gg_status check_tensor(const struct gg_parameter_table *table, const struct gg_parameter *p,
                              const struct gg_safetensors *set, const struct gg_safetensors_tensor *t) {
    int64_t wanted[2];
    their_sizes(table, p, wanted);
    bool good = t->dimensions == p->dimensions;
    for (int i = 0; good && i < t->dimensions; i++)
        good = t->sizes[i] == wanted[i];
    if (!good) {
        char there[100], here[100];
        print_shape(there, sizeof there, t->sizes, t->dimensions);
        print_shape(here, sizeof here, wanted, p->dimensions);
        return gg_fail(GG_BAD_DATA, "%s: tensor %.100s is %s, and by config.json it is %s",
                       set->paths[t->file], t->name, there, here);
    }
    if (t->type >= GG_SAFETENSORS_READABLE)
        return gg_fail(GG_BAD_DATA, "%s: tensor %.100s is of dtype %s; F32, F16 and BF16 are read",
                       set->paths[t->file], t->name, t->type_name);
    return GG_OK;
}

/* Whether a name is that of a buffer which old versions of transformers saved beside the weights: masks and
 * numbers of positions, which follow from the configuration. */
static bool is_buffer(const struct gg_parameter_table *table, const char *name) {
    static const char *const conv[] = {"attn.bias", "attn.masked_bias", NULL};
    static const char *const linear[] = {"self_attn.rotary_emb.inv_freq", NULL};
    const bool is_linear = gg_huggingface_is_linear(table);
    const char *rest = without(prefix_of(table), name), *layers = is_linear ? "layers." : "h.";
    if (!is_linear && strcmp(rest, "position_ids") == 0)
        return true;
    if (strncmp(rest, layers, strlen(layers)) != 0)
        return false;
    rest += strlen(layers);
    const size_t digits = strspn(rest, "0123456789");
    if (digits == 0 || rest[digits] != '.')
        return false;
    for (const char *const *ending = is_linear ? linear : conv; *ending != NULL; ending++)
        if (strcmp(rest + digits + 1, *ending) == 0)
            return true;
    return false;
}

static int by_address(const void *a, const void *b) {
    const struct gg_safetensors_tensor *x = *(const struct gg_safetensors_tensor *const *)a,
                                       *y = *(const struct gg_safetensors_tensor *const *)b;
    return (x > y) - (x < y);
}

/* What the folder holds beside the model's tensors. */
static gg_status check_others(const struct gg_parameter_table *table, const struct gg_safetensors *set,
                              const struct gg_safetensors_tensor *const *tensors,
                              const struct gg_safetensors_tensor **head) {
    const struct gg_safetensors_tensor **taken = gg_malloc((size_t)table->count * sizeof *taken);
    memcpy(taken, tensors, (size_t)table->count * sizeof *taken);
    qsort(taken, (size_t)table->count, sizeof *taken, by_address);
    gg_status status = GG_OK;
    *head = NULL;
    for (int i = 0; status == GG_OK && i < set->count; i++) {
        const struct gg_safetensors_tensor *t = &set->tensors[i];
        if (bsearch(&t, taken, (size_t)table->count, sizeof *taken, by_address) != NULL ||
            is_buffer(table, t->name))
            continue;
        if (strcmp(t->name, head_name) == 0)
            *head = t;
        else
            status = gg_fail(GG_BAD_DATA, "%s: tensor %.100s is none of the model that config.json describes",
                             set->paths[t->file], t->name);
    }
    free(taken);
    return status;
}

gg_status gg_huggingface_match(const struct gg_parameter_table *table, const struct gg_safetensors *set,
                               const struct gg_safetensors_tensor **tensors,
                               const struct gg_safetensors_tensor **head) {
    const bool bare = is_bare(table, set);
    for (int i = 0; i < table->count; i++) {
        const struct gg_parameter *p = &table->items[i];
        const char *name = bare ? without(prefix_of(table), p->name) : p->name;
        tensors[i] = gg_safetensors_find(set, name);
        if (tensors[i] == NULL)
            return gg_fail(GG_BAD_DATA, "%s: tensor %s, which config.json calls for, is missing",
                           set->path_count == 1 ? set->paths[0] : "the shards", name);
        GG_TRY(check_tensor(table, p, set, tensors[i]));
    }
    GG_TRY(check_others(table, set, tensors, head));
    /* The head's copy has the embedding's shape, the first tensor's. */
    return *head != NULL ? check_tensor(table, &table->items[0], set, *head) : GG_OK;
}
