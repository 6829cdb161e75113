#include "jobs/launch/stop_signal.h"

#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

static const int stop_signals[] = {SIGINT, SIGTERM, SIGUSR1};
enum { SIGNAL_COUNT = sizeof stop_signals / sizeof *stop_signals };

/* The handler runs in the listener's thread, mostly: what it tells the others is atomic, and being lock-free
 * may be touched by a handler. */
static atomic_int requested;

/* The thread that takes the signals. No computing thread may: oneDNN's kernels keep data where a handler's
 * frame would be written, and a signal in the middle of a matmul crashed the run. */
static pthread_t listener;
static bool listening;
static sem_t listener_end; /* posted: the listener ends */

/* While we are the terminal's foreground group. */
static atomic_int terminal = -1; /* /dev/tty, or -1; says that what follows is set */
static pid_t earlier_foreground; /* whom to give it back to */
static struct termios earlier_modes;

/* Makes `group` the terminal's foreground group and sets its modes. A background group that tries is stopped
 * by SIGTTOU unless it blocks it. Safe in a signal handler. */
static bool set_foreground(int tty, pid_t group, const struct termios *modes) {
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    const bool done = tcsetpgrp(tty, group) == 0 && tcsetattr(tty, TCSANOW, modes) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return done;
}

/* Safe in a signal handler. */
static void give_back(void) {
    const int tty = atomic_exchange(&terminal, -1); /* one thread alone gives it back */
    if (tty < 0)
        return;
    tcflush(tty, TCIFLUSH);
    set_foreground(tty, earlier_foreground, &earlier_modes);
    close(tty);
}

/* SIGTERM may be mpirun's last word before SIGKILL, and a second SIGINT ends the process: the terminal must
 * be given back before. */
static void on_signal(int number) {
    const int error = errno; /* of the code that was interrupted */
    if (number == SIGTERM)
        give_back();
    if (number == SIGINT && requested == SIGINT) {
        give_back();
        signal(SIGINT, SIG_DFL);
        raise(SIGINT);
    }
    requested = number;
    errno = error;
}

/* Takes it when it belongs to the parent's group (mpirun, started in a shell's foreground) and not
 * to ours. Without canonical mode and with the largest VMIN, polling finds no input until 255 bytes are
 * typed. */
void gg_stop_take_terminal(void) {
    const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0)
        return;
    const pid_t foreground = tcgetpgrp(tty);
    if (foreground <= 0 || foreground == getpgrp() || foreground != getpgid(getppid()) ||
        tcgetattr(tty, &earlier_modes) != 0) {
        close(tty);
        return;
    }
    struct termios modes = earlier_modes;
    modes.c_lflag &= ~(tcflag_t)ICANON;
    modes.c_cc[VMIN] = 255;
    modes.c_cc[VTIME] = 0;
    earlier_foreground = foreground;
    if (!set_foreground(tty, getpgrp(), &modes)) {
        set_foreground(tty, foreground, &earlier_modes);
        close(tty);
        return;
    }
    terminal = tty;
    signal(SIGTSTP, SIG_IGN); /* Ctrl-Z would stop this rank alone and leave the terminal to nobody */
    atexit(give_back);
    gg_out_of_memory_calls(give_back);
}

static sigset_t all_stop_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaddset(&set, stop_signals[i]);
    return set;
}

static void *listen(void *unused) {
    const sigset_t set = all_stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    while (sem_wait(&listener_end) != 0)
        continue;
    return unused;
}

void gg_stop_install(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    action.sa_mask = all_stop_signals();
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(stop_signals[i], &action, NULL);
    /* Threads that are made later inherit the mask. */
    pthread_sigmask(SIG_BLOCK, &action.sa_mask, NULL);
    listening = sem_init(&listener_end, 0, 0) == 0 && pthread_create(&listener, NULL, listen, NULL) == 0;
    if (!listening)
        pthread_sigmask(SIG_UNBLOCK, &action.sa_mask, NULL);
}

bool gg_stop_requested(void) {
    const int tty = terminal;
    if (tty >= 0)
        tcflush(tty, TCIFLUSH);
    return requested != 0;
}

void gg_stop_end(void) {
    const sigset_t set = all_stop_signals();
    give_back();
    if (listening) {
        sem_post(&listener_end);
        pthread_join(listener, NULL);
        sem_destroy(&listener_end);
        listening = false;
    }
    /* Who asks again, or only now, must not turn a good end into a killed one. SIGINT keeps its handler, and
     * so kills the second time: should MPI hang, Ctrl-C ends it. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
