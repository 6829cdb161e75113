#include "io/huggingface/huggingface_shards.h"

#include "core/base/memory.h"
#include "io/huggingface/huggingface_names.h"

#include <jansson.h>
#include <stdlib.h>

static struct gg_safetensors_item make_item(const struct gg_parameter_table *table,
                                            const struct gg_parameter *p) {
    const bool turned = gg_huggingface_transposed(table, p);
    struct gg_safetensors_item item = {.name = p->name, .dimensions = p->dimensions};
    item.sizes[0] = p->dimensions == 1 || turned ? p->columns : p->rows;
    item.sizes[1] = turned ? p->rows : p->columns;
    return item;
}

void gg_huggingface_shards_make(const struct gg_parameter_table *table, enum gg_safetensors_type type,
                                int64_t shard_bytes, struct gg_huggingface_shards *shards) {
    *shards = (struct gg_huggingface_shards){0};
    shards->items = gg_malloc((size_t)table->count * sizeof *shards->items);
    shards->first = gg_malloc(((size_t)table->count + 1) * sizeof *shards->first);
    int64_t in_file = 0;
    for (int i = 0; i < table->count; i++) {
        shards->items[i] = make_item(table, &table->items[i]);
        const int64_t bytes = gg_safetensors_item_bytes(&shards->items[i], type);
        if (i == 0 || in_file + bytes > shard_bytes) {
            shards->first[shards->count++] = i;
            in_file = 0;
        }
        in_file += bytes;
        shards->bytes += bytes;
    }
    shards->first[shards->count] = table->count;
}

void gg_huggingface_shards_free(struct gg_huggingface_shards *shards) {
    free(shards->items);
    free(shards->first);
    *shards = (struct gg_huggingface_shards){0};
}

char *gg_huggingface_shard_name(const struct gg_huggingface_shards *shards, int file) {
    if (shards->count == 1)
        return gg_strdup("model.safetensors");
    return gg_format("model-%05d-of-%05d.safetensors", file + 1, shards->count);
}

char *gg_huggingface_shards_index(const struct gg_huggingface_shards *shards) {
    json_t *map = json_object();
    for (int f = 0; f < shards->count; f++) {
        char *name = gg_huggingface_shard_name(shards, f);
        for (int i = shards->first[f]; i < shards->first[f + 1]; i++)
            json_object_set_new(map, shards->items[i].name, json_string(name));
        free(name);
    }
    json_t *root =
        json_pack("{s:{s:I}, s:o}", "metadata", "total_size", (json_int_t)shards->bytes, "weight_map", map);
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    GG_ASSERT(text != NULL);
    return text;
}
