/* Checkpoints: one HDF5 file that holds a model, its optimizer and all that is needed to go on, to evaluate
 * or to generate. Nothing in it tells on how many ranks it was written: each tensor stands whole, in table
 * order, under its Hugging Face name.
 *
 *   /model/NAME                 float32 (rows, columns), or (columns) for a vector
 *   /optimizer/STATE/NAME       likewise, a state of the optimizer by its name in core/optim/: of AdamW
 *                               exp_avg and exp_avg_sq, of SGD momentum_buffer. Which ones there are tells
 *                               the optimizer; a checkpoint of weights only has none
 *       attribute checksum      uint64, io/checkpoint/checkpoint_checksum_internal.h
 *   /settings                   uint8: the resolved settings, YAML (attributes are limited to 64 KiB)
 *   /tokenizer                  uint8: tokenizer.json; absent when there is none
 *   /base                       uint8: of adapters alone, which stand beside the frozen weights of another checkpoint:
 *                               its checksum in 16 hexadecimal digits, a blank, its path; else absent
 *   attributes of /             format ("gridgpt checkpoint"), format_version, the numbers of struct
 *                               gg_checkpoint_meta by name, and metadata_checksum: XXH3 (64 bits) over all
 *                               of these, the texts, and each tensor's name, shape and checksum; where
 *                               validations are compared, best_step, worse_validations and best_loss too; of runs whose
 *                               result is the same on any number of replicas that divides it, reproducible
 *
 * Written with the file format of HDF5 1.8, whose own metadata carry checksums.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_H
#define GG_IO_CHECKPOINT_CHECKPOINT_H

#include "core/model/parameters.h"
#include "core/optim/optimizer.h"
#include "core/plan/partition.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GG_CHECKPOINT_FORMAT "gridgpt checkpoint"
enum {
    GG_CHECKPOINT_VERSION = 1,
    GG_CHECKPOINT_GROUPS = 1 + GG_OPTIMIZER_MOST_STATES, /* at most: weights, and a group for each state */
};

/* What a checkpoint knows beside its tensors. */
struct gg_checkpoint_meta {
    int64_t step;             /* optimizer steps done, skipped ones included */
    int64_t updates;          /* steps that changed the weights: AdamW's t */
    int64_t bad_steps;        /* skipped in a row at the end */
    int64_t consumed_samples; /* training sequences taken from the data order */
    int64_t consumed_tokens;
    int64_t run_seed, data_seed;
    int64_t vocab; /* of the tokenizer, not padded */
    uint64_t data_fingerprint, tokenizer_fingerprint;
    double train_loss, val_loss; /* the last measured; NaN: never */
    double train_seconds;        /* spent in training, over all its runs */
    int64_t reproducible;        /* virtual replicas whose gradients are summed; 0: not kept */
    bool compared;               /* validations were: the next three are in the file */
    int64_t best_step;           /* of the one with the least loss, the first of them */
    int64_t worse_validations;   /* without a better loss behind it */
    double best_loss;            /* infinite: none was finite */
    char *settings_yaml;         /* the resolved settings; owned, NUL-terminated */
    char *tokenizer_json;        /* owned, NUL-terminated; NULL: none */
    size_t tokenizer_bytes;
    char *base_path; /* of adapters: the checkpoint beside whose weights they stand; owned; NULL: none */
    uint64_t base_checksum; /* of its weights (gg_checkpoint_weights_checksum) */
};
void gg_checkpoint_meta_free(struct gg_checkpoint_meta *meta);

struct gg_checkpoint_tensor {
    char group[40]; /* "model", "optimizer/exp_avg" */
    char name[80];
    int64_t rows, columns; /* a vector has one row */
    int dimensions;
    uint64_t checksum;
    int64_t offset; /* of its first byte in the file, where its elements stand in one piece */
};

/* Everything but the tensors' values. */
struct gg_checkpoint_contents {
    struct gg_checkpoint_meta meta;
    struct gg_checkpoint_tensor *tensors; /* owned; in file order */
    int count;
    int64_t file_bytes;
};
void gg_checkpoint_contents_free(struct gg_checkpoint_contents *contents);

/* How many groups there are beside the weights: states of an optimizer, known or not. Local. */
int gg_checkpoint_state_count(const struct gg_checkpoint_contents *contents);

/* A checksum of the weights: of each tensor's name, shape and checksum, whatever else is in the file. Local. */
uint64_t gg_checkpoint_weights_checksum(const struct gg_checkpoint_contents *contents);

