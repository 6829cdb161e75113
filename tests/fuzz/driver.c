/* Gives files to a fuzz target, one after another: the corpora run in builds without libFuzzer too, by any
 * compiler. Arguments are files and folders of files; a target aborts on what it finds wrong. */
#include "tests/fuzz/fuzz.h"

#include "core/base/memory.h"
#include "io/base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 24 };

/* Returns whether the file could be read. */
static bool run_file(const char *path) {
    char *data;
    size_t bytes;
    if (gg_file_read(path, MOST_BYTES, &data, &bytes) != GG_OK) {
        fprintf(stderr, "%s\n", gg_failure());
        return false;
    }
    /* Named beforehand, for it may be the last thing said; and a copy of its exact size, so that address
     * sanitizers see a byte read too far. */
    printf("%s\n", path);
    fflush(stdout);
    uint8_t *exact = gg_malloc(bytes > 0 ? bytes : 1);
    memcpy(exact, data, bytes);
    LLVMFuzzerTestOneInput(exact, bytes);
    free(exact);
    free(data);
    return true;
}

/* Returns how many files were run; 0 when one cannot be read. */
static int run_folder(const char *folder) {
    struct dirent **entries;
    const int count = scandir(folder, &entries, NULL, alphasort);
    int run = 0;
    bool good = count >= 0;
    for (int i = 0; i < count; i++) {
        char *path = gg_format("%s/%s", folder, entries[i]->d_name);
        if (good && entries[i]->d_name[0] != '.') {
            good = run_file(path);
            run++;
        }
        free(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return good ? run : 0;
}

int main(int argc, char **argv) {
    int run = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        const int count = scandir(argv[i], &entries, NULL, alphasort);
        for (int k = 0; k < count; k++)
            free(entries[k]);
        if (count >= 0)
            free(entries);
        const int done = count >= 0 ? run_folder(argv[i]) : run_file(argv[i]);
        if (done == 0) {
            fprintf(stderr, "%s: nothing to run, or unreadable\n", argv[i]);
            return 1;
        }
        run += done;
    }
    printf("%d inputs\n", run);
    return run > 0 ? 0 : 1;
}
