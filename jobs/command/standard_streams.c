#include "jobs/command/standard_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void gg_standard_streams_hold(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number is given out, which is this one. Opened the other way round, it still is
         * none that can be read from or written to. */
        const int held = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        if (held < 0)
            return;
    }
}

void gg_standard_streams_survive(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static gg_status end(FILE *stream, const char *name) {
    errno = 0;
    if (fflush(stream) == 0 && !ferror(stream))
        return GG_OK;
    return gg_fail(GG_STORAGE, "%s: cannot be written%s%s", name, errno != 0 ? ": " : "; some of it is lost",
                   errno != 0 ? strerror(errno) : "");
}

gg_status gg_standard_output_end(void) {
    return end(stdout, "standard output");
}

gg_status gg_standard_error_end(void) {
    return end(stderr, "standard error");
}
