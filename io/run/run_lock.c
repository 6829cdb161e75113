#include "io/run/run_lock.h"

#include "core/base/clock.h"
#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { HOLDER_BYTES = 320 };

/* Tries until it is had, the time is over, the caller gives up, or it cannot be. Returns 0 or an errno. */
static int try_to_lock(int fd, double wait_seconds, bool (*give_up)(void)) {
    const struct timespec pause = {.tv_nsec = 100000000};
    const double begin = gg_clock_seconds();
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return errno;
        if (gg_clock_seconds() - begin >= wait_seconds || give_up())
            return EWOULDBLOCK;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static gg_status refuse(const char *folder, const char *path, int fd) {
    char holder[HOLDER_BYTES] = "";
    const ssize_t length = pread(fd, holder, sizeof holder - 1, 0);
    holder[length > 0 ? strcspn(holder, "\n") : 0] = '\0';
    return gg_fail(GG_FAILED,
                   "%s is another job's run folder now: %s has locked %s; end that job, or set another "
                   "run.dir",
                   folder, holder[0] != '\0' ? holder : "a process", path);
}

/* For the other's message only: it is no failure when it cannot be written. */
static void write_holder(int fd) {
    char host[256] = "", holder[HOLDER_BYTES];
    gethostname(host, sizeof host - 1);
    const int length = snprintf(holder, sizeof holder, "process %ld on %s\n", (long)getpid(), host);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, holder, (size_t)length, 0) != length)
        errno = 0;
}

gg_status gg_run_lock_take(const char *folder, double wait_seconds, bool (*give_up)(void), int *lock) {
    char *path = gg_format("%s/lock", folder);
    gg_status status = GG_OK;
    *lock = -1;
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    const int error = fd < 0 ? errno : try_to_lock(fd, wait_seconds, give_up);
    if (fd < 0)
        status = gg_fail(GG_STORAGE, "%s: cannot be opened: %s", path, strerror(error));
    else if (error == EWOULDBLOCK)
        status = refuse(folder, path, fd);
    else if (error == 0)
        write_holder(fd);
    else
        fprintf(stderr,
                "warning: %s: cannot be locked (%s): nothing keeps a second job out of this run folder\n",
                path, strerror(error));
    if (fd >= 0 && (status != GG_OK || error != 0))
        close(fd);
    else
        *lock = fd;
    free(path);
    return status;
}

void gg_run_lock_release(int *lock) {
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
}
