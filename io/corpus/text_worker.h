/* One rank's part of preparing text: units become cleaned, hashed, tokenized records. All local.
 */
#ifndef GG_IO_CORPUS_TEXT_WORKER_H
#define GG_IO_CORPUS_TEXT_WORKER_H

#include "core/text/tokenizer.h"
#include "io/corpus/document_reader.h"

enum gg_record_flag {
    GG_RECORD_FIRST = 1, /* of its document (or of the part behind a cut) */
    GG_RECORD_LAST = 2,  /* its tokens end with <|endoftext|> */
    GG_RECORD_TAIL = 4,  /* of the part behind a cut: validation */
};

/* What became of a unit; travels between ranks as bytes. */
struct gg_text_record {
    uint64_t hash[2];   /* XXH3, 128 bits, of the cleaned text */
    int64_t document;   /* number in the corpus */
    int64_t tokens;     /* <|endoftext|> included */
    int64_t text_bytes; /* cleaned */
    uint32_t flags;     /* enum gg_record_flag */
    uint32_t zero;      /* so that every byte is defined */
};

/* Records and their tokens, one after the other; zero it to begin. */
struct gg_text_batch {
    struct gg_text_record *records;
    size_t count, capacity;
    struct gg_ids ids;
};
void gg_text_batch_free(struct gg_text_batch *batch);

struct gg_text_worker {
    const struct gg_clean_rules *rules;
    const char *field; /* JSONL */
    double tail;       /* fraction of a JSONL document's text that becomes its tail; 0: no tail */
    uint32_t end_of_text;
    gg_encoder *encoder; /* owned */
    struct gg_text clean, parsed;
};

/* Rules, field and tokenizer must outlive the worker. GG_RESOURCE. */
gg_status gg_text_worker_init(struct gg_text_worker *worker, const gg_tokenizer *tokenizer,
                              const struct gg_clean_rules *rules, const char *field, double tail) GG_MUST_USE;
void gg_text_worker_free(struct gg_text_worker *worker);

/* Appends what becomes of a unit: a record, two (a JSONL document with its tail), or none (nothing is left of
 * the text). GG_BAD_DATA: invalid UTF-8, bad JSON, naming file and place; GG_RESOURCE. */
gg_status gg_text_worker_add(struct gg_text_worker *worker, const char *path, const struct gg_text_unit *unit,
                             int64_t document, struct gg_text_batch *batch) GG_MUST_USE;

#endif
