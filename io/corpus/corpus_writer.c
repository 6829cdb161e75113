#include "io/corpus/corpus_writer.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/hash_set.h"
#include "io/shards/shard.h"
#include "io/tokenizer/tokenizer_file.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

static const char *const part_names[2] = {"train", "val"};

/* The shards of training or validation; all but perhaps the last are finished. */
struct part {
    gg_shard_writer **shards;
    size_t count;
    bool open; /* the last one takes more */
};

struct gg_corpus_writer {
    struct gg_corpus_spec spec;
    struct part parts[2];
    struct gg_hash_set seen;
    struct gg_corpus_counts counts;

    /* The document under way. */
    struct gg_text_batch held;
    int records;
    uint64_t hash[2];
    struct gg_text_record first;
    uint32_t *signature; /* owned; NULL where near duplicates are not looked for */
    gg_near_list *near;
    bool passing; /* too long to be held: what follows is written as it comes */
};

/* Applies `act` to each file of the folder whose name matches; returns how many. */
static size_t for_each_file(const char *folder, const char *pattern, void (*act)(const char *path)) {
    DIR *directory = opendir(folder);
    size_t count = 0;
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (fnmatch(pattern, entry->d_name, 0) != 0)
            continue;
        char *path = gg_format("%s/%s", folder, entry->d_name);
        act(path);
        free(path);
        count++;
    }
    if (directory != NULL)
        closedir(directory);
    return count;
}

static void remove_file(const char *path) {
    unlink(path);
}

static void only_count(const char *path) {
    (void)path;
}

static size_t hashes_of(const gg_corpus_writer *w) {
    return (size_t)w->spec.near.bands * (size_t)w->spec.near.rows;
}

gg_status gg_corpus_writer_create(const struct gg_corpus_spec *spec, gg_corpus_writer **writer) {
    *writer = NULL;
    GG_TRY(gg_folder_create(spec->folder));
    if (access(spec->folder, W_OK) != 0)
        return gg_fail(GG_STORAGE, "%s: cannot be written to: %s", spec->folder, strerror(errno));
    for (int i = 0; i < 2; i++) {
        char *pattern = gg_format("%s-*.h5", part_names[i]);
        const size_t there = for_each_file(spec->folder, pattern, only_count);
        char *temporary = gg_format("%s.tmp", pattern);
        for_each_file(spec->folder, temporary, remove_file);
        free(temporary);
        free(pattern);
        if (there > 0 && !spec->overwrite)
            return gg_fail(GG_USAGE, "%s holds %zu %s shards already; give --overwrite to replace them",
                           spec->folder, there, part_names[i]);
    }
    gg_near_list *near = NULL;
    if (spec->near.bands > 0)
        GG_TRY(gg_near_list_create(spec->folder, &spec->near, spec->inputs, &near));
    gg_corpus_writer *w = gg_calloc(1, sizeof *w);
    w->spec = *spec;
    w->near = near;
    if (near != NULL)
        w->signature = gg_malloc(hashes_of(w) * sizeof *w->signature);
    *writer = w;
    return GG_OK;
}

static gg_status open_shard(gg_corpus_writer *w, int which) {
    struct part *part = &w->parts[which];
    const gg_tokenizer *tokenizer = w->spec.tokenizer;
    const int64_t vocab = tokenizer != NULL ? gg_tokenizer_vocab(tokenizer) : w->spec.vocab;
    const struct gg_shard_spec spec = {.fingerprint = tokenizer != NULL ? gg_tokenizer_fingerprint(tokenizer)
                                                                        : gg_shard_ids_fingerprint(vocab),
                                       .vocab = vocab,
                                       .level = w->spec.level};
    char *path = gg_format("%s/%s-%05zu.h5", w->spec.folder, part_names[which], part->count);
    part->shards = gg_realloc(part->shards, (part->count + 1) * sizeof *part->shards);
    const gg_status status = gg_shard_writer_create(path, &spec, &part->shards[part->count]);
    free(path);
    if (status == GG_OK) {
        part->count++;
        part->open = true;
        w->counts.shards[which]++;
    }
    return status;
}

static gg_status close_shard(struct part *part) {
    if (!part->open)
        return GG_OK;
    part->open = false;
    return gg_shard_writer_finish(part->shards[part->count - 1]);
}

static gg_status write_record(gg_corpus_writer *w, const struct gg_text_record *record, const uint32_t *ids) {
    const bool first = (record->flags & GG_RECORD_FIRST) != 0;
    const int which =
        (record->flags & GG_RECORD_TAIL) != 0 || gg_corpus_split_validates(w->spec.split, record->document);
    struct part *part = &w->parts[which];
    if (!part->open)
        GG_TRY(open_shard(w, which));
    gg_shard_writer *shard = part->shards[part->count - 1];
    GG_TRY(gg_shard_writer_append(shard, ids, record->tokens, first, record->text_bytes));
    w->counts.documents[which] += first;
    w->counts.tokens[which] += record->tokens;
    w->counts.text_bytes[which] += record->text_bytes;
    for (int i = 0; i < GG_PII_KINDS; i++)
        w->counts.masked[i] += record->masked[i];
    return gg_shard_writer_tokens(shard) >= w->spec.shard_tokens ? close_shard(part) : GG_OK;
}

