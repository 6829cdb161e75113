#include "io/huggingface/gguf_export.h"

#include "core/base/memory.h"
#include "io/huggingface/gguf_architecture.h"
#include "io/huggingface/gguf_tokenizer.h"
#include "io/huggingface/gguf_writer.h"
#include "io/huggingface/transposition.h"
#include "io/tokenizer/tokenizer_file.h"

#include <stdlib.h>
#include <string.h>

enum { STRETCH = 1 << 20 /* elements that are turned over at once */ };

/* Version of the quantized types' layout (GGML_QNT_VERSION). */
enum { QUANTIZATION_VERSION = 2 };

/* Of general.file_type (llama_ftype in llama.h). */
static uint32_t file_type(enum gg_gguf_type type) {
    switch (type) {
    case GG_GGUF_F32:
        return 0;
    case GG_GGUF_F16:
        return 1;
    case GG_GGUF_Q8_0:
        return 7;
    case GG_GGUF_BF16:
        return 32;
    }
    return 0;
}

static bool is_positions(const struct gg_parameter *p) {
    return strcmp(p->name, "transformer.wpe.weight") == 0;
}

static bool is_head_wise(const struct gg_gguf_architecture *architecture, const struct gg_parameter *p) {
    return architecture->paired_heads &&
           (strstr(p->name, ".q_proj.") != NULL || strstr(p->name, ".k_proj.") != NULL);
}

/* A matrix's rows and columns there: maps are turned over. */
static int64_t their_columns(const struct gg_parameter *p) {
    return p->layout == GG_LAYOUT_MATRIX ? p->rows : p->columns;
}

static enum gg_gguf_type type_of(const struct gg_gguf_export *e, const struct gg_parameter *p) {
    if (p->dimensions == 1 || is_positions(p))
        return GG_GGUF_F32;
    return e->type == GG_GGUF_Q8_0 && their_columns(p) % GG_GGUF_BLOCK != 0 ? GG_GGUF_F16 : e->type;
}

/* The file's name without its folder and ending; owned by the caller. */
static char *model_name(const char *file) {
    const char *slash = strrchr(file, '/'), *begin = slash != NULL ? slash + 1 : file;
    const char *ending = strstr(begin, ".gguf");
    return gg_strndup(begin, ending != NULL && ending > begin ? (size_t)(ending - begin) : strlen(begin));
}

static gg_status put_header(const struct gg_gguf_export *e, const struct gg_gguf_architecture *architecture,
                            const gg_tokenizer *tokenizer, const char *file, gg_gguf_writer *writer) {
    char *name = model_name(file);
    gg_gguf_put_model(writer, architecture, e->settings);
    gg_gguf_put_text(writer, "general.type", "model");
    gg_gguf_put_text(writer, "general.name", name);
    gg_gguf_put_uint32(writer, "general.file_type", file_type(e->type));
    gg_gguf_put_uint32(writer, "general.quantization_version", QUANTIZATION_VERSION);
    free(name);
    GG_TRY(gg_gguf_put_tokenizer(writer, tokenizer, e->settings->vocab, e->chat));
    for (int i = 0; i < e->table->count; i++) {
        const struct gg_parameter *p = &e->table->items[i];
        const int64_t columns = their_columns(p);
        char theirs[GG_GGUF_NAME_BYTES];
        gg_gguf_tensor_name(p->name, theirs);
        gg_gguf_add_tensor(writer, theirs, p->dimensions, p->rows * p->columns / columns, columns,
                           type_of(e, p));
    }
    return gg_gguf_writer_begin(writer);
}

/* What is taken once for all tensors. */
struct room {
    float *values; /* the largest tensor */
    float *turned; /* rows of theirs */
};

/* How many rows of theirs are turned over at once: whole heads where their order changes. */
static int64_t rows_at_once(const struct gg_gguf_export *e, const struct gg_parameter *p, bool head_wise) {
    const int64_t unit = head_wise ? gg_model_head_size(e->settings) : 1;
    return p->rows * unit < STRETCH ? STRETCH / (p->rows * unit) * unit : unit;
}

