#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

// In C, because a handler runs between any two instructions of any thread, and only `write` is certain to bear that.

static int signal_pipe[2] = {-1, -1};

static void tell(int number) {
    int kept = errno;
    unsigned char byte = (unsigned char)number;
    // A full pipe has told enough.
    ssize_t ignored = write(signal_pipe[1], &byte, 1);
    (void)ignored;
    errno = kept;
}

int csystem_signals_catch(void) {
    if (signal_pipe[0] < 0) {
        if (pipe2(signal_pipe, O_CLOEXEC) != 0) return errno;
        fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
    }
    struct sigaction action = {.sa_handler = tell, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};
    for (int i = 0; i < 4; i++) {
        if (sigaction(caught[i], &action, NULL) != 0) return errno;
    }
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

int csystem_signals_wait(void) {
    unsigned char byte;
    for (;;) {
        ssize_t count = read(signal_pipe[0], &byte, 1);
        if (count == 1) return byte;
        if (count < 0 && errno == EINTR) continue;
        return -1;
    }
}

int csystem_exec(const char *program, char *const *arguments, char *const *environment) {
    // The runtime's threads block nearly all signals, and a mask survives execve.
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    execve(program, arguments, environment);
    return errno;
}
