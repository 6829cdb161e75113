#include "io/corpus/ids_prepare.h"

#include "core/base/memory.h"
#include "io/corpus/ids_split.h"
#include "io/corpus/input_spool.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TAG_SIZES = 1, TAG_RECORDS, TAG_IDS };

/* A rank's state. */
struct preparation {
    const struct gg_world *world;
    const struct gg_ids_prepare_spec *spec;
    struct gg_input_files files;
    struct gg_corpus_split split;
    struct gg_ids_cut *cuts;
    size_t cut_count;
    gg_corpus_writer *writer; /* rank 0 */

    /* The block that comes next; the same on every rank. */
    size_t file;
    int64_t at, done_bytes;
    struct gg_ids_place place;

    struct gg_ids_block block; /* this rank's */
    bool has_block;
    struct gg_text_batch batch;
};

/* Deals the round's blocks out, and reads this rank's. Local, and the same on every rank but for the reading.
 *   firsts [out] (ranks) whether a rank's block is the first of its file
 *   count  [out] how many ranks have one */
static gg_status read_round(struct preparation *p, bool *firsts, int *count) {
    const int64_t width = gg_ids_width(p->spec->format.form);
    const int64_t step = width > 1 ? GG_IDS_PIECE * width : GG_IDS_BLOCK_BYTES;
    p->has_block = false;
    for (*count = 0; *count < p->world->size && p->file < p->files.count;) {
        const int64_t all = p->files.items[p->file].bytes, end = p->at + step < all ? p->at + step : all;
        if (p->at < all) {
            firsts[*count] = p->at == 0;
            if (*count == p->world->rank) {
                p->block.file = (int64_t)p->file;
                p->block.path = p->files.items[p->file].path;
                p->block.file_bytes = all;
                p->block.begin = p->at;
                p->block.end = end;
                p->has_block = true;
            }
            p->done_bytes += end - p->at;
            (*count)++;
        }
        p->at = end;
        if (end == all) {
            p->file++;
            p->at = 0;
        }
    }
    return p->has_block ? gg_ids_block_read(&p->block) : GG_OK;
}

/* What begins in each rank's block; afterwards this rank knows what is before its own.
 *   before [out] that */
static void share_places(struct preparation *p, const bool *firsts, int count, struct gg_ids_place *before) {
    const struct gg_ids_block *b = &p->block;
    const int64_t mine[3] = {p->has_block ? b->documents : 0, p->has_block ? b->lines : 0,
                             p->has_block && b->start_count > 0 ? b->starts[b->start_count - 1] : -1};
    int64_t *all = gg_malloc((size_t)p->world->size * sizeof mine);
    MPI_Allgather(mine, 3, MPI_INT64_T, all, 3, MPI_INT64_T, p->world->comm);
    for (int r = 0; r < count; r++) {
        if (firsts[r])
            p->place = (struct gg_ids_place){.documents = p->place.documents, .open = -1};
        if (r == p->world->rank)
            *before = p->place;
        p->place.documents += all[3 * r];
        p->place.lines += all[3 * r + 1];
        if (all[3 * r + 2] >= 0)
            p->place.open = all[3 * r + 2];
    }
    free(all);
}

static gg_status work_round(struct preparation *p, const bool *firsts, int count) {
    struct gg_ids_place before = {0};
    share_places(p, firsts, count, &before);
    p->batch.count = p->batch.ids.count = 0;
    return p->has_block ? gg_ids_block_take(&p->block, &before, p->split.tail, &p->batch) : GG_OK;
}

static gg_status write_batch(struct preparation *p, const struct gg_text_batch *batch) {
    const uint32_t *ids = batch->ids.items;
    for (size_t i = 0; i < batch->count; i++) {
        GG_TRY(gg_corpus_writer_add(p->writer, &batch->records[i], ids, NULL));
        ids += batch->records[i].tokens;
    }
    return GG_OK;
}

static void send_batch(const struct preparation *p) {
    const int64_t sizes[2] = {(int64_t)p->batch.count, (int64_t)p->batch.ids.count};
    MPI_Comm comm = p->world->comm;
    MPI_Send(sizes, 2, MPI_INT64_T, 0, TAG_SIZES, comm);
    MPI_Send(p->batch.records, gg_int(sizes[0] * (int64_t)sizeof *p->batch.records), MPI_BYTE, 0, TAG_RECORDS,
             comm);
    MPI_Send(p->batch.ids.items, gg_int(sizes[1]), MPI_UINT32_T, 0, TAG_IDS, comm);
}

static void receive_batch(const struct preparation *p, int rank, struct gg_text_batch *batch) {
    MPI_Comm comm = p->world->comm;
    int64_t sizes[2];
    MPI_Recv(sizes, 2, MPI_INT64_T, rank, TAG_SIZES, comm, MPI_STATUS_IGNORE);
    batch->count = (size_t)sizes[0];
    batch->ids.count = (size_t)sizes[1];
    batch->records = gg_realloc(batch->records, (batch->count + 1) * sizeof *batch->records);
    batch->ids.items = gg_realloc(batch->ids.items, (batch->ids.count + 1) * sizeof *batch->ids.items);
    MPI_Recv(batch->records, gg_int(sizes[0] * (int64_t)sizeof *batch->records), MPI_BYTE, rank, TAG_RECORDS,
             comm, MPI_STATUS_IGNORE);
    MPI_Recv(batch->ids.items, gg_int(sizes[1]), MPI_UINT32_T, rank, TAG_IDS, comm, MPI_STATUS_IGNORE);
}