static gg_status write_held(gg_corpus_writer *w) {
    const uint32_t *ids = w->held.ids.items;
    for (size_t i = 0; i < w->held.count; i++) {
        GG_TRY(write_record(w, &w->held.records[i], ids));
        ids += w->held.records[i].tokens;
    }
    w->held.count = w->held.ids.count = 0;
    return GG_OK;
}

static gg_status hold(gg_corpus_writer *w, const struct gg_text_record *record, const uint32_t *ids) {
    struct gg_text_batch *held = &w->held;
    if (held->capacity == 0) {
        held->capacity = GG_HELD_RECORDS;
        held->records = gg_malloc(held->capacity * sizeof *held->records);
    }
    held->records[held->count++] = *record;
    GG_TRY(gg_ids_reserve(&held->ids, (size_t)record->tokens));
    memcpy(held->ids.items + held->ids.count, ids, (size_t)record->tokens * sizeof *ids);
    held->ids.count += (size_t)record->tokens;
    return GG_OK;
}

static void join_signature(gg_corpus_writer *w, const uint32_t *signature) {
    if (w->near != NULL && w->records == 0)
        memcpy(w->signature, signature, hashes_of(w) * sizeof *signature);
    else if (w->near != NULL)
        gg_minhash_join(w->signature, signature, (int)hashes_of(w));
}

/* The hash of a document of several records is the hash of the hash so far and the next record's. */
static void join_hash(gg_corpus_writer *w, const struct gg_text_record *record) {
    if (w->records == 0) {
        memcpy(w->hash, record->hash, sizeof w->hash);
        return;
    }
    const uint64_t both[4] = {w->hash[0], w->hash[1], record->hash[0], record->hash[1]};
    const XXH128_hash_t combined = XXH3_128bits(both, sizeof both);
    w->hash[0] = combined.low64;
    w->hash[1] = combined.high64;
}

/* Whether the document that has just ended was there before, or nearly. */
static gg_status look_for(gg_corpus_writer *w, bool *dropped) {
    *dropped = !gg_hash_set_add(&w->seen, w->hash);
    w->counts.duplicates += *dropped;
    if (*dropped || w->near == NULL)
        return GG_OK;
    GG_TRY(gg_near_list_check(w->near, &w->first, w->signature, dropped));
    w->counts.near_duplicates += *dropped;
    return GG_OK;
}

gg_status gg_corpus_writer_add(gg_corpus_writer *w, const struct gg_text_record *record, const uint32_t *ids,
                               const uint32_t *signature) {
    const bool last = (record->flags & GG_RECORD_LAST) != 0;
    if ((record->flags & GG_RECORD_FIRST) != 0) {
        w->records = 0;
        w->passing = false;
        w->first = *record;
    }
    join_hash(w, record);
    join_signature(w, signature);
    w->records++;
    if (w->spec.keep_duplicates || w->passing)
        return write_record(w, record, ids);
    if (!last) {
        GG_TRY(hold(w, record, ids));
        if (w->records < GG_HELD_RECORDS)
            return GG_OK;
        w->passing = true;
        return write_held(w);
    }
    bool dropped;
    GG_TRY(look_for(w, &dropped));
    if (dropped) {
        w->held.count = w->held.ids.count = 0;
        return GG_OK;
    }
    GG_TRY(write_held(w));
    return write_record(w, record, ids);
}

gg_status gg_corpus_writer_commit(gg_corpus_writer *w, struct gg_corpus_counts *counts) {
    for (int i = 0; i < 2; i++)
        GG_TRY(close_shard(&w->parts[i]));
    if (w->counts.tokens[0] == 0)
        return gg_fail(GG_BAD_DATA, "%s",
                       w->counts.tokens[1] > 0
                           ? "all of the input went to validation: lower --val or give more documents"
                       : w->spec.tokenizer != NULL ? "the input holds no text"
                                                   : "the input holds no ids");
    for (int i = 0; i < 2; i++) {
        char *pattern = gg_format("%s-*.h5", part_names[i]);
        for_each_file(w->spec.folder, pattern, remove_file);
        free(pattern);
    }
    for_each_file(w->spec.folder, GG_NEAR_LIST_NAME, remove_file);
    if (w->near != NULL)
        GG_TRY(gg_near_list_commit(w->near));
    char *tokenizer = gg_format("%s/tokenizer.json", w->spec.folder);
    gg_status status = w->spec.tokenizer != NULL ? gg_tokenizer_save(w->spec.tokenizer, tokenizer) : GG_OK;
    free(tokenizer);
    for (int i = 0; i < 2; i++)
        for (size_t s = 0; s < w->parts[i].count && status == GG_OK; s++)
            status = gg_shard_writer_commit(&w->parts[i].shards[s]);
    *counts = w->counts;
    return status;
}

void gg_corpus_writer_destroy(gg_corpus_writer **writer) {
    gg_corpus_writer *w = *writer;
    if (w == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        for (size_t s = 0; s < w->parts[i].count; s++)
            gg_shard_writer_destroy(&w->parts[i].shards[s]);
        free(w->parts[i].shards);
    }
    gg_near_list_destroy(&w->near);
    free(w->signature);
    gg_hash_set_free(&w->seen);
    gg_text_batch_free(&w->held);
    free(w);
    *writer = NULL;
}
