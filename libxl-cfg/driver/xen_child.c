/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child for one act; its error struct comes back through a pipe.  And one
 * that waits for orders, which is nobody's child.  What they do themselves is in
 * xen_obey.c. */
#include "driver/xen_obey.h"
#include "driver/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_MS 1000
#define TRIES 10

_Static_assert(sizeof(xlcfg_error) <= PIPE_BUF, "one write, all or nothing");

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

/* It and all that it started; how it ended, of a child of ours.  Another one
 * is gone when nobody is left who could answer; if the kernel does not let it
 * go by then, it cannot act either. */
static int end(pid_t pid, bool ours, int fd)
{
    struct pollfd gone = { .fd = fd };

    kill(-pid, SIGKILL);
    if (ours)
        return reap(pid);
    while (poll(&gone, 1, END_MS) < 0 && errno == EINTR)
        continue;
    return 0;
}

/* What came of a child that was to answer.  It is left in the hand, or, when
 * it was late or died, ended with all that it started. */
static int take_answer(struct xlcfg__xen_hand *hand, pid_t pid, bool ours,
                       int fd, unsigned ms, xlcfg_error *err)
{
    xlcfg_error said;
    int status;
    bool late;

    if (hear(fd, ms, &said, &late)) {
        hand->left = ours ? pid : 0;    /* to end takes it a moment */
        if (err && said.code)
            *err = said;
        return said.code;
    }
    status = end(pid, ours, fd);
    if (late)
        return xlcfg__err(err, XLCFG_ERROR_PENDING, "libxl",
                          "has not finished within %u ms", ms);
    if (WIFSIGNALED(status))
        return xlcfg__err(err, XLCFG_ERROR_FAIL, "libxl",
                          "died of signal %d", WTERMSIG(status));
    return xlcfg__err(err, XLCFG_ERROR_FAIL, "libxl",
                      "ended without an answer");
}

static void reap_left(struct xlcfg__xen_hand *hand)
{
    hand->lock = -1;
    if (hand->left)
        (void)reap(hand->left); /* it has answered: how it ends is nothing */
    hand->left = 0;
}

static int failed(xlcfg_error *err, const char *what)
{
    return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "%s: %s", what,
                      strerror(errno));
}

int xlcfg__xen_child(int (*run)(void *arg, xlcfg_error *err), void *arg,
                     unsigned ms, struct xlcfg__xen_hand *hand,
                     xlcfg_error *err)
{
    int fd[2], rc;
    pid_t pid;

    reap_left(hand);
    if (pipe2(fd, O_CLOEXEC))
        return failed(err, "pipe");
    pid = fork();
    if (!pid)
        xlcfg__xen_obey_once(run, arg, fd[1]);
    close(fd[1]);
    if (pid < 0) {
        rc = failed(err, "fork");
        close(fd[0]);
        return rc;
    }
    setpgid(pid, pid);          /* whoever comes first: both do it */
    rc = take_answer(hand, pid, true, fd[0], ms, err);
    close(fd[0]);
    return rc;
}

/* ---- one that waits for its order ---- */

static void let_go(struct xlcfg__xen_hand *hand)
{
    close(hand->orders);
    close(hand->answers);
    hand->orders = hand->answers = -1;
    hand->waits = 0;
}

/* A socket for orders, which can carry a lock; a pipe for answers. */
static int open_ways(int orders[2], int answers[2], xlcfg_error *err)
{
    int rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, orders))
        return failed(err, "socketpair");
    if (!pipe2(answers, O_CLOEXEC))
        return 0;
    rc = failed(err, "pipe");
    close(orders[0]);
    close(orders[1]);
    return rc;
}

static void __attribute__((noreturn))
go_between(const struct xlcfg__xen_work *work, void *arg, int orders[2],
           int answers[2])
{
    pid_t pid;

    close(orders[0]);           /* else it would wait for itself for ever */
    pid = fork();
    if (!pid)
        xlcfg__xen_obey(work, arg, orders[1], answers[1]);
    _exit(pid < 0);
}

/* Forked by a child of ours that ends at once: no one in the caller's process
 * who waits for any child meets it. */
static int fork_away(const struct xlcfg__xen_work *work, void *arg,
                     int orders[2], int answers[2], pid_t *pid_r,
                     xlcfg_error *err)
{
    pid_t between = fork();
    int rc = between < 0 ? failed(err, "fork") : 0;
    ssize_t n;

    if (!between)
        go_between(work, arg, orders, answers);
    close(orders[1]);
    close(answers[1]);
    if (rc)
        return rc;
    do
        n = read(answers[0], pid_r, sizeof(*pid_r));
    while (n < 0 && errno == EINTR);
    (void)reap(between);
    return n == sizeof(*pid_r) ? 0
        : xlcfg__err(err, XLCFG_ERROR_FAIL, NULL,
                     "fork: no process came of it");
}

