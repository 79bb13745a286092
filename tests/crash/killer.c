/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * killer.so: counts the calls of a family of processes that change the world
 * outside of them, and at call N kills one, some or all of the family, or
 * makes the call fail.
 *
 * Preloaded; a "board" (board.h) in a shared file, named by
 * XLCFG_CRASH_BOARD, holds the count, the orders and a trace.  Counted are,
 * just before they are done: writes, syncs, truncations, creations, renames
 * and removals of files below XLCFG_CRASH_ROOTS (colon separated), their
 * locks, requests to the xenstored of XENSTORED_PATH (the reading ones too
 * when asked for), forks, programs begun, orders to children that wait,
 * answers through pipes, and both ends of libxl's add and remove calls.
 */
#include "board.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS 1024

static struct board *board;
static const char *roots, *xenstored;
/* What is left of the request that is being written on this descriptor, and
 * the part of a header that came in pieces. */
static struct stream {
    uint32_t left, have;
    unsigned char head[16];
} streams[FDS];

#define NEXT(name)                                                      \
    static __typeof__(&name) next;                                      \
    if (!next)                                                          \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* ---- the board ---- */

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void enlist(void)
{
    uint32_t at = atomic_fetch_add(&board->members, 1);

    if (at < BOARD_MEMBERS)
        atomic_store(&board->pids[at], getpid());
    if (atomic_load(&board->dead))
        die();
}

static void strike(uint32_t who)
{
    uint32_t members = atomic_load(&board->members);

    if (who & BOARD_ALL) {
        atomic_store(&board->dead, 1);
        for (uint32_t i = 0; i < members && i < BOARD_MEMBERS; i++) {
            pid_t pid = atomic_load(&board->pids[i]);

            if (pid > 0 && pid != getpid())
                kill(pid, SIGKILL);
        }
        die();
    }
    if (who & BOARD_CALLER)
        kill(atomic_load(&board->caller), SIGKILL);
    if (who & BOARD_CHILD && atomic_load(&board->child) > 0)
        kill(atomic_load(&board->child), SIGKILL);
    if (who & BOARD_SELF)
        die();
}

/* Counts one call.  0, or the errno it is to fail with. */
static int point(const char *what, const char *where)
{
    char label[BOARD_LABEL];
    uint32_t n;

    if (!board || !atomic_load(&board->armed))
        return 0;
    if (atomic_load(&board->dead))
        die();
    if (board->only[0] && !strstr(where, board->only))
        return 0;
    n = atomic_fetch_add(&board->count, 1) + 1;
    snprintf(label, sizeof(label), "%s %s", what, where);
    if (n <= BOARD_TRACE)
        memcpy(board->trace[n - 1], label, sizeof(label));
    if (!board->at || n < board->at ||
        (n > board->at && !board->goes_on))
        return 0;
    if (n == board->at) {
        memcpy(board->label, label, sizeof(label));
        board->hit_by = getpid();
    }
    if (board->fault)
        return (int)board->fault;
    strike(board->who);
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("XLCFG_CRASH_BOARD");
    int fd;

    if (!path)
        return;
    fd = (int)open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED,
                 fd, 0);
    close(fd);
    if (board == MAP_FAILED) {
        board = NULL;
        return;
    }
    roots = getenv("XLCFG_CRASH_ROOTS");
    xenstored = getenv("XENSTORED_PATH");
    if (!atomic_load(&board->caller)) {
        atomic_store(&board->caller, getpid());
        atomic_store(&board->armed, 1);
    }
    enlist();
    point("program", program_invocation_short_name);
}

/* ---- files ---- */

