#include "io/corpus/input_rounds.h"

#include "core/base/memory.h"

#include <stdlib.h>

/* How many cuts there are of files before that one. */
static size_t cuts_before(const struct gg_corpus_split *split, int64_t file) {
    size_t low = 0, high = split->cut_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (split->cuts[middle].file < file)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void set_cuts(const struct gg_input_rounds *r, gg_document_reader *reader, size_t file) {
    const size_t first = cuts_before(r->split, (int64_t)file), end = cuts_before(r->split, (int64_t)file + 1);
    if (end > first)
        gg_document_reader_cut(reader, r->split->cuts + first, end - first);
}

/* Takes the next block off a plain file, or small ones. */
static void deal_plain(struct gg_input_rounds *r, struct gg_input_block *block) {
    const struct gg_input_file *files = r->files->items;
    const int64_t left = files[r->file].bytes - r->offset;
    *block = (struct gg_input_block){.file = r->file,
                                     .files = 1,
                                     .begin = r->offset,
                                     .end = files[r->file].bytes,
                                     .ranged = r->offset > 0 || left > GG_BLOCK_BYTES};
    if (left > GG_BLOCK_BYTES) {
        r->offset += GG_BLOCK_BYTES;
        r->position += GG_BLOCK_BYTES;
        block->end = r->offset;
        return;
    }
    r->position += left;
    r->file++;
    int64_t bytes = left;
    while (!block->ranged && r->file < r->files->count && !files[r->file].packed &&
           files[r->file].bytes <= GG_BLOCK_BYTES - bytes) {
        bytes += files[r->file].bytes;
        r->position += files[r->file].bytes;
        r->file++;
        block->files++;
    }
    r->offset = 0;
}

/* Fills a parcel from the packed file that this rank reads. */
static gg_status read_parcel(struct gg_input_rounds *r, struct gg_unit_parcel *parcel, bool *ended) {
    int64_t documents = r->fed_documents;
    while (!*ended && (int64_t)parcel->text.count < GG_BLOCK_BYTES) {
        struct gg_text_unit unit;
        bool more = false;
        GG_TRY(gg_document_reader_next(r->feed, &unit, &more));
        *ended = !more;
        if (!more && documents > 0)
            break;
        if (!more) /* a file without documents is shown by an empty unit */
            unit = (struct gg_text_unit){0};
        else
            documents = unit.document + 1;
        unit.document -= r->fed_documents;
        GG_TRY(gg_unit_parcel_add(parcel, &unit));
    }
    r->fed_documents = documents;
    return GG_OK;
}

/* Of the rank that reads: opens the file, and hands a block to each rank from `slot` on, an empty one where
 * there is none. */
static gg_status feed_ranks(struct gg_input_rounds *r, int slot, int64_t *blocks, bool *ended) {
    gg_status status = GG_OK;
    if (r->feed == NULL) {
        r->fed_documents = 0;
        status = gg_document_reader_open(r->files->items[r->file].path, r->format, &r->feed);
        if (status == GG_OK)
            set_cuts(r, r->feed, r->file);
    }
    struct gg_unit_parcel scratch = {0};
    for (int rank = slot; rank < r->world->size; rank++) {
        struct gg_unit_parcel *parcel = rank == r->world->rank ? &r->parcel : &scratch;
        gg_unit_parcel_clear(parcel);
        if (status == GG_OK && !*ended)
            status = read_parcel(r, parcel, ended);
        if (status != GG_OK)
            gg_unit_parcel_clear(parcel);
        *blocks += parcel->count > 0;
        if (rank != r->world->rank)
            gg_unit_parcel_send(parcel, rank, r->world->comm);
    }
    gg_unit_parcel_free(&scratch);
    *ended = *ended || status != GG_OK;
    return status;
}

/* Deals out blocks of the packed file that comes next, from rank `slot` on; all ranks learn how many. */
static gg_status deal_packed(struct gg_input_rounds *r, int *slot) {
    const int reads = (int)(r->file % (size_t)r->world->size), rank = r->world->rank;
    int64_t verdict[3] = {0}; /* blocks, whether the file ends, bytes of it read in this round */
    gg_status status = GG_OK;
    if (rank == reads) {
        bool ended = false;
        const int64_t before = r->feed != NULL ? gg_document_reader_position(r->feed) : 0;
        status = feed_ranks(r, *slot, &verdict[0], &ended);
        verdict[1] = ended;
        if (r->feed != NULL)
            verdict[2] = gg_document_reader_position(r->feed) - before;
        if (ended)
            gg_document_reader_close(&r->feed);
    } else if (rank >= *slot) {
        gg_unit_parcel_receive(&r->parcel, reads, r->world->comm);
    }
    MPI_Bcast(verdict, 3, MPI_INT64_T, reads, r->world->comm);
    for (int64_t i = 0; i < verdict[0]; i++)
        r->blocks[(*slot)++] = (struct gg_input_block){.file = r->file, .fed = true};
    r->position += verdict[2];
    r->file += verdict[1] != 0;
    return status;
}

static gg_status open_range(struct gg_input_rounds *r, size_t number, int64_t begin, int64_t end,
                            struct gg_range_summary *summary) {
    const struct gg_input_file *file = &r->files->items[number];
    GG_TRY(gg_document_range_open(file->path, r->format, file->bytes, begin, end, &r->reader, summary));
    set_cuts(r, r->reader, number);
    return GG_OK;
}

/* Every rank learns what the others' ranges are, and so what is before its own. */
static void share_summaries(struct gg_input_rounds *r, const struct gg_range_summary *own) {
    const size_t ranks = (size_t)r->world->size;
    struct gg_range_summary *all = gg_malloc(ranks * sizeof *all);
    const int bytes = (int)sizeof *own;
    MPI_Allgather(own, bytes, MPI_BYTE, all, bytes, MPI_BYTE, r->world->comm);
    for (size_t i = 0; i < ranks; i++) {
        if (!r->blocks[i].ranged)
            continue;
        if (r->blocks[i].begin == 0)
            r->before = (struct gg_range_summary){.open = -1};
        if ((int)i == r->world->rank)
            r->front = r->before;
        gg_range_summary_add(&r->before, &all[i]);
    }
    free(all);
}

gg_status gg_input_rounds_deal(struct gg_input_rounds *r, bool *ended) {
    if (r->blocks == NULL)
        r->blocks = gg_calloc((size_t)r->world->size, sizeof *r->blocks);
    for (int i = 0; i < r->world->size; i++)
        r->blocks[i] = (struct gg_input_block){0};
    gg_document_reader_close(&r->reader);
    r->documents = r->file_documents = 0;
    r->parcel_units = r->parcel_bytes = 0;
    gg_unit_parcel_clear(&r->parcel);
    gg_status status = GG_OK;
    for (int slot = 0; slot < r->world->size && r->file < r->files->count;) {
        if (!r->files->items[r->file].packed) {
            deal_plain(r, &r->blocks[slot++]);
            continue;
        }
        const gg_status dealt = deal_packed(r, &slot);
        status = status == GG_OK ? dealt : status;
    }
    *ended = r->file == r->files->count;
    const struct gg_input_block *mine = &r->blocks[r->world->rank];
    struct gg_range_summary summary = {0};
    if (status == GG_OK && mine->ranged)
        status = open_range(r, mine->file, mine->begin, mine->end, &summary);
    share_summaries(r, &summary);
    if (r->reader != NULL)
        gg_document_range_begin(r->reader, &r->front);
    return status;
}

static void next_fed(struct gg_input_rounds *r, struct gg_text_unit *unit, bool *more) {
    *more = r->parcel_units < r->parcel.count;
    if (!*more)
        return;
    *unit = r->parcel.units[r->parcel_units++];
    unit->bytes = r->parcel.text.bytes + r->parcel_bytes;
    r->parcel_bytes += unit->count;
}

/* Ends the file at hand; whether it has no document at all. */
static bool end_file(struct gg_input_rounds *r, struct gg_input_block *block) {
    const bool to_end = !block->ranged || block->end == r->files->items[block->file].bytes;
    const bool none = r->documents == r->file_documents && r->front.documents == 0;
    gg_document_reader_close(&r->reader);
    r->file_documents = r->documents;
    block->files--;
    block->file++;
    return to_end && none;
}

/* The next unit of the files that are read here. */
static gg_status next_read(struct gg_input_rounds *r, struct gg_input_block *block, struct gg_text_unit *unit,
                           size_t *file, bool *more) {
    *more = false;
    while (block->files > 0 && !*more) {
        *file = block->file;
        if (r->reader == NULL) {
            struct gg_range_summary whole;
            r->front = (struct gg_range_summary){.open = -1};
            GG_TRY(open_range(r, block->file, 0, r->files->items[block->file].bytes, &whole));
        }
        GG_TRY(gg_document_reader_next(r->reader, unit, more));
        if (*more) {
            unit->document += r->file_documents;
        } else if (end_file(r, block)) {
            *unit = (struct gg_text_unit){0};
            *more = true;
        }
    }
    return GG_OK;
}

gg_status gg_input_rounds_next(struct gg_input_rounds *r, struct gg_text_unit *unit, size_t *file,
                               bool *more) {
    struct gg_input_block *block = &r->blocks[r->world->rank];
    *file = block->file;
    if (block->fed)
        next_fed(r, unit, more);
    else
        GG_TRY(next_read(r, block, unit, file, more));
    if (*more && unit->count > 0 && unit->document >= r->documents)
        r->documents = unit->document + 1;
    return GG_OK;
}

void gg_input_rounds_end(struct gg_input_rounds *r) {
    gg_document_reader_close(&r->reader);
    gg_document_reader_close(&r->feed);
    gg_unit_parcel_free(&r->parcel);
    free(r->blocks);
    r->blocks = NULL;
}
