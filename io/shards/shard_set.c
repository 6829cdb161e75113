#include "io/shards/shard_set.h"

#include "core/base/memory.h"
#include "io/base/file.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* The files found so far. */
struct finding {
    struct gg_text_list *paths;
    struct gg_file_identity *identities; /* (paths->count) */
    const char *origin;
};

/* Overlapping globs name a file twice, and that is all right. Two names of one file are a mistake: its text
 * would be trained on twice as often as the rest. */
static gg_status append_once(struct finding *found, const char *path) {
    struct gg_text_list *list = found->paths;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], path) == 0)
            return GG_OK;
    struct gg_file_identity identity;
    const gg_status status = gg_file_identify(path, &identity);
    if (status != GG_OK)
        return gg_fail_within(status, "%s", found->origin);
    for (size_t i = 0; i < list->count; i++)
        if (found->identities[i].device == identity.device && found->identities[i].inode == identity.inode)
            return gg_fail(GG_USAGE, "%s: '%s' and '%s' are the same file; name it once", found->origin,
                           list->items[i], path);
    list->items = gg_realloc(list->items, (list->count + 1) * sizeof *list->items);
    found->identities = gg_realloc(found->identities, (list->count + 1) * sizeof *found->identities);
    found->identities[list->count] = identity;
    list->items[list->count++] = gg_strdup(path);
    return GG_OK;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gg_status expand_one(const char *pattern, struct finding *paths) {
    if (gg_file_exists(pattern)) /* a name with [ or * in it is taken as it is */
        return append_once(paths, pattern);
    glob_t found;
    const int result = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (result == GLOB_NOMATCH)
        return gg_fail(GG_STORAGE, "%s: no file matches '%s'", paths->origin, pattern);
    if (result != 0)
        return gg_fail(GG_STORAGE, "%s: '%s' cannot be searched for", paths->origin, pattern);
    /* Sorted here: glob sorts by the locale. */
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_bytes);
    gg_status status = GG_OK;
    for (size_t i = 0; i < found.gl_pathc && status == GG_OK; i++)
        status = append_once(paths, found.gl_pathv[i]);
    globfree(&found);
    return status;
}

gg_status gg_shards_expand(const struct gg_text_list *patterns, struct gg_text_list *paths,
                           const char *origin) {
    if (patterns->count == 0)
        return gg_fail(GG_USAGE, "%s: no token shard is named; 'gridgpt prepare' makes them", origin);
    struct finding found = {.paths = paths, .origin = origin};
    gg_status status = GG_OK;
    for (size_t i = 0; i < patterns->count && status == GG_OK; i++)
        status = expand_one(patterns->items[i], &found);
    free(found.identities);
    if (status != GG_OK)
        gg_text_list_free(paths);
    return status;
}

static gg_status add_shard(struct gg_shard_set *set, const char *path) {
    gg_shard *shard = NULL;
    GG_TRY(gg_shard_open(path, &shard));
    set->shards[set->count++] = shard;
    const struct gg_shard_info *first = gg_shard_info(set->shards[0]), *info = gg_shard_info(shard);
    if (info->fingerprint != first->fingerprint || info->vocab != first->vocab)
        return gg_fail(GG_BAD_DATA,
                       "%s and %s were made with different tokenizers (%016llx of %lld ids, %016llx of %lld)",
                       first->path, path, (unsigned long long)first->fingerprint, (long long)first->vocab,
                       (unsigned long long)info->fingerprint, (long long)info->vocab);
    set->vocab = info->vocab;
    set->fingerprint = info->fingerprint;
    set->tokens += info->tokens;
    set->text_bytes += info->text_bytes;
    set->documents += info->documents;
    return GG_OK;
}

gg_status gg_shard_set_open(const struct gg_text_list *paths, struct gg_shard_set *set) {
    *set = (struct gg_shard_set){.shards = gg_calloc(paths->count + 1, sizeof *set->shards)};
    for (size_t i = 0; i < paths->count; i++) {
        const gg_status status = add_shard(set, paths->items[i]);
        if (status != GG_OK) {
            gg_shard_set_close(set);
            return status;
        }
    }
    return GG_OK;
}

void gg_shard_set_close(struct gg_shard_set *set) {
    for (int64_t i = 0; i < set->count; i++)
        gg_shard_close(&set->shards[i]);
    free(set->shards);
    *set = (struct gg_shard_set){0};
}