static int begin(struct xlcfg__xen_hand *hand,
                 const struct xlcfg__xen_work *work, void *arg,
                 xlcfg_error *err)
{
    int orders[2], answers[2], lock = hand->lock, rc;

    xlcfg__xen_child_reap(hand);
    hand->lock = lock;          /* of the act that is under way */
    rc = open_ways(orders, answers, err);
    if (rc)
        return rc;
    rc = fork_away(work, arg, orders, answers, &hand->waits, err);
    hand->orders = orders[0];
    hand->answers = answers[0];
    if (rc)
        let_go(hand);
    else        /* an init, or who asked for it, is given whose parent died */
        hand->ours = waitpid(hand->waits, NULL, WNOHANG) == 0;
    return rc;
}

bool xlcfg__xen_child_waits(struct xlcfg__xen_hand *hand)
{
    struct pollfd end = { .fd = hand->orders };

    if (!hand->waits)
        return false;
    if (poll(&end, 1, 0) <= 0 || !(end.revents & (POLLHUP | POLLERR)))
        return true;
    /* it, or somebody, has ended it; the caller may have heard of that
     * already, and its number be another's */
    if (hand->ours && waitpid(hand->waits, NULL, WNOHANG) == 0)
        hand->left = hand->waits;
    let_go(hand);
    return false;
}

/* False: it did not take it all. */
static bool send_order(const struct xlcfg__xen_hand *hand, const char *order,
                       size_t size)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct xlcfg__xen_head head = { size, hand->lock >= 0 };
    struct iovec part = { &head, sizeof(head) };
    struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
    struct cmsghdr *with;
    ssize_t n;

    if (head.locked) {
        msg.msg_control = control.room;
        msg.msg_controllen = sizeof(control.room);
        with = CMSG_FIRSTHDR(&msg);
        with->cmsg_level = SOL_SOCKET;
        with->cmsg_type = SCM_RIGHTS;
        with->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(with), &hand->lock, sizeof(int));
    }
    do
        n = sendmsg(hand->orders, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    while (n > 0 && size) {
        n = send(hand->orders, order, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0) {
            order += n;
            size -= (size_t)n;
        }
    }
    return !size;
}

int xlcfg__xen_child_ready(struct xlcfg__xen_hand *hand,
                           const struct xlcfg__xen_work *work, void *arg,
                           xlcfg_error *err)
{
    return xlcfg__xen_child_waits(hand) ? 0 : begin(hand, work, arg, err);
}

int xlcfg__xen_child_order(struct xlcfg__xen_hand *hand,
                           const struct xlcfg__xen_work *work, void *arg,
                           const void *order, size_t size, unsigned ms,
                           xlcfg_error *err)
{
    int rc = xlcfg__xen_child_ready(hand, work, arg, err);
    struct xlcfg__xen_work patient = *work;
    pid_t pid;

    /* to one that was about to end; an order that is not whole is obeyed by
     * nobody.  On a host that is slow enough a new one may be about to end,
     * too, when the order comes: each waits longer than the one before.  Of
     * the last that does not take it the answer will tell. */
    for (int i = 0; !rc && !send_order(hand, order, size) && i < TRIES; i++) {
        patient.idle_ms *= 2;
        rc = begin(hand, &patient, arg, err);
    }
    if (rc)
        return rc;
    pid = hand->waits;
    hand->waits = 0;
    rc = take_answer(hand, pid, hand->ours, hand->answers, ms, err);
    hand->lock = -1;
    if (rc) {
        let_go(hand);
    } else {
        hand->waits = pid;      /* for the next */
        hand->left = 0;
    }
    return rc;
}

void xlcfg__xen_child_rest(struct xlcfg__xen_hand *hand)
{
    if (hand->ours)
        xlcfg__xen_child_reap(hand);
    else
        reap_left(hand);
}

void xlcfg__xen_child_reap(struct xlcfg__xen_hand *hand)
{
    pid_t pid = xlcfg__xen_child_waits(hand) ? hand->waits : 0;

    if (pid) {                  /* it does nothing, and may hang */
        (void)end(pid, hand->ours, hand->answers);
        let_go(hand);
    }
    reap_left(hand);
}