static bool below_roots(const char *path)
{
    const char *at = roots;

    while (at && *at) {
        size_t len = strcspn(at, ":");

        if (len && !strncmp(path, at, len))
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

static int at_path(const char *what, const char *path)
{
    return board && path && below_roots(path) ? point(what, path) : 0;
}

/* The file of fd when it is one of ours: 1 regular, 2 a pipe. */
static int file_of(int fd, char *path, size_t size)
{
    char link[64];
    struct stat sb;
    ssize_t n;

    if (!board || fstat(fd, &sb))
        return 0;
    if (S_ISFIFO(sb.st_mode)) {
        snprintf(path, size, "pipe");
        return 2;
    }
    if (!S_ISREG(sb.st_mode))
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, size - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return below_roots(path) ? 1 : 0;
}

static int at_fd(const char *what, int fd)
{
    char path[512];

    return file_of(fd, path, sizeof(path)) == 1 ? point(what, path) : 0;
}

#define FAIL(why)       \
    do {                \
        int why_ = why; \
        if (why_) {     \
            errno = why_; \
            return -1;  \
        }               \
    } while (0)

#define OPENING(name, type)                                             \
    int name(const char *path, int flags, ...)                          \
    {                                                                   \
        mode_t mode = 0;                                                \
        va_list ap;                                                     \
        NEXT(name);                                                     \
                                                                        \
        if (flags & (O_CREAT | O_TMPFILE)) {                            \
            va_start(ap, flags);                                        \
            mode = va_arg(ap, mode_t);                                  \
            va_end(ap);                                                 \
            FAIL(at_path("create", path));                              \
        }                                                               \
        return next(path, flags, mode);                                 \
    }
OPENING(open, int)
OPENING(open64, int)

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;
    NEXT(openat);

    if (flags & (O_CREAT | O_TMPFILE)) {
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
        FAIL(at_path("create", path));
    }
    return next(dir, path, flags, mode);
}

int ftruncate(int fd, off_t size)
{
    NEXT(ftruncate);
    FAIL(at_fd("truncate", fd));
    return next(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    NEXT(ftruncate64);
    FAIL(at_fd("truncate", fd));
    return next(fd, size);
}

int fsync(int fd)
{
    NEXT(fsync);
    FAIL(at_fd("sync", fd));
    return next(fd);
}

int fdatasync(int fd)
{
    NEXT(fdatasync);
    FAIL(at_fd("sync", fd));
    return next(fd);
}

int rename(const char *from, const char *to)
{
    NEXT(rename);
    FAIL(at_path("rename", to));
    return next(from, to);
}

int renameat(int dir, const char *from, int to_dir, const char *to)
{
    NEXT(renameat);
    FAIL(at_path("rename", to));
    return next(dir, from, to_dir, to);
}

int unlink(const char *path)
{
    NEXT(unlink);
    FAIL(at_path("unlink", path));
    return next(path);
}

int unlinkat(int dir, const char *path, int flags)
{
    NEXT(unlinkat);
    FAIL(at_path("unlink", path));
    return next(dir, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir);
    FAIL(at_path("mkdir", path));
    return next(path, mode);
}

int flock(int fd, int how)
{
    NEXT(flock);
    if (!board || !board->fault)        /* a disk that is full still locks */
        at_fd(how & LOCK_UN ? "unlock" : "lock", fd);
    return next(fd, how);
}

/* ---- xenstore ---- */

static const char *const requests[] = {
    "CONTROL", "DIRECTORY", "READ", "GET_PERMS", "WATCH", "UNWATCH",
    "TRANSACTION_START", "TRANSACTION_END", "INTRODUCE", "RELEASE",
    "GET_DOMAIN_PATH", "WRITE", "MKDIR", "RM", "SET_PERMS",
};

static bool only_reads(uint32_t type)
{
    return type <= 3 || type == 10 || type > 14;
}

static bool is_xenstore(int fd)
{
    struct sockaddr_un to = { .sun_family = AF_UNSPEC };
    socklen_t len = sizeof(to) - 1;

    return board && xenstored && fd >= 0 && fd < FDS &&
        !getpeername(fd, (struct sockaddr *)&to, &len) &&
        to.sun_family == AF_UNIX && !strcmp(to.sun_path, xenstored);
}

/* Walk what is written for headers; a header may come in pieces. */
static int see_requests(int fd, const unsigned char *data, size_t size)
{
    struct stream *s = &streams[fd];
    int why = 0;

    while (size && !why) {
        if (!s->left) {
            s->head[s->have++] = *data++;
            size--;
            if (s->have == sizeof(s->head)) {
                uint32_t type, len;

                memcpy(&type, s->head, 4);
                memcpy(&len, s->head + 12, 4);
                s->have = 0;
                s->left = len;
                if (!only_reads(type))
                    why = point("xenstore", requests[type]);
                else if (board->reads)
                    why = point("xenstore", type <= 14 ? requests[type]
                                : "other");
            }
        } else {
            size_t n = size < s->left ? size : s->left;

            data += n;
            size -= n;
            s->left -= (uint32_t)n;
        }
    }
    return why;
}

static int at_write(int fd, const void *data, size_t size)
{
    char path[512];

    switch (file_of(fd, path, sizeof(path))) {
    case 1:
        return point("write", path);
    case 2:
        if (board->fault)
            return 0;
        return point("answer", path);
    }
    return is_xenstore(fd) ? see_requests(fd, data, size) : 0;
}

ssize_t write(int fd, const void *data, size_t size)
{
    NEXT(write);
    FAIL(at_write(fd, data, size));
    return next(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    NEXT(pwrite);
    FAIL(at_fd("write", fd));
    return next(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    NEXT(pwrite64);
    FAIL(at_fd("write", fd));
    return next(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
    NEXT(writev);
    for (int i = 0; i < count; i++)
        FAIL(at_write(fd, v[i].iov_base, v[i].iov_len));
    return next(fd, v, count);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    NEXT(send);
    FAIL(at_write(fd, data, size));
    return next(fd, data, size, flags);
}

/* What carries a lock to the child that waits is its order to act. */
static bool is_order(const struct msghdr *msg)
{
    const struct cmsghdr *with = CMSG_FIRSTHDR(msg);

    return board && !board->fault && with && with->cmsg_type == SCM_RIGHTS;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    NEXT(sendmsg);
    if (is_order(msg))
        point("order", "child");
    for (size_t i = 0; i < msg->msg_iovlen; i++)
        FAIL(at_write(fd, msg->msg_iov[i].iov_base,
                      msg->msg_iov[i].iov_len));
    return next(fd, msg, flags);
}

int close(int fd)
{
    NEXT(close);
    if (fd >= 0 && fd < FDS)
        memset(&streams[fd], 0, sizeof(streams[fd]));
    return next(fd);
}

/* ---- processes ---- */

pid_t fork(void)
{
    pid_t pid;
    NEXT(fork);

    if (!board || board->fault)
        return next();
    point("fork", program_invocation_short_name);
    pid = next();
    if (!pid)
        enlist();
    else if (pid > 0 && getpid() == atomic_load(&board->caller))
        atomic_store(&board->child, pid);
    return pid;
}

/* ---- libxl: add, remove, safe_remove and destroy have one shape ---- */

#define LIBXL(name)                                                     \
    int name(void *ctx, uint32_t domid, void *dev, const void *how);    \
    int name(void *ctx, uint32_t domid, void *dev, const void *how)     \
    {                                                                   \
        int rc;                                                         \
        NEXT(name);                                                     \
                                                                        \
        if (!board || board->fault)                                     \
            return next(ctx, domid, dev, how);                          \
        point("before", #name);                                         \
        rc = next(ctx, domid, dev, how);                                \
        point("after", #name);                                          \
        return rc;                                                      \
    }
#define KIND(k)                                                         \
    LIBXL(libxl_device_##k##_add) LIBXL(libxl_device_##k##_remove)      \
    LIBXL(libxl_device_##k##_destroy)

KIND(disk)
LIBXL(libxl_device_disk_safe_remove)
KIND(nic)
KIND(vtpm)
KIND(usbctrl)
LIBXL(libxl_device_usbdev_add)
LIBXL(libxl_device_usbdev_remove)
LIBXL(libxl_cdrom_insert)
