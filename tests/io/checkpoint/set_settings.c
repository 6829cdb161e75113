/* Gives a checkpoint another settings text, and its metadata the checksum that goes with it: as if another program had
 * written it. Usage: set_settings CHECKPOINT <TEXT */
#include "core/base/memory.h"
#include "io/checkpoint/checkpoint_format_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 20 };

static bool put_text(hid_t file, const char *text) {
    const hsize_t bytes = strlen(text);
    const hid_t space = H5Screate_simple(1, &bytes, NULL);
    const hid_t dataset =
        H5Ldelete(file, "settings", H5P_DEFAULT) < 0
            ? -1
            : H5Dcreate2(file, "settings", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Sclose(space);
    return dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0 &&
           H5Dclose(dataset) >= 0;
}

static bool put_checksum(hid_t file, uint64_t checksum) {
    const hid_t attribute = H5Aopen(file, "metadata_checksum", H5P_DEFAULT);
    return attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_UINT64, &checksum) >= 0 &&
           H5Aclose(attribute) >= 0;
}

int main(int argc, char **argv) {
    struct gg_checkpoint_contents contents;
    if (argc != 2) {
        fprintf(stderr, "usage: set_settings CHECKPOINT <TEXT\n");
        return 64;
    }
    if (gg_checkpoint_examine(argv[1], &contents) != GG_OK) {
        fprintf(stderr, "set_settings: %s\n", gg_failure());
        return 65;
    }
    free(contents.meta.settings_yaml);
    contents.meta.settings_yaml = gg_calloc(1, MOST_BYTES);
    const size_t bytes = fread(contents.meta.settings_yaml, 1, MOST_BYTES - 1, stdin);
    const uint64_t checksum =
        gg_checkpoint_metadata_checksum(&contents.meta, contents.tensors, contents.count);
    const hid_t file = H5Fopen(argv[1], H5F_ACC_RDWR, H5P_DEFAULT);
    const bool good = bytes > 0 && file >= 0 && put_text(file, contents.meta.settings_yaml) &&
                      put_checksum(file, checksum) && H5Fclose(file) >= 0;
    gg_checkpoint_contents_free(&contents);
    return good ? 0 : 1;
}
