#include "io/corpus/corpus_split.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <math.h>
#include <stdlib.h>

struct lengths {
    struct gg_document_cut
        *items; /* `at`: bytes of the document; 0 for JSONL, whose text is cut where it is parsed */
    size_t count, capacity;
};

static void note_unit(struct lengths *lengths, size_t file, const struct gg_text_unit *unit) {
    if (unit->first) {
        if (lengths->count == lengths->capacity) {
            lengths->capacity = lengths->capacity > 0 ? 2 * lengths->capacity : 256;
            lengths->items = gg_realloc(lengths->items, lengths->capacity * sizeof *lengths->items);
        }
        lengths->items[lengths->count++] = (struct gg_document_cut){(int64_t)file, unit->offset, 0};
    }
    if (!unit->json)
        lengths->items[lengths->count - 1].at += (int64_t)unit->count;
}

/* Notes the only document of a file, if it is plain and has one; *only tells. */
static gg_status note_only(const struct gg_input_files *files, size_t file,
                           const struct gg_document_format *format, struct lengths *lengths, bool *only) {
    const struct gg_input_file *input = &files->items[file];
    gg_document_reader *reader = NULL;
    struct gg_range_summary summary;
    *only = false;
    if (input->packed || format->separator != NULL || gg_document_format_json(format, input->path))
        return GG_OK;
    GG_TRY(gg_document_range_open(input->path, format, input->bytes, 0, input->bytes, &reader, &summary));
    *only = true;
    if (summary.documents > 0)
        note_unit(lengths, file,
                  &(struct gg_text_unit){
                      .first = true, .offset = summary.open, .count = (size_t)(input->bytes - summary.open)});
    gg_document_reader_close(&reader);
    return GG_OK;
}

/* Counts the documents, and their bytes, until `enough` are seen. */
static gg_status count_documents(const struct gg_input_files *files, const struct gg_document_format *format,
                                 size_t enough, struct lengths *lengths) {
    for (size_t i = 0; i < files->count && lengths->count < enough; i++) {
        gg_document_reader *reader = NULL;
        bool only;
        GG_TRY(note_only(files, i, format, lengths, &only));
        if (only)
            continue;
        GG_TRY(gg_document_reader_open(files->items[i].path, format, &reader));
        gg_status status = GG_OK;
        for (bool more = true; more && lengths->count < enough && status == GG_OK;) {
            struct gg_text_unit unit;
            status = gg_document_reader_next(reader, &unit, &more);
            if (status == GG_OK && more)
                note_unit(lengths, i, &unit);
        }
        gg_document_reader_close(&reader);
        GG_TRY(status);
    }
    return GG_OK;
}

static double draw(uint64_t seed, int64_t document) {
    return gg_random_uniform(seed, GG_STREAM(GG_STREAM_SPLIT, 0), (uint64_t)document);
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The draw of rank `count` among the documents'. */
static double smallest_draws(uint64_t seed, int64_t documents, int64_t count) {
    double *draws = gg_malloc((size_t)documents * sizeof *draws);
    for (int64_t i = 0; i < documents; i++)
        draws[i] = draw(seed, i);
    qsort(draws, (size_t)documents, sizeof *draws, ascending);
    const double threshold = draws[count - 1];
    free(draws);
    return threshold;
}

gg_status gg_corpus_split_find(const struct gg_input_files *files, const struct gg_document_format *format,
                               double fraction, uint64_t seed, struct gg_corpus_split *split) {
    *split = (struct gg_corpus_split){.seed = seed, .threshold = -1};
    if (fraction == 0)
        return GG_OK;
    struct lengths lengths = {0};
    const gg_status status =
        count_documents(files, format, (size_t)gg_corpus_split_enough(fraction), &lengths);
    if (status == GG_OK)
        gg_corpus_split_choose((int64_t)lengths.count, fraction, seed, split);
    if (split->tail == 0) {
        free(lengths.items);
        return status;
    }
    split->cuts = lengths.items;
    split->cut_count = lengths.count;
    for (size_t i = 0; i < lengths.count; i++)
        split->cuts[i].at = (int64_t)((1 - fraction) * (double)lengths.items[i].at);
    return GG_OK;
}

int64_t gg_corpus_split_enough(double fraction) {
    const double many = ceil(20 / fraction);
    return many < (double)GG_SPLIT_MAX_COUNTED ? (int64_t)many : GG_SPLIT_MAX_COUNTED;
}

void gg_corpus_split_choose(int64_t documents, double fraction, uint64_t seed,
                            struct gg_corpus_split *split) {
    const int64_t wanted = (int64_t)floor((double)documents * fraction + 0.5);
    *split = (struct gg_corpus_split){.seed = seed, .threshold = -1};
    if (documents == 0 || fraction == 0)
        return;
    if (documents >= gg_corpus_split_enough(fraction))
        split->threshold = fraction;
    else if (wanted > 0)
        split->threshold = smallest_draws(seed, documents, wanted);
    else
        split->tail = fraction;
}

void gg_corpus_split_free(struct gg_corpus_split *split) {
    free(split->cuts);
    split->cuts = NULL;
}

bool gg_corpus_split_validates(const struct gg_corpus_split *split, int64_t document) {
    return split->threshold >= 0 && draw(split->seed, document) <= split->threshold;
}
