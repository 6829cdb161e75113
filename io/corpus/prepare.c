#include "io/corpus/prepare.h"

#include "core/base/memory.h"
#include "io/base/unit_stream.h"
#include "io/corpus/input_spool.h"

#include <stdlib.h>

enum { TAG_SIZES = 1, TAG_RECORDS, TAG_IDS };

/* A rank's state. */
struct preparation {
    const struct gg_world *world;
    const struct gg_prepare_spec *spec;
    struct gg_text_list paths;
    int64_t input_bytes;
    struct gg_corpus_split split;
    struct gg_unit_stream stream;
    struct gg_text_worker worker;
    struct gg_text_batch batch;
    gg_corpus_writer *writer; /* rank 0 */

    int64_t batches;    /* ended so far */
    size_t batch_bytes; /* of the batch under way */
    bool ended;
};

static void warn(const struct preparation *p, const char *path) {
    if (p->world->rank != 0 || p->spec->warn == NULL)
        return;
    char *message = gg_format("%s: holds no document", path);
    p->spec->warn(p->spec->context, message);
    free(message);
}

/* One round: as many batches as there are ranks are read, and this rank's one is worked on. */
static gg_status work_round(struct preparation *p) {
    const int64_t first = p->batches, mine = first + p->world->rank;
    p->batch.count = p->batch.ids.count = 0;
    while (p->batches < first + p->world->size) {
        struct gg_text_unit unit;
        const char *path = NULL;
        bool more = false;
        GG_TRY(gg_unit_stream_next(&p->stream, &unit, &path, &more));
        p->ended = !more;
        if (p->ended)
            return GG_OK;
        if (unit.count == 0) {
            warn(p, path);
            continue;
        }
        if (p->batches == mine)
            GG_TRY(gg_text_worker_add(&p->worker, path, &unit, unit.document, &p->batch));
        p->batch_bytes += unit.count;
        if (p->batch_bytes >= GG_UNIT_BYTES) {
            p->batch_bytes = 0;
            p->batches++;
        }
    }
    return GG_OK;
}

/* Ranks that do not read the same would wait for each other for ever. */
static gg_status check_same_input(const struct preparation *p) {
    const int64_t here[4] = {p->batches, p->stream.documents, gg_unit_stream_position(&p->stream), p->ended};
    int64_t both[8], largest[8];
    for (int i = 0; i < 4; i++) {
        both[i] = here[i];
        both[4 + i] = -here[i];
    }
    MPI_Allreduce(both, largest, 8, MPI_INT64_T, MPI_MAX, p->world->comm);
    for (int i = 0; i < 4; i++)
        if (largest[i] != -largest[4 + i])
            return gg_fail(GG_STORAGE, "the ranks do not read the same input: a file changed meanwhile, or "
                                       "not every node sees the same files");
    return GG_OK;
}

static gg_status write_batch(struct preparation *p, const struct gg_text_batch *batch) {
    const uint32_t *ids = batch->ids.items;
    for (size_t i = 0; i < batch->count; i++) {
        GG_TRY(gg_corpus_writer_add(p->writer, &batch->records[i], ids));
        ids += batch->records[i].tokens;
    }
    return GG_OK;
}

static void send_batch(const struct preparation *p) {
    const int64_t sizes[2] = {(int64_t)p->batch.count, (int64_t)p->batch.ids.count};
    MPI_Send(sizes, 2, MPI_INT64_T, 0, TAG_SIZES, p->world->comm);
    MPI_Send(p->batch.records, gg_int(sizes[0] * (int64_t)sizeof *p->batch.records), MPI_BYTE, 0, TAG_RECORDS,
             p->world->comm);
    MPI_Send(p->batch.ids.items, gg_int(sizes[1]), MPI_UINT32_T, 0, TAG_IDS, p->world->comm);
}

