/* Puts right HDF5 checksums into a shard or checkpoint that was changed: what the fuzzer finds becomes a file
 * that HDF5 takes without our help. Usage: repair_checksums FILE. */
#include "io/checkpoint/checkpoint.h"
#include "io/shards/shard.h"
#include "jobs/use/model_print.h"
#include "tests/fuzz/hdf5_unchecked.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads all there is, and may well crash over it: what was repaired until then is in the file. */
static void read_file(const char *path) {
    FILE *out = fopen("/dev/null", "w");
    const gg_status status = gg_shard_recognise(path)
                                 ? gg_shard_describe(path, true, out)
                                 : gg_checkpoint_print(path, true, true, gg_model_print, out);
    fprintf(stderr, "%s\n", status == GG_OK ? "it opens" : gg_failure());
}

int main(int argc, char **argv) {
    struct stat info;
    const int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
    if (fd < 0 || fstat(fd, &info) != 0) {
        fprintf(stderr, "usage: repair_checksums FILE\n");
        return 64;
    }
    const size_t bytes = (size_t)info.st_size;
    unsigned char *file = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED)
        return 71;
    hdf5_unchecked(file, bytes, true);
    const pid_t child = fork();
    if (child == 0) {
        read_file(argv[1]);
        return 0;
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "reading it ends with signal %d\n", WTERMSIG(status));
    return 0;
}
