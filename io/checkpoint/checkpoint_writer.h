/* Writing checkpoints behind the training: a rank's share is copied into memory of its own, and a thread
 * writes it while the training goes on.
 *
 * HDF5 is not thread-safe: between gg_checkpoint_writer_begin() and gg_checkpoint_writer_wait() no other
 * thread may call it. The thread has a communicator of its own; it needs MPI_THREAD_MULTIPLE.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_WRITER_H
#define GG_IO_CHECKPOINT_CHECKPOINT_WRITER_H

#include "io/checkpoint/checkpoint.h"

#include <stdbool.h>

typedef struct gg_checkpoint_writer gg_checkpoint_writer;

/* Whether this MPI lets a thread write behind the training. Local, the same on every rank. */
bool gg_checkpoint_writer_can_wait(void);

/* Bytes of the copy. Local. */
size_t gg_checkpoint_writer_bytes(const struct gg_checkpoint_share *share);

/* Makes a writer.
 *   comm   [in] all ranks of all replicas; duplicated
 *   share  [in] what it will write; what it points to must outlive the writer
 *   behind [in] copy and write behind; false: gg_checkpoint_writer_begin() writes, and nothing is allocated
 * Collective. GG_RESOURCE on every rank: no memory for the copy. */
gg_status gg_checkpoint_writer_create(MPI_Comm comm, const struct gg_checkpoint_share *share, bool behind,
                                      gg_checkpoint_writer **writer) GG_MUST_USE;

/* Waits for what is being written, and frees everything. Collective. */
void gg_checkpoint_writer_destroy(gg_checkpoint_writer **writer);

/* Which checkpoints stay in the folder once a new one is in it: arguments of gg_checkpoint_prune(), and whether
 * the new one gets the name of the best (gg_checkpoint_name_best). */
struct gg_checkpoint_retention {
    int64_t keep, keep_every;
    bool best;
};

/* Begins FOLDER/step-NNNNNNNN.h5 of meta->step: copies the share's values as they are now, and returns. No
 * other write may be under way. A folder that is not there is made. Collective.
 *   meta [in] rank 0's counts; its texts are copied */
void gg_checkpoint_writer_begin(gg_checkpoint_writer *writer, const char *folder,
                                const struct gg_checkpoint_meta *meta,
                                const struct gg_checkpoint_retention *retention);

/* Whether a write is under way or its result not yet taken. Local, the same on every rank. */
bool gg_checkpoint_writer_busy(const gg_checkpoint_writer *writer);

/* Whether gg_checkpoint_writer_wait() would return at once on this rank. Local. */
bool gg_checkpoint_writer_ended(const gg_checkpoint_writer *writer);

struct gg_checkpoint_outcome {
    int64_t step;
    bool written;         /* the file is there, under its name */
    bool folder_made;     /* rank 0: the folder was gone, and is there again */
    double copy_seconds;  /* of this rank: what the training stood still for */
    double write_seconds; /* from the copy's end to the file's being safe */
};

/* Waits for the write's end and takes its result. Collective: every rank must call it, and gets the same but
 * for the seconds. GG_STORAGE: not written; or written, and it cannot be named the best, or older ones cannot be
 * removed. */
gg_status gg_checkpoint_writer_wait(gg_checkpoint_writer *writer,
                                    struct gg_checkpoint_outcome *outcome) GG_MUST_USE;

#endif
