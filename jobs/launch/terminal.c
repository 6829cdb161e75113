#include "jobs/launch/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* mpirun's file behind `out`, by way of /proc; -1 when there is none. */
static int open_parents(FILE *out) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)getppid(), fileno(out));
    return open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
}

bool gg_terminal_behind(FILE *out) {
    if (getenv("OMPI_COMM_WORLD_RANK") == NULL || fileno(out) > STDERR_FILENO)
        return isatty(fileno(out)) == 1;
    const int fd = open_parents(out);
    if (fd < 0)
        return false;
    const bool terminal = isatty(fd) == 1;
    close(fd);
    return terminal;
}

int gg_terminal_columns(FILE *out) {
    struct winsize size = {0};
    int result = ioctl(fileno(out), TIOCGWINSZ, &size);
    if (result != 0) {
        const int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) {
            result = ioctl(fd, TIOCGWINSZ, &size);
            close(fd);
        }
    }
    return result == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
