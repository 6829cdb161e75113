/* The near duplicates of a corpus: a document that resembles one which was kept before it is dropped, and noted
 * in FOLDER/near-duplicates.jsonl, a line for each:
 *   {"document": 17, "file": "b.jsonl", "line": 5, "offset": 40960,
 *    "resembles": {"document": 3, "file": "a.jsonl", "line": 4, "offset": 8192}, "similarity": 0.925}
 * Documents are numbered over all of the input from 0; `line` (from 1) is only there for JSONL, `offset` is that
 * of the document's first byte in the unpacked file; `similarity` is estimated (core/text/minhash.h).
 * Only documents that were kept are compared with: of a, b and c, where b resembles both and a and c are not alike,
 * a and c stay. All local.
 */
#ifndef GG_IO_CORPUS_NEAR_LIST_H
#define GG_IO_CORPUS_NEAR_LIST_H

#include "core/base/options.h"
#include "io/corpus/text_worker.h"

#define GG_NEAR_LIST_NAME "near-duplicates.jsonl"

typedef struct gg_near_list gg_near_list;

/* Starts the list under a temporary name.
 *   inputs [in] names of the files; must outlive it
 * GG_STORAGE: it cannot be written. */
gg_status gg_near_list_create(const char *folder, const struct gg_near_rules *rules,
                              const struct gg_text_list *inputs, gg_near_list **list) GG_MUST_USE;

/* Looks whether a document resembles one before; notes it then, else remembers it.
 *   first     [in]  the document's first record
 *   signature [in]  of all of it
 *   dropped   [out]
 * GG_RESOURCE: no memory. */
gg_status gg_near_list_check(gg_near_list *list, const struct gg_text_record *first,
                             const uint32_t *signature, bool *dropped) GG_MUST_USE;

/* Writes it out and gives it its name. GG_STORAGE. */
gg_status gg_near_list_commit(gg_near_list *list) GG_MUST_USE;

/* Frees; removes what was not committed. */
void gg_near_list_destroy(gg_near_list **list);

#endif
