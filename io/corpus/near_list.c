#include "io/corpus/near_list.h"

#include "core/base/memory.h"
#include "core/text/near_index.h"
#include "io/base/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a document is. */
struct place {
    int64_t document, line, offset;
    uint32_t file;
};

struct gg_near_list {
    const struct gg_text_list *inputs;
    gg_near_index *index;
    struct place *kept; /* of the index's texts */
    size_t count, capacity;
    char *path, *temporary;
    FILE *file;
};

gg_status gg_near_list_create(const char *folder, const struct gg_near_rules *rules,
                              const struct gg_text_list *inputs, gg_near_list **list) {
    gg_near_list *l = gg_calloc(1, sizeof *l);
    l->inputs = inputs;
    l->index = gg_near_index_create(rules->bands, rules->rows, rules->threshold);
    l->path = gg_format("%s/%s", folder, GG_NEAR_LIST_NAME);
    l->temporary = gg_format("%s.tmp", l->path);
    l->file = fopen(l->temporary, "w");
    gg_status status = GG_OK;
    if (l->file == NULL) {
        status = gg_fail(GG_STORAGE, "%s: cannot be written: %s", l->temporary, strerror(errno));
        gg_near_list_destroy(&l);
    }
    *list = l;
    return status;
}

/* A name that need not be UTF-8. */
static json_t *name_of(const char *name) {
    static const struct gg_clean_rules rules = {.replace_invalid = true, .keep_controls = true};
    struct gg_text clean = {0};
    size_t invalid_at;
    json_t *text = NULL;
    if (gg_clean(&rules, name, strlen(name), &clean, &invalid_at) == GG_OK)
        text = json_stringn(clean.bytes, clean.count);
    gg_text_free(&clean);
    return text;
}

static json_t *describe(const gg_near_list *l, const struct place *place) {
    const char *input = l->inputs->items[place->file];
    json_t *object = json_object();
    json_object_set_new(object, "document", json_integer(place->document));
    json_object_set_new(object, "file", name_of(strcmp(input, "-") == 0 ? "standard input" : input));
    if (place->line > 0)
        json_object_set_new(object, "line", json_integer(place->line));
    json_object_set_new(object, "offset", json_integer(place->offset));
    return object;
}

/* A failure to write shows when the list is committed. */
static void note(gg_near_list *l, const struct place *dropped, const struct place *kept, double similarity) {
    json_t *line = describe(l, dropped);
    json_object_set_new(line, "resembles", describe(l, kept));
    json_object_set_new(line, "similarity", json_real(similarity));
    json_dumpf(line, l->file, JSON_COMPACT | JSON_REAL_PRECISION(4) | JSON_ENSURE_ASCII);
    fputc('\n', l->file);
    json_decref(line);
}

gg_status gg_near_list_check(gg_near_list *l, const struct gg_text_record *first, const uint32_t *signature,
                             bool *dropped) {
    const struct place place = {first->document, first->line, first->offset, first->file};
    *dropped = false;
    if (gg_minhash_empty(signature))
        return GG_OK;
    double similarity;
    const int64_t found = gg_near_index_find(l->index, signature, &similarity);
    *dropped = found >= 0;
    if (*dropped) {
        note(l, &place, &l->kept[found], similarity);
        return GG_OK;
    }
    if (l->count == l->capacity) {
        l->capacity = l->capacity > 0 ? 2 * l->capacity : 256;
        l->kept = gg_realloc(l->kept, l->capacity * sizeof *l->kept);
    }
    l->kept[l->count++] = place;
    return gg_near_index_add(l->index, signature);
}

gg_status gg_near_list_commit(gg_near_list *l) {
    const bool written = ferror(l->file) == 0;
    const bool closed = fclose(l->file) == 0;
    l->file = NULL;
    if (!written || !closed)
        return gg_fail(GG_STORAGE, "%s: cannot be written: %s", l->temporary, strerror(errno));
    return gg_file_commit(l->temporary, l->path);
}

void gg_near_list_destroy(gg_near_list **list) {
    gg_near_list *l = *list;
    if (l == NULL)
        return;
    if (l->file != NULL)
        fclose(l->file);
    unlink(l->temporary);
    gg_near_index_destroy(&l->index);
    free(l->kept);
    free(l->temporary);
    free(l->path);
    free(l);
    *list = NULL;
}
