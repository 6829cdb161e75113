#include "io/corpus/prepare.h"

#include "core/base/memory.h"
#include "io/corpus/input_rounds.h"
#include "io/corpus/input_spool.h"

#include <stdlib.h>

enum { TAG_SIZES = 1, TAG_RECORDS, TAG_IDS, TAG_SIGNATURES };

/* A rank's state. */
struct preparation {
    const struct gg_world *world;
    const struct gg_prepare_spec *spec;
    struct gg_input_files files;
    struct gg_corpus_split split;
    struct gg_input_rounds rounds;
    struct gg_text_work work;
    struct gg_text_worker worker;
    struct gg_text_batch batch;
    gg_corpus_writer *writer; /* rank 0 */
    int64_t documents;        /* rank 0: that began in what was written */
    bool ended;
};

static void warn(const struct preparation *p, const char *path) {
    if (p->spec->warn == NULL)
        return;
    char *message = gg_format("%s: holds no document", path);
    p->spec->warn(p->spec->context, message);
    free(message);
}

/* One round: this rank reads its block and works on it. Collective; the status is the rank's own. */
static gg_status work_round(struct preparation *p) {
    p->batch.count = p->batch.ids.count = 0;
    p->batch.documents = 0;
    GG_TRY(gg_input_rounds_deal(&p->rounds, &p->ended));
    for (;;) {
        struct gg_text_unit unit;
        size_t file;
        bool more;
        GG_TRY(gg_input_rounds_next(&p->rounds, &unit, &file, &more));
        if (!more)
            break;
        if (unit.count == 0)
            gg_text_batch_add_none(&p->batch, file);
        else
            GG_TRY(gg_text_worker_add(&p->worker, p->files.items[file].path, file, &unit, &p->batch));
    }
    p->batch.documents = p->rounds.documents;
    return GG_OK;
}

static size_t hashes_of(const struct preparation *p) {
    return (size_t)p->work.near.bands * (size_t)p->work.near.rows;
}

static gg_status write_batch(struct preparation *p, const struct gg_text_batch *batch) {
    const uint32_t *ids = batch->ids.items;
    const size_t hashes = hashes_of(p);
    for (size_t i = 0; i < batch->count; i++) {
        struct gg_text_record record = batch->records[i];
        if ((record.flags & GG_RECORD_NONE) != 0) {
            warn(p, p->files.items[record.file].path);
            continue;
        }
        record.document += p->documents;
        GG_TRY(gg_corpus_writer_add(p->writer, &record, ids,
                                    hashes > 0 ? batch->signatures + i * hashes : NULL));
        ids += record.tokens;
    }
    p->documents += batch->documents;
    return GG_OK;
}

static void send_batch(const struct preparation *p) {
    const struct gg_text_batch *batch = &p->batch;
    const int64_t sizes[3] = {(int64_t)batch->count, (int64_t)batch->ids.count, batch->documents};
    MPI_Send(sizes, 3, MPI_INT64_T, 0, TAG_SIZES, p->world->comm);
    MPI_Send(batch->records, gg_int(sizes[0] * (int64_t)sizeof *batch->records), MPI_BYTE, 0, TAG_RECORDS,
             p->world->comm);
    MPI_Send(batch->ids.items, gg_int(sizes[1]), MPI_UINT32_T, 0, TAG_IDS, p->world->comm);
    MPI_Send(batch->signatures, gg_int(sizes[0] * (int64_t)hashes_of(p)), MPI_UINT32_T, 0, TAG_SIGNATURES,
             p->world->comm);
}

/* Makes room for a batch of so many records and tokens. */
static void make_room(struct gg_text_batch *batch, size_t hashes) {
    if (batch->capacity < batch->count) {
        batch->capacity = batch->count;
        batch->records = gg_realloc(batch->records, batch->capacity * sizeof *batch->records);
    }
    if (batch->ids.capacity < batch->ids.count) {
        batch->ids.capacity = batch->ids.count;
        batch->ids.items = gg_realloc(batch->ids.items, batch->ids.capacity * sizeof *batch->ids.items);
    }
    if (batch->signature_capacity < batch->count * hashes) {
        batch->signature_capacity = batch->count * hashes;
        batch->signatures =
            gg_realloc(batch->signatures, batch->signature_capacity * sizeof *batch->signatures);
    }
}

/* Rank 0 receives every batch, also when writing has failed: the others are sending. */
static void receive_batch(struct preparation *p, int rank, struct gg_text_batch *batch) {
    MPI_Comm comm = p->world->comm;
    int64_t sizes[3];
    MPI_Recv(sizes, 3, MPI_INT64_T, rank, TAG_SIZES, comm, MPI_STATUS_IGNORE);
    batch->count = (size_t)sizes[0];
    batch->ids.count = (size_t)sizes[1];
    batch->documents = sizes[2];
    make_room(batch, hashes_of(p));
    MPI_Recv(batch->records, gg_int(sizes[0] * (int64_t)sizeof *batch->records), MPI_BYTE, rank, TAG_RECORDS,
             comm, MPI_STATUS_IGNORE);
    MPI_Recv(batch->ids.items, gg_int(sizes[1]), MPI_UINT32_T, rank, TAG_IDS, comm, MPI_STATUS_IGNORE);
    MPI_Recv(batch->signatures, gg_int(sizes[0] * (int64_t)hashes_of(p)), MPI_UINT32_T, rank, TAG_SIGNATURES,
             comm, MPI_STATUS_IGNORE);
}

