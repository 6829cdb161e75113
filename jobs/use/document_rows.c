#include "jobs/use/document_rows.h"

#include "core/base/memory.h"

#include <stdlib.h>

void gg_document_rows_make(const struct gg_replica *replica, const struct gg_documents *from, int64_t stride,
                           int64_t most, uint32_t before, struct gg_document_rows *rows) {
    const int64_t context = replica->graph.config.context;
    MPI_Comm world = replica->world->comm;
    *rows = (struct gg_document_rows){.documents = from != NULL ? from->count : 0,
                                      .context = context,
                                      .stride = stride,
                                      .before = (int32_t)before,
                                      .window = gg_calloc((size_t)context + 1, sizeof(int32_t))};
    if (from != NULL)
        rows->from = *from;
    MPI_Bcast(&rows->documents, 1, MPI_INT64_T, 0, world);
    rows->tokens = gg_calloc((size_t)rows->documents + 1, sizeof *rows->tokens);
    rows->first_row = gg_calloc((size_t)rows->documents + 1, sizeof *rows->first_row);
    for (int64_t d = 0; from != NULL && d < rows->documents; d++)
        rows->tokens[d] = from->tokens(from->self, d);
    MPI_Bcast(rows->tokens, gg_int(rows->documents), MPI_INT64_T, 0, world);
    for (int64_t d = 0; d < rows->documents; d++)
        rows->first_row[d + 1] = rows->first_row[d] + gg_window_count(rows->tokens[d], context, stride);
    rows->rows = rows->first_row[rows->documents];
    if (most > 0 && most < rows->rows)
        rows->rows = most;
}

void gg_document_rows_free(struct gg_document_rows *rows) {
    free(rows->tokens);
    free(rows->first_row);
    free(rows->window);
    *rows = (struct gg_document_rows){0};
}

int64_t gg_document_rows_locate(const struct gg_document_rows *rows, int64_t row, struct gg_window *window) {
    int64_t low = 0, high = rows->documents - 1;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (row < rows->first_row[middle + 1])
            high = middle;
        else
            low = middle + 1;
    }
    *window = gg_window_at(rows->tokens[low], rows->context, rows->stride, row - rows->first_row[low]);
    return low;
}

static gg_status read_row(void *self, int64_t row, struct gg_score_row *out) {
    struct gg_document_rows *rows = self;
    struct gg_window window;
    const int64_t document = gg_document_rows_locate(rows, row, &window);
    const int64_t outside = window.begin < 0 ? 1 : 0, first = window.begin + outside;
    rows->window[0] = rows->before;
    GG_TRY(rows->from.read(rows->from.self, document, first, window.end - first, rows->window + outside));
    *out = (struct gg_score_row){rows->window, window.end - window.begin, window.scored};
    return GG_OK;
}

struct gg_score_source gg_document_rows_source(struct gg_document_rows *rows) {
    return (struct gg_score_source){rows, rows->rows, read_row};
}
