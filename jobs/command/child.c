#include "jobs/command/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child ends with its parent, leaves no core behind, and is signalled when its time is up. */
static void become_child(pid_t parent, int64_t cpu_seconds) {
    struct rlimit cpu = {0}, core = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        raise(SIGKILL);
    if (getrlimit(RLIMIT_CPU, &cpu) == 0) {
        if (cpu.rlim_cur == RLIM_INFINITY || cpu.rlim_cur > (rlim_t)cpu_seconds)
            cpu.rlim_cur = (rlim_t)cpu_seconds;
        setrlimit(RLIMIT_CPU, &cpu);
    }
    setrlimit(RLIMIT_CORE, &core);
}

static gg_status tell_signal(const char *path, const char *library, int number) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    if (number == SIGXCPU)
        return gg_fail(GG_BAD_DATA, "%s: %s itself does not come to an end with it: damaged, or made to harm",
                       path, library);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (number == crashes[i])
            return gg_fail(GG_BAD_DATA, "%s: %s itself failed on it (%s): damaged, or made to harm", path,
                           library, strsignal(number));
    signal(number, SIG_DFL);
    raise(number);
    return gg_fail(GG_FAILED, "%s: ended by signal %d", path, number);
}

gg_status gg_child_run(const char *path, const char *library, int64_t cpu_seconds, bool *inside) {
    *inside = false;
    fflush(NULL); /* what is in the buffers would be written twice */
    const pid_t parent = getpid(), child = fork();
    if (child < 0)
        return gg_fail(GG_RESOURCE, "%s: no process to read it in: %s", path, strerror(errno));
    if (child == 0) {
        become_child(parent, cpu_seconds);
        *inside = true;
        return GG_OK;
    }
    int ended;
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return gg_fail(GG_FAILED, "%s: its reader is lost: %s", path, strerror(errno));
    if (WIFSIGNALED(ended))
        return tell_signal(path, library, WTERMSIG(ended));
    return gg_fail((gg_status)WEXITSTATUS(ended), "%s", "");
}