/* Whether a checkpoint is the one that adapters stand beside.
 *   path, adapters [in] of the adapters
 *   base_path, base [in] of the checkpoint
 * Local. GG_BAD_DATA, with both checksums: its weights are others; or it holds adapters alone itself. */
gg_status gg_checkpoint_check_base(const char *path, const struct gg_checkpoint_meta *adapters,
                                   const char *base_path,
                                   const struct gg_checkpoint_contents *base) GG_MUST_USE;

/* Whether a checkpoint holds whole weights: not if they are adapters alone. Local. GG_BAD_DATA. */
gg_status gg_checkpoint_check_whole(const char *path, const struct gg_checkpoint_meta *meta) GG_MUST_USE;

/* The optimizer whose states these are, no more and no fewer; NULL: none, or not one that core/optim/ has.
 * Local. */
const struct gg_optimizer_kind *gg_checkpoint_optimizer(const struct gg_checkpoint_contents *contents);

/* What one rank writes or reads: ranges of the flat buffers of its part of the model. The ranges of the ranks
 * that hold the same part (one of each replica) make it up, so that all replicas share the work. */
struct gg_checkpoint_share {
    const struct gg_parameter_table *table;
    const struct gg_range *ranges; /* disjoint */
    int range_count;
    const struct gg_optimizer_kind *optimizer; /* NULL: weights only */
    float *values[GG_CHECKPOINT_GROUPS];       /* weights, then the optimizer's states in its own order */
    bool compact[GG_CHECKPOINT_GROUPS];        /* the buffer holds the ranges alone, each at its `at` */
    const char *unused; /* read: a tensor that the file may hold beside the table's; NULL: none */
};

/* Writes a checkpoint: every rank its share, under a temporary name that becomes `path` when all is on the
 * disk. Collective over `comm`, all ranks of all replicas; a thread may call it while others use other
 * communicators and nobody else uses HDF5.
 *   share [in] padding and replicated parts are left out; values are only read
 *   meta  [in] rank 0's counts
 * GG_STORAGE on every rank when it cannot be written (no space, an I/O error), GG_RESOURCE when there are no
 * file descriptors or no memory for it; nothing is left behind then, and an older file of that name stays. */
gg_status gg_checkpoint_write_share(MPI_Comm comm, const char *path, const struct gg_checkpoint_share *share,
                                    const struct gg_checkpoint_meta *meta) GG_MUST_USE;

/* The same by the ranks of one replica.
 *   weights   [in] the rank's parts, a flat buffer of the table
 *   optimizer [in] whose states are written; NULL: weights only
 *   states    [in] flat buffers, one per state, only read from; not looked at without an optimizer */
gg_status gg_checkpoint_write(MPI_Comm comm, const char *path, const struct gg_parameter_table *table,
                              const float *weights, const struct gg_optimizer_kind *optimizer,
                              float *const *states, const struct gg_checkpoint_meta *meta) GG_MUST_USE;

/* Reads everything but the tensors' values. Rank 0 reads, all ranks get it. Collective over `comm`.
 *   contents [out] owned by the caller, also after a failure (then empty)
 * GG_STORAGE: missing, or the system reports an error when it is opened or read; GG_RESOURCE: no file
 * descriptors or memory for it; GG_BAD_DATA: its bytes were read and are not a checkpoint's, truncated, or
 * damaged (the metadata checksum is verified), or it is no plain file. */
gg_status gg_checkpoint_open(MPI_Comm comm, const char *path,
                             struct gg_checkpoint_contents *contents) GG_MUST_USE;

/* The same on one rank, without MPI. Local. */
gg_status gg_checkpoint_examine(const char *path, struct gg_checkpoint_contents *contents) GG_MUST_USE;

/* Whether a file's tensors are those of a model: the same names and shapes, none missing and none too many.
 *   contents  [in] of the file at `path`
 *   optimizer [in] whose states must be there too; NULL: they are not looked for
 *   unused    [in] a tensor that may be there beside them; NULL: none
 * Local. GG_BAD_DATA names the file and the tensor. */
gg_status gg_checkpoint_check_tensors(const char *path, const struct gg_checkpoint_contents *contents,
                                      const struct gg_parameter_table *table,
                                      const struct gg_optimizer_kind *optimizer,
                                      const char *unused) GG_MUST_USE;

/* Reads each rank's share, no rank a whole tensor, and verifies the checksums of all. Collective over
 * `comm`, all ranks of all replicas.
 *   share [in, out] its buffers are filled where the ranges are; padding becomes zero. Without an
 *                   optimizer its states are not read
 * What is read may be trusted only when GG_OK is returned. GG_BAD_DATA names the file and the tensor: not in
 * the file, of another shape, a tensor that the model does not have, a checksum that does not fit.
 * GG_STORAGE, GG_RESOURCE: as gg_checkpoint_open; they say nothing about the file's contents. */