/* Rank 0 receives every batch, also when writing has failed: the others are sending. */
static gg_status write_round(struct preparation *p, int count) {
    if (p->world->rank != 0) {
        if (p->has_block)
            send_batch(p);
        return GG_OK;
    }
    gg_status status = write_batch(p, &p->batch);
    struct gg_text_batch received = {0};
    for (int rank = 1; rank < count; rank++) {
        receive_batch(p, rank, &received);
        if (status == GG_OK)
            status = write_batch(p, &received);
    }
    gg_text_batch_free(&received);
    if (p->spec->progress != NULL)
        p->spec->progress(p->spec->context, p->done_bytes, p->files.bytes);
    return status;
}

/* Rank 0: whether the files are whole ids, as they are. */
static gg_status check_files(const struct preparation *p) {
    const int64_t width = gg_ids_width(p->spec->format.form);
    for (size_t i = 0; i < p->files.count; i++) {
        const struct gg_input_file *file = &p->files.items[i];
        if (file->bytes % width != 0)
            return gg_fail(GG_BAD_DATA,
                           "%s: %" PRId64 " bytes are no whole number of ids of %" PRId64 " bytes",
                           file->path, file->bytes, width);
        if (file->packed)
            return gg_fail(
                GG_BAD_DATA,
                "%s: is packed; ids are read as they are: unpack it, or pass it on by a pipe (zstd -dc, "
                "gzip -dc) to standard input",
                file->path);
    }
    return GG_OK;
}

/* Rank 0 looks at the files, and tells the others how they are split. */
static gg_status share_split(struct preparation *p) {
    const struct gg_ids_prepare_spec *spec = p->spec;
    gg_status status = GG_OK;
    if (p->world->rank == 0) {
        status = check_files(p);
        if (status == GG_OK)
            status = gg_ids_split_find(&p->files, &spec->format, spec->validation, spec->seed, &p->split,
                                       &p->cuts, &p->cut_count);
    }
    GG_TRY(gg_agree(p->world->comm, status));
    struct {
        double threshold, tail;
        int64_t cuts;
    } facts = {p->split.threshold, p->split.tail, (int64_t)p->cut_count};
    MPI_Bcast(&facts, (int)sizeof facts, MPI_BYTE, 0, p->world->comm);
    if (p->world->rank != 0) {
        p->split =
            (struct gg_corpus_split){.seed = spec->seed, .threshold = facts.threshold, .tail = facts.tail};
        p->cut_count = (size_t)facts.cuts;
        p->cuts = gg_malloc((p->cut_count + 1) * sizeof *p->cuts);
    }
    MPI_Bcast(p->cuts, gg_int(facts.cuts * (int64_t)sizeof *p->cuts), MPI_BYTE, 0, p->world->comm);
    return GG_OK;
}

static gg_status create_writer(struct preparation *p) {
    const struct gg_ids_prepare_spec *spec = p->spec;
    if (p->world->rank != 0)
        return GG_OK;
    const struct gg_corpus_spec corpus = {.folder = spec->folder,
                                          .vocab = spec->format.vocab,
                                          .split = &p->split,
                                          .shard_tokens = spec->shard_tokens,
                                          .level = spec->level,
                                          .keep_duplicates = spec->keep_duplicates,
                                          .overwrite = spec->overwrite};
    return gg_corpus_writer_create(&corpus, &p->writer);
}

static gg_status run(struct preparation *p, struct gg_corpus_counts *counts) {
    const struct gg_ids_prepare_spec *spec = p->spec;
    GG_TRY(gg_agree(p->world->comm, create_writer(p)));
    GG_TRY(
        gg_input_spool(p->world, &spec->inputs, spec->folder, spec->format.form == GG_IDS_JSONL, &p->files));
    GG_TRY(share_split(p));
    p->block.format = &spec->format;
    p->block.cuts = p->cuts;
    p->block.cut_count = p->cut_count;
    bool *firsts = gg_calloc((size_t)p->world->size, sizeof *firsts);
    gg_status status = GG_OK;
    while (p->file < p->files.count) {
        int count;
        const gg_status was_read = read_round(p, firsts, &count);
        status = gg_agree(p->world->comm, status == GG_OK ? was_read : status);
        if (status == GG_OK)
            status = gg_agree(p->world->comm, work_round(p, firsts, count));
        if (status != GG_OK)
            break;
        status = write_round(p, count);
    }
    free(firsts);
    if (status == GG_OK && p->world->rank == 0)
        status = gg_corpus_writer_commit(p->writer, counts);
    return gg_agree(p->world->comm, status);
}

gg_status gg_ids_prepare(const struct gg_world *world, const struct gg_ids_prepare_spec *spec,
                         struct gg_corpus_counts *counts, int64_t *input_bytes) {
    struct preparation p = {.world = world, .spec = spec};
    const gg_status status = run(&p, counts);
    *input_bytes = p.files.bytes;
    gg_corpus_writer_destroy(&p.writer);
    gg_ids_block_free(&p.block);
    gg_text_batch_free(&p.batch);
    gg_input_spool_end(world, &spec->inputs, &p.files);
    free(p.cuts);
    return status;
}
