/* One rank's part of preparing text: units become cleaned, masked, hashed, tokenized records. All local.
 */
#ifndef GG_IO_CORPUS_TEXT_WORKER_H
#define GG_IO_CORPUS_TEXT_WORKER_H

#include "core/text/minhash.h"
#include "core/text/pii.h"
#include "core/text/tokenizer.h"
#include "io/corpus/document_reader.h"

enum gg_record_flag {
    GG_RECORD_FIRST = 1, /* of its document (or of the part behind a cut) */
    GG_RECORD_LAST = 2,  /* its tokens end with <|endoftext|> */
    GG_RECORD_TAIL = 4,  /* of the part behind a cut: validation */
    GG_RECORD_NONE = 8,  /* no text: its file holds no document */
};

/* How near duplicates are looked for (core/text/minhash.h, near_index.h). */
struct gg_near_rules {
    int words, bands, rows; /* bands 0: they are not */
    double threshold;
};

/* What became of a unit; travels between ranks as bytes. */
struct gg_text_record {
    uint64_t hash[2];              /* XXH3, 128 bits, of the cleaned text */
    int64_t document;              /* as the unit's */
    int64_t offset;                /* of the unit in its file */
    int64_t line;                  /* JSONL: from 1; else 0 */
    int64_t tokens;                /* <|endoftext|> included */
    int64_t text_bytes;            /* cleaned */
    uint32_t flags;                /* enum gg_record_flag */
    uint32_t file;                 /* its number */
    uint32_t masked[GG_PII_KINDS]; /* placeholders in the text (of a document with a tail: in both) */
};

/* Records and their tokens, one after the other; zero it to begin. */
struct gg_text_batch {
    struct gg_text_record *records;
    size_t count, capacity;
    struct gg_ids ids;
    uint32_t *signatures; /* (count, hashes) of the records' texts; NULL without hashes */
    size_t signature_capacity;
    int64_t documents; /* that begin in it; the caller's */
};
void gg_text_batch_free(struct gg_text_batch *batch);

struct gg_text_work {
    const gg_tokenizer *tokenizer;
    struct gg_clean_rules rules;
    const char *field; /* JSONL */
    double tail;       /* fraction of a JSONL document's text that becomes its tail; 0: no tail */
    bool mask_pii;
    struct gg_near_rules near;
};

struct gg_text_worker {
    const struct gg_text_work *work;
    uint32_t end_of_text;
    gg_encoder *encoder; /* owned */
    struct gg_minhash minhash;
    struct gg_text clean, masked, parsed;
};

/* The work must outlive the worker. GG_RESOURCE. */
gg_status gg_text_worker_init(struct gg_text_worker *worker, const struct gg_text_work *work) GG_MUST_USE;
void gg_text_worker_free(struct gg_text_worker *worker);

/* Appends what becomes of a unit: a record, two (a JSONL document with its tail), or none (nothing is left of
 * the text).
 *   file [in] the number of its file; path: for messages
 * GG_BAD_DATA: invalid UTF-8, bad JSON, naming file and place; GG_RESOURCE. */
gg_status gg_text_worker_add(struct gg_text_worker *worker, const char *path, size_t file,
                             const struct gg_text_unit *unit, struct gg_text_batch *batch) GG_MUST_USE;

/* Appends a record of a file that holds no document. */
void gg_text_batch_add_none(struct gg_text_batch *batch, size_t file);

#endif