gg_status gg_checkpoint_read_share(MPI_Comm comm, const char *path,
                                   const struct gg_checkpoint_share *share) GG_MUST_USE;

/* The same by the ranks of one replica, each all of its part.
 *   weights   [out] a flat buffer of the table
 *   optimizer [in]  whose states are read; NULL: none are
 *   states    [out] flat buffers, one per state */
gg_status gg_checkpoint_read(MPI_Comm comm, const char *path, const struct gg_parameter_table *table,
                             float *weights, const struct gg_optimizer_kind *optimizer,
                             float *const *states) GG_MUST_USE;

/* Recomputes the checksum of every tensor through a bounded buffer. Local.
 *   good [out] one flag per tensor of the contents, caller's; may be NULL
 * GG_BAD_DATA when one does not fit; the message names the first. GG_STORAGE, GG_RESOURCE: as
 * gg_checkpoint_open. */
gg_status gg_checkpoint_verify(const char *path, const struct gg_checkpoint_contents *contents,
                               bool *good) GG_MUST_USE;

/* Reads all of HDF5's own bookkeeping, of which reading the tensors takes a part only (io/base/hdf5_walk.h).
 * Local. GG_BAD_DATA. */
gg_status gg_checkpoint_verify_bookkeeping(const char *path) GG_MUST_USE;

/* Prints the model of a checkpoint, whose settings only their owner understands.
 *   parameters [in] of the model */
typedef void gg_checkpoint_print_model(const struct gg_checkpoint_meta *meta, int64_t parameters, FILE *out);

/* Prints what a checkpoint holds, in words. Local.
 *   verify  [in] read all bookkeeping and recompute every tensor's checksum; those that do not fit are
 *                listed
 *   tensors [in] list all tensors
 * GG_STORAGE, GG_BAD_DATA as gg_checkpoint_examine and gg_checkpoint_verify. */
gg_status gg_checkpoint_print(const char *path, bool verify, bool tensors,
                              gg_checkpoint_print_model *print_model, FILE *out) GG_MUST_USE;

/* The checkpoints of a folder, by their names step-NNNNNNNN.h5; ascending steps. */
struct gg_checkpoint_list {
    struct gg_checkpoint_file {
        int64_t step;
        char *path;
    } * items; /* owned */
    int count;
};
void gg_checkpoint_list_free(struct gg_checkpoint_list *list);

/* Lists a folder; one that does not exist has none. Local. GG_STORAGE, GG_RESOURCE. */
gg_status gg_checkpoint_list(const char *folder, struct gg_checkpoint_list *list) GG_MUST_USE;

/* FOLDER/step-NNNNNNNN.h5; owned by the caller. */
char *gg_checkpoint_path(const char *folder, int64_t step);

/* The step that a path's last part tells, or -1: its name is not of that form. */
int64_t gg_checkpoint_named_step(const char *path);

/* FOLDER/best.h5: another name (a hard link, or where the file system has none a copy) of the checkpoint with the
 * least validation loss. It is none of the folder's list, so that it is neither removed nor gone on from. Owned
 * by the caller. */
char *gg_checkpoint_best_path(const char *folder);

/* Gives the checkpoint of a step that name, in place of the one that has it, at once. Local. GG_STORAGE. */
gg_status gg_checkpoint_name_best(const char *folder, int64_t step) GG_MUST_USE;

/* Path of the checkpoint with the highest step, owned by the caller, or NULL. Local. */
gg_status gg_checkpoint_newest(const char *folder, char **path) GG_MUST_USE;

/* Whether the names of a folder's checkpoints, and those that they get when they are set aside, are no longer
 * than the system takes. Local. GG_USAGE. */
gg_status gg_checkpoint_check_folder(const char *folder) GG_MUST_USE;

/* Removes all but the `keep` newest up to `step`, the newest of the run, and, when keep_every > 0, those of
 * steps it divides. Files that are named for later steps are not the run's: they neither count nor go. For
 * one rank, while no checkpoint is being written. Local. GG_STORAGE. */
gg_status gg_checkpoint_prune(const char *folder, int64_t step, int64_t keep, int64_t keep_every) GG_MUST_USE;

/* Removes temporary files that a killed run left. As above. */
gg_status gg_checkpoint_remove_temporaries(const char *folder) GG_MUST_USE;

#endif