static gg_status write_round(struct preparation *p) {
    if (p->world->rank != 0) {
        send_batch(p);
        return GG_OK;
    }
    gg_status status = write_batch(p, &p->batch);
    struct gg_text_batch received = {0};
    for (int rank = 1; rank < p->world->size; rank++) {
        receive_batch(p, rank, &received);
        if (status == GG_OK)
            status = write_batch(p, &received);
    }
    gg_text_batch_free(&received);
    if (p->spec->progress != NULL)
        p->spec->progress(p->spec->context, p->rounds.position, p->files.bytes);
    return status;
}

/* Rank 0 finds the split and tells the others. */
static gg_status share_split(struct preparation *p) {
    gg_status status = GG_OK;
    if (p->world->rank == 0)
        status =
            gg_corpus_split_find(&p->files, &p->spec->format, p->spec->validation, p->spec->seed, &p->split);
    GG_TRY(gg_agree(p->world->comm, status));
    struct {
        double threshold, tail;
        int64_t cuts;
    } facts = {p->split.threshold, p->split.tail, (int64_t)p->split.cut_count};
    MPI_Bcast(&facts, (int)sizeof facts, MPI_BYTE, 0, p->world->comm);
    const size_t cuts = (size_t)facts.cuts;
    if (p->world->rank != 0)
        p->split = (struct gg_corpus_split){.seed = p->spec->seed,
                                            .threshold = facts.threshold,
                                            .tail = facts.tail,
                                            .cuts = gg_malloc((cuts + 1) * sizeof *p->split.cuts),
                                            .cut_count = cuts};
    MPI_Bcast(p->split.cuts, gg_int((int64_t)(cuts * sizeof *p->split.cuts)), MPI_BYTE, 0, p->world->comm);
    return GG_OK;
}

static gg_status create_writer(struct preparation *p) {
    if (p->world->rank != 0)
        return GG_OK;
    const struct gg_corpus_spec corpus = {.folder = p->spec->folder,
                                          .tokenizer = p->spec->tokenizer,
                                          .split = &p->split,
                                          .shard_tokens = p->spec->shard_tokens,
                                          .level = p->spec->level,
                                          .keep_duplicates = p->spec->keep_duplicates,
                                          .overwrite = p->spec->overwrite,
                                          .near = p->spec->near,
                                          .inputs = &p->spec->inputs};
    return gg_corpus_writer_create(&corpus, &p->writer);
}

static gg_status run(struct preparation *p, struct gg_corpus_counts *counts) {
    const struct gg_prepare_spec *spec = p->spec;
    GG_TRY(gg_agree(p->world->comm, create_writer(p)));
    GG_TRY(gg_input_spool(p->world, &spec->inputs, spec->folder, true, &p->files));
    GG_TRY(share_split(p));
    p->rounds = (struct gg_input_rounds){
        .world = p->world, .files = &p->files, .format = &spec->format, .split = &p->split};
    p->work = (struct gg_text_work){.tokenizer = spec->tokenizer,
                                    .rules = spec->rules,
                                    .field = spec->format.field,
                                    .tail = p->split.tail,
                                    .mask_pii = spec->mask_pii,
                                    .near = spec->near};
    gg_status status = gg_text_worker_init(&p->worker, &p->work);
    while (!p->ended) {
        /* The others read on while rank 0 writes: how that went shows a round later. */
        const gg_status worked = work_round(p);
        GG_TRY(gg_agree(p->world->comm, status == GG_OK ? worked : status));
        status = write_round(p);
    }
    if (status == GG_OK && p->world->rank == 0)
        status = gg_corpus_writer_commit(p->writer, counts);
    return gg_agree(p->world->comm, status);
}

gg_status gg_prepare(const struct gg_world *world, const struct gg_prepare_spec *spec,
                     struct gg_corpus_counts *counts, int64_t *input_bytes) {
    struct preparation p = {.world = world, .spec = spec};
    const gg_status status = run(&p, counts);
    *input_bytes = p.files.bytes;
    gg_corpus_writer_destroy(&p.writer);
    gg_input_rounds_end(&p.rounds);
    gg_text_worker_free(&p.worker);
    gg_text_batch_free(&p.batch);
    gg_input_spool_end(world, &spec->inputs, &p.files);
    gg_corpus_split_free(&p.split);
    return status;
}