static gg_status take_room(const struct gg_gguf_export *e, const struct gg_gguf_architecture *architecture,
                           struct room *room) {
    int64_t values = 1, turned = 1;
    for (int i = 0; i < e->table->count; i++) {
        const struct gg_parameter *p = &e->table->items[i];
        const int64_t rows = rows_at_once(e, p, is_head_wise(architecture, p));
        values = p->rows * p->columns > values ? p->rows * p->columns : values;
        turned = p->layout == GG_LAYOUT_MATRIX && rows * p->rows > turned ? rows * p->rows : turned;
    }
    void *memory;
    GG_TRY(gg_try_malloc((size_t)values * sizeof(float), "the largest tensor", &memory));
    room->values = memory;
    GG_TRY(gg_try_malloc((size_t)turned * sizeof(float), "rows of a tensor", &memory));
    room->turned = memory;
    return GG_OK;
}

/* Writes a matrix (in, out) as one of (out, in). */
static gg_status write_transposed(const struct gg_gguf_export *e, const struct gg_parameter *p,
                                  bool head_wise, const struct room *room, gg_gguf_writer *writer) {
    const int64_t most = rows_at_once(e, p, head_wise), head_size = gg_model_head_size(e->settings);
    for (int64_t o = 0; o < p->columns; o += most) {
        const int64_t some = p->columns - o < most ? p->columns - o : most;
        gg_transpose(room->values + o, p->columns, p->rows, some, room->turned, p->rows);
        for (int64_t r = 0; r < some; r++) {
            const int64_t row = head_wise ? gg_gguf_paired_column(r, head_size) : r;
            GG_TRY(gg_gguf_writer_values(writer, room->turned + row * p->rows, p->rows));
        }
    }
    return GG_OK;
}

static gg_status write_values(const struct gg_gguf_export *e, const struct gg_gguf_architecture *architecture,
                              const struct gg_parameter *p, const struct room *room, gg_gguf_writer *writer) {
    const bool head_wise = is_head_wise(architecture, p);
    if (p->layout == GG_LAYOUT_MATRIX)
        return write_transposed(e, p, head_wise, room, writer);
    if (!head_wise)
        return gg_gguf_writer_values(writer, room->values, p->rows * p->columns);
    const int64_t head_size = gg_model_head_size(e->settings);
    for (int64_t c = 0; c < p->columns; c++)
        GG_TRY(gg_gguf_writer_values(writer, &room->values[gg_gguf_paired_column(c, head_size)], 1));
    return GG_OK;
}

static gg_status write_tensors(const struct gg_gguf_export *e,
                               const struct gg_gguf_architecture *architecture, gg_gguf_writer *writer) {
    const struct gg_merged_weights weights = {e->path, e->contents, e->adapters};
    struct room room = {0};
    gg_status status = take_room(e, architecture, &room);
    for (int i = 0; status == GG_OK && i < e->table->count; i++) {
        const struct gg_parameter *p = &e->table->items[i];
        status = gg_merged_weights_load(&weights, e->table, p, room.values);
        if (status != GG_OK)
            break;
        status = write_values(e, architecture, p, &room, writer);
        if (status == GG_BAD_DATA)
            gg_fail_within(status, "%s: %s", e->path, p->name);
    }
    free(room.turned);
    free(room.values);
    return status;
}

static gg_status write_file(const struct gg_gguf_export *e, const struct gg_gguf_architecture *architecture,
                            const gg_tokenizer *tokenizer, const char *file) {
    gg_gguf_writer *writer;
    gg_gguf_writer_create(file, &writer);
    gg_status status = put_header(e, architecture, tokenizer, file, writer);
    if (status == GG_USAGE)
        gg_fail_within(status, "%s: cannot be exported", e->path);
    if (status == GG_OK)
        status = write_tensors(e, architecture, writer);
    if (status == GG_OK)
        status = gg_gguf_writer_finish(writer);
    gg_gguf_writer_destroy(&writer);
    return status;
}

gg_status gg_gguf_export(const struct gg_gguf_export *e, const char *file) {
    const struct gg_checkpoint_meta *meta = &e->contents->meta;
    struct gg_gguf_architecture architecture;
    gg_tokenizer *tokenizer = NULL;
    gg_status status = gg_gguf_architecture(e->settings, e->table, &architecture);
    if (status != GG_OK)
        return gg_fail_within(status, "%s: cannot be exported", e->path);
    const struct gg_merged_weights weights = {e->path, e->contents, e->adapters};
    GG_TRY(gg_merged_weights_check(&weights, e->table));
    if (meta->tokenizer_json != NULL)
        GG_TRY(gg_tokenizer_from_json(meta->tokenizer_json, meta->tokenizer_bytes, e->path, &tokenizer));
    status = write_file(e, &architecture, tokenizer, file);
    gg_tokenizer_destroy(&tokenizer);
    return status;
}