/* Rank 0 receives every batch, also when writing has failed: the others are sending. */
static gg_status receive_batch(struct preparation *p, int rank, struct gg_text_batch *batch) {
    int64_t sizes[2];
    MPI_Recv(sizes, 2, MPI_INT64_T, rank, TAG_SIZES, p->world->comm, MPI_STATUS_IGNORE);
    batch->count = (size_t)sizes[0];
    if (batch->capacity < batch->count) {
        batch->capacity = batch->count;
        batch->records = gg_realloc(batch->records, batch->capacity * sizeof *batch->records);
    }
    MPI_Recv(batch->records, gg_int(sizes[0] * (int64_t)sizeof *batch->records), MPI_BYTE, rank, TAG_RECORDS,
             p->world->comm, MPI_STATUS_IGNORE);
    batch->ids.count = 0;
    if (batch->ids.capacity < (size_t)sizes[1]) {
        batch->ids.capacity = (size_t)sizes[1];
        batch->ids.items = gg_realloc(batch->ids.items, batch->ids.capacity * sizeof *batch->ids.items);
    }
    MPI_Recv(batch->ids.items, gg_int(sizes[1]), MPI_UINT32_T, rank, TAG_IDS, p->world->comm,
             MPI_STATUS_IGNORE);
    batch->ids.count = (size_t)sizes[1];
    return GG_OK;
}

static gg_status write_round(struct preparation *p) {
    if (p->world->rank != 0) {
        send_batch(p);
        return GG_OK;
    }
    gg_status status = write_batch(p, &p->batch);
    struct gg_text_batch received = {0};
    for (int rank = 1; rank < p->world->size; rank++) {
        const gg_status got = receive_batch(p, rank, &received);
        if (status == GG_OK)
            status = got == GG_OK ? write_batch(p, &received) : got;
    }
    gg_text_batch_free(&received);
    if (p->spec->progress != NULL)
        p->spec->progress(p->spec->context, gg_unit_stream_position(&p->stream), p->input_bytes);
    return status;
}

/* Rank 0 finds the split and tells the others. */
static gg_status share_split(struct preparation *p) {
    gg_status status = GG_OK;
    if (p->world->rank == 0)
        status =
            gg_corpus_split_find(&p->paths, &p->spec->format, p->spec->validation, p->spec->seed, &p->split);
    GG_TRY(gg_agree(p->world->comm, status));
    struct {
        double threshold, tail;
        int64_t documents, cuts;
    } facts = {p->split.threshold, p->split.tail, p->split.documents, p->split.cut != NULL};
    MPI_Bcast(&facts, (int)sizeof facts, MPI_BYTE, 0, p->world->comm);
    if (p->world->rank != 0) {
        p->split = (struct gg_corpus_split){.seed = p->spec->seed,
                                            .threshold = facts.threshold,
                                            .tail = facts.tail,
                                            .documents = facts.documents};
        if (facts.cuts)
            p->split.cut = gg_malloc((size_t)facts.documents * sizeof *p->split.cut);
    }
    if (facts.cuts)
        MPI_Bcast(p->split.cut, gg_int(facts.documents), MPI_INT64_T, 0, p->world->comm);
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
                                          .overwrite = p->spec->overwrite};
    return gg_corpus_writer_create(&corpus, &p->writer);
}

static gg_status run(struct preparation *p, struct gg_corpus_counts *counts) {
    const struct gg_prepare_spec *spec = p->spec;
    GG_TRY(gg_agree(p->world->comm, create_writer(p)));
    GG_TRY(gg_input_spool(p->world, &spec->inputs, spec->folder, &p->paths, &p->input_bytes));
    GG_TRY(share_split(p));
    p->stream = (struct gg_unit_stream){.paths = &p->paths, .format = &spec->format, .split = &p->split};
    gg_status status =
        gg_text_worker_init(&p->worker, spec->tokenizer, &spec->rules, spec->format.field, p->split.tail);
    while (!p->ended) {
        if (status == GG_OK)
            status = work_round(p);
        GG_TRY(gg_agree(p->world->comm, status));
        GG_TRY(check_same_input(p));
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
    *input_bytes = p.input_bytes;
    gg_corpus_writer_destroy(&p.writer);
    gg_unit_stream_close(&p.stream);
    gg_text_worker_free(&p.worker);
    gg_text_batch_free(&p.batch);
    gg_input_spool_end(world, &spec->inputs, &p.paths);
    gg_corpus_split_free(&p.split);
    return status;
}
