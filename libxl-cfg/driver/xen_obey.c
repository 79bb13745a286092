/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the process that acts with libxl: for one act, or for order after order
 * (xen_child.c begins both, and hears their answers). */
#include "driver/xen_obey.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TWO_DIGITS "??"

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

/* One who has closed its standard streams hands us a way as one of them. */
static int above_stdio(int fd)
{
    return fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void __attribute__((noreturn)) answer(int fd, int code,
                                             xlcfg_error *said)
{
    said->code = code;
    _exit(write(fd, said, sizeof(*said)) != sizeof(*said));
}

void xlcfg__xen_obey_once(int (*run)(void *arg, xlcfg_error *err), void *arg,
                          int fd)
{
    xlcfg_error said = XLCFG_ERROR_INIT;

    setpgid(0, 0);
    fd = above_stdio(fd);
    settle_in();
    answer(fd, run(arg, &said), &said);
}

/* ---- orders ---- */

/* All of it, or false: the caller is gone. */
static bool take_all(int fd, void *to, size_t size)
{
    char *at = to;

    while (size) {
        ssize_t n = recv(fd, at, size, MSG_WAITALL);

        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The head, and the lock or -1.  A lock that did not come through (no
 * descriptor was free) is no order. */
static bool take_head(int fd, struct xlcfg__xen_head *head, int *lock_r)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = { head, sizeof(*head) };
    struct msghdr msg = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room,
        .msg_controllen = sizeof(control.room),
    };
    const struct cmsghdr *got;
    ssize_t n;

    *lock_r = -1;
    do
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_WAITALL);
    while (n < 0 && errno == EINTR);
    got = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (got && got->cmsg_level == SOL_SOCKET && got->cmsg_type == SCM_RIGHTS)
        memcpy(lock_r, CMSG_DATA(got), sizeof(int));
    return n == (ssize_t)sizeof(*head) && !head->locked == (*lock_r < 0);
}

/*
 * Nothing else of the caller's stays open: not its end of another child's
 * socket, which would keep that one waiting when the caller is gone, and no
 * lock.  A kernel before 5.9 cannot, and the descriptors stay.
 */
static void keep_two(int a, int b)
{
    unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

    if (low > 3)
        (void)close_range(3, low - 1, 0);
    if (high > low + 1)
        (void)close_range(low + 1, high - 1, 0);
    (void)close_range(high + 1, ~0U, 0);
}

static void tell(int fd, int code, xlcfg_error *said)
{
    said->code = code;
    if (write(fd, said, sizeof(*said)) != sizeof(*said))
        _exit(1);
}

/* One order, and its answer.  The lock is held for as long as it is acted on;
 * after a failure libxl's state is nobody's to know, and this one ends. */
static void take_order(const struct xlcfg__xen_work *work, void *arg,
                       const xlcfg_error *ready, int orders, int answers)
{
    xlcfg_error said = *ready;
    int rc = ready->code;
    struct xlcfg__xen_head head;
    void *order;
    int lock;

    if (!take_head(orders, &head, &lock))
        _exit(0);
    order = malloc(head.size);
    if (!order)
        answer(answers, xlcfg__nomem(&said), &said);
    if (!take_all(orders, order, head.size))
        _exit(0);
    if (!rc)
        rc = work->obey(arg, order, head.size, &said);
    free(order);
    if (lock >= 0)
        close(lock);
    tell(answers, rc, &said);
    if (rc)
        _exit(0);
}

/* ---- its last words ---- */

static struct {
    pid_t pid;
    int fd;
    xlcfg_error said;
} last;

/* No parent hears of what it died.  What it forked and did not yet exec has
 * no say. */
static void say_and_die(int sig)
{
    char *digits = strstr(last.said.message, TWO_DIGITS);

    if (getpid() == last.pid && digits) {
        if (sig > 9)
            *digits++ = (char)('0' + sig / 10);
        *digits++ = (char)('0' + sig % 10);
        *digits = '\0';
        if (write(last.fd, &last.said, sizeof(last.said)) > 0 &&
            getpgrp() == last.pid)
            kill(0, SIGKILL);   /* and all that it started */
    }
    (void)signal(sig, SIG_DFL);
    raise(sig);
}

static void mind_death(int fd)
{
    static const int deaths[] = {
        SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS,
    };

    last.pid = getpid();
    last.fd = fd;
    last.said.code = xlcfg__err(&last.said, XLCFG_ERROR_FAIL, "libxl",
                                "died of signal " TWO_DIGITS);
    for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
        (void)signal(deaths[i], say_and_die);
}

/* ---- its life ---- */

/* Until an order comes; if none does, no more can be sent, and what was sent
 * before that is taken still. */
static void await_order(int fd, unsigned ms)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };

    if (!poll(&ready, 1, (int)ms))
        shutdown(fd, SHUT_RD);
}

/* The first that is heard of it is its number. */
void xlcfg__xen_obey(const struct xlcfg__xen_work *work, void *arg, int orders,
                     int answers)
{
    xlcfg_error ready = XLCFG_ERROR_INIT;
    pid_t self = getpid();

    setpgid(0, 0);
    orders = above_stdio(orders);
    answers = above_stdio(answers);
    if (write(answers, &self, sizeof(self)) != sizeof(self))
        _exit(1);
    keep_two(orders, answers);  /* to close a file may take its time */
    settle_in();
    mind_death(answers);
    ready.code = work->ready(arg, &ready);
    for (;;) {
        await_order(orders, work->idle_ms);
        take_order(work, arg, &ready, orders, answers);
    }
}
