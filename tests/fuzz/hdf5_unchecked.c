#include "tests/fuzz/hdf5_unchecked.h"

#include <stdint.h>
#include <string.h>

enum { CHECKSUM_BYTES = 4 };

/* libhdf5's own, which none of its public headers declares. */
uint32_t H5_checksum_lookup3(const void *key, size_t length, uint32_t initial);
uint32_t H5_checksum_metadata(const void *data, size_t bytes, uint32_t initial);
int H5F_get_checksums(const uint8_t *block, size_t bytes, uint32_t *stored, uint32_t *computed);

static unsigned char *whole;
static size_t whole_bytes;
static bool repairing;

void hdf5_unchecked(unsigned char *file, size_t bytes, bool repair) {
    whole = file;
    whole_bytes = bytes;
    repairing = repair;
}

static void put(unsigned char *to, uint32_t value) {
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t get(const unsigned char *from) {
    uint32_t value = 0;
    for (int i = 0; i < CHECKSUM_BYTES; i++)
        value |= (uint32_t)from[i] << 8 * i;
    return value;
}

/* Where the block stands in the file whose checksum, at `at` in the block, is not looked at; NULL: nowhere.
 */
static unsigned char *find_block(const unsigned char *block, size_t bytes, size_t at) {
    for (unsigned char *from = whole; from != NULL && whole_bytes - (size_t)(from - whole) >= bytes; from++) {
        from = memchr(from, block[0], whole_bytes - (size_t)(from - whole) - bytes + 1);
        if (from == NULL)
            break;
        if (memcmp(from, block, at) == 0 &&
            memcmp(from + at + CHECKSUM_BYTES, block + at + CHECKSUM_BYTES, bytes - at - CHECKSUM_BYTES) == 0)
            return from;
    }
    return NULL;
}

/* Most blocks: the checksum is their end. */
int H5F_get_checksums(const uint8_t *block, size_t bytes, uint32_t *stored, uint32_t *computed) {
    uint32_t checksum = 0;
    if (repairing && bytes >= CHECKSUM_BYTES) {
        checksum = H5_checksum_lookup3(block, bytes - CHECKSUM_BYTES, 0);
        unsigned char *found = find_block(block, bytes, bytes - CHECKSUM_BYTES);
        if (found != NULL)
            put(found + bytes - CHECKSUM_BYTES, checksum);
    }
    if (stored != NULL)
        *stored = checksum;
    if (computed != NULL)
        *computed = checksum;
    return 0;
}

/* Called by itself for the direct blocks of fractal heaps alone, whose checksum, zero here, stands in their
 * head: behind a signature, a version, an address, and an offset of 1 to 8 bytes. The one in the file is
 * given. */
uint32_t H5_checksum_metadata(const void *data, size_t bytes, uint32_t initial) {
    const uint32_t checksum = H5_checksum_lookup3(data, bytes, initial);
    if (bytes < 32 || memcmp(data, "FHDB", 4) != 0)
        return checksum;
    for (size_t at = 4 + 1 + 8 + 1; at <= 4 + 1 + 8 + 8; at++) {
        unsigned char *found = find_block(data, bytes, at);
        if (found == NULL)
            continue;
        if (repairing)
            put(found + at, checksum);
        return repairing ? checksum : get(found + at);
    }
    return checksum;
}
