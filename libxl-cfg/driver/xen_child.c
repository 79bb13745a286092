/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child for one act; its error struct comes back through a pipe. */
#include "driver/xen_child.h"
#include "driver/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(xlcfg_error) <= PIPE_BUF, "one write, all or nothing");

/* What the caller did to signals is no concern of libxl's; and what scripts
 * print is no output of the caller's. */
static void settle_in(void)
{
    sigset_t none;
    int fd;

    for (int sig = 1; sig < NSIG; sig++)
        if (sig != SIGKILL && sig != SIGSTOP)
            (void)signal(sig, SIG_DFL);         /* not all can be set */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        _exit(1);
    for (int to = 0; to < 3; to++)
        if (dup2(fd, to) < 0)
            _exit(1);
}

static void child(int (*run)(void *arg, xlcfg_error *err), void *arg, int fd)
{
    xlcfg_error said = XLCFG_ERROR_INIT;

    setpgid(0, 0);
    settle_in();
    said.code = run(arg, &said);
    _exit(write(fd, &said, sizeof(said)) != sizeof(said));
}

/* True: the answer is whole in said; false: *late, or it died. */
static bool hear(int fd, unsigned ms, xlcfg_error *said, bool *late)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    int64_t end = xlcfg__now_ms() + ms;
    ssize_t n;
    int r;

    do {
        int64_t left = end - xlcfg__now_ms();

        left = left < 0 ? 0 : left > 60000 ? 60000 : left;
        r = poll(&ready, 1, (int)left);
    } while ((r < 0 && errno == EINTR) || (!r && xlcfg__now_ms() < end));
    *late = r == 0;
    if (r <= 0)
        return false;
    do
        n = read(fd, said, sizeof(*said));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(*said);
}

/* How it ended; 0 too when the caller lets nobody wait for children. */
static int reap(pid_t pid)
{
    int status = 0;
    pid_t r;

    do
        r = waitpid(pid, &status, 0);
    while (r < 0 && errno == EINTR);
    return r == pid ? status : 0;
}

void xlcfg__xen_child_reap(pid_t *left)
{
    if (*left)
        (void)reap(*left);      /* it has answered: how it ends is nothing */
    *left = 0;
}

int xlcfg__xen_child(int (*run)(void *arg, xlcfg_error *err), void *arg,
                     unsigned ms, pid_t *left, xlcfg_error *err)
{
    xlcfg_error said;
    bool heard, late;
    int fd[2], status;
    pid_t pid;

    xlcfg__xen_child_reap(left);
    if (pipe2(fd, O_CLOEXEC))
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "pipe: %s",
                          strerror(errno));
    pid = fork();
    if (!pid)
        child(run, arg, fd[1]);
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "fork: %s",
                          strerror(errno));
    }
    setpgid(pid, pid);          /* whoever comes first: both do it */
    heard = hear(fd[0], ms, &said, &late);
    close(fd[0]);
    if (heard) {
        *left = pid;            /* to end takes it a moment: not ours */
        if (err && said.code)
            *err = said;
        return said.code;
    }
    kill(-pid, SIGKILL);
    status = reap(pid);
    if (late)
        return xlcfg__err(err, XLCFG_ERROR_PENDING, "libxl",
                          "has not finished within %u ms", ms);
    return xlcfg__err(err, XLCFG_ERROR_FAIL, "libxl", WIFSIGNALED(status)
                      ? "died of signal %d"
                      : "ended without an answer (status %d)",
                      WIFSIGNALED(status) ? WTERMSIG(status) : status);
}
