#include "tests/fuzz/fuzz.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void put(int fd, const void *data, size_t bytes) {
    GG_ASSERT(fd >= 0 && ftruncate(fd, 0) == 0);
    GG_ASSERT(pwrite(fd, data, bytes, 0) == (ssize_t)bytes);
}

const char *fuzz_file(const void *data, size_t bytes) {
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    put(fd, data, bytes);
    return path;
}

static char named[64];

static void remove_named(void) {
    if (named[0] != '\0')
        unlink(named);
}

const char *fuzz_named_file(const void *data, size_t bytes) {
    if (named[0] == '\0')
        atexit(remove_named);
    remove_named();
    snprintf(named, sizeof named, "/dev/shm/gridgpt-fuzz-XXXXXX");
    const int fd = mkstemp(named);
    put(fd, data, bytes);
    close(fd);
    return named;
}

char *fuzz_text(const void *data, size_t bytes) {
    char *text = gg_malloc(bytes + 1);
    if (bytes > 0)
        memcpy(text, data, bytes);
    text[bytes] = '\0';
    return text;
}

uint32_t fuzz_next(uint32_t *state) {
    uint32_t x = *state != 0 ? *state : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

void fuzz_check_failure(gg_status status, gg_status allowed) {
    if (status != allowed)
        fprintf(stderr, "status %d: %s\n", (int)status, gg_failure());
    GG_ASSERT(status == allowed);
    GG_ASSERT(gg_failure()[0] != '\0');
}

void fuzz_check_decoded(const gg_tokenizer *tokenizer, const struct gg_ids *ids, const char *text,
                        size_t bytes) {
    size_t at = 0;
    for (size_t i = 0; i < ids->count; i++) {
        size_t length;
        const char *token = gg_token_bytes(tokenizer, ids->items[i], &length);
        GG_ASSERT(token != NULL);
        GG_ASSERT(length > 0 && length <= bytes - at && memcmp(token, text + at, length) == 0);
        at += length;
    }
    GG_ASSERT(at == bytes);
}
