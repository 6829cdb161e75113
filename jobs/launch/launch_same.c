/* Whether all ranks were given the same program and settings. */
#include "jobs/launch/launch_check.h"

#include "core/base/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { HOST_BYTES = 64, BLOCK_BYTES = 1 << 20 };

/* What a rank was started with; 0: it cannot read the file. */
struct identity {
    uint64_t program, words, settings;
    char host[HOST_BYTES];
};

/* Hash of a regular file's bytes, never 0; 0 when it cannot be read. */
static uint64_t hash_file(const char *path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0)
        return 0;
    XXH3_state_t *state = XXH3_createState();
    char *block = gg_malloc(BLOCK_BYTES);
    GG_ASSERT(state != NULL);
    XXH3_64bits_reset(state);
    ssize_t got = fstat(file, &about) == 0 && S_ISREG(about.st_mode) ? 1 : -1;
    while (got > 0) {
        got = read(file, block, BLOCK_BYTES);
        if (got > 0)
            XXH3_64bits_update(state, block, (size_t)got);
    }
    const uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    free(block);
    close(file);
    return got < 0 ? 0 : hash != 0 ? hash : 1;
}

static struct identity identify(const struct gg_words *words) {
    struct identity mine = {.program = hash_file("/proc/self/exe")};
    for (int i = 0; i < words->count; i++) /* the terminating NULs keep "a b" and "ab" apart */
        mine.words = XXH3_64bits_withSeed(words->items[i], strlen(words->items[i]) + 1, mine.words);
    mine.settings = words->count > 0 ? hash_file(words->items[0]) : 0;
    if (gethostname(mine.host, sizeof mine.host - 1) != 0)
        strcpy(mine.host, "an unnamed host");
    return mine;
}

static bool differ(uint64_t a, uint64_t b) {
    return a != 0 && b != 0 && a != b;
}

/* Names those whose field at `offset` is not rank 0's; NULL: none. The caller owns the string. */
static char *name_different(const struct identity *all, int ranks, size_t offset) {
    enum { NAMED = 8 };
    char *names = NULL;
    int count = 0;
    for (int rank = 1; rank < ranks; rank++) {
        uint64_t first, other;
        memcpy(&first, (const char *)&all[0] + offset, sizeof first);
        memcpy(&other, (const char *)&all[rank] + offset, sizeof other);
        if (!differ(first, other) || ++count > NAMED)
            continue;
        char *longer = gg_format("%s%srank %d on %s", names != NULL ? names : "", names != NULL ? ", " : "",
                                 rank, all[rank].host);
        free(names);
        names = longer;
    }
    if (count > NAMED) {
        char *longer = gg_format("%s and %d more", names, count - NAMED);
        free(names);
        names = longer;
    }
    return names;
}

static gg_status compare(const struct identity *all, int ranks) {
    static const struct {
        size_t offset;
        const char *what, *advice;
    } parts[] = {
        {offsetof(struct identity, program), "program file", "install the same gridgpt on all nodes"},
        {offsetof(struct identity, words), "command line", "start all ranks with the same words"},
        {offsetof(struct identity, settings), "settings file", "put the same file on all nodes"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *names = name_different(all, ranks, parts[i].offset);
        if (names == NULL)
            continue;
        const gg_status status = gg_fail(GG_USAGE, "the %s of %s is not that of rank 0 on %s; %s",
                                         parts[i].what, names, all[0].host, parts[i].advice);
        free(names);
        return status;
    }
    return GG_OK;
}

gg_status gg_launch_check_same(const struct gg_world *world, const struct gg_words *words) {
    const struct identity mine = identify(words);
    struct identity *all = world->rank == 0 ? gg_calloc((size_t)world->size, sizeof *all) : NULL;
    MPI_Gather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, 0, world->comm);
    const gg_status status = gg_agree(world->comm, world->rank == 0 ? compare(all, world->size) : GG_OK);
    free(all);
    return status;
}
