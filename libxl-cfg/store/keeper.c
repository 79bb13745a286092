/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keeper's lock and socket, and asking it. */
#include "store/keeper.h"
#include "core/hash.h"
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ASKERS 64               /* at a time; more of them wait */
#define FORM "1 "               /* of the answer: another form, another word */

struct xlcfg__keeper {
    xlcfg__lock *lock;
    int dir;
    int fd;
    char name[32];              /* of the socket */
    struct stat file;
    int askers[ASKERS];
    size_t count;
};

/* watch-<16 hex>, which both sides make of the name alike. */
static void stem(const char *name, char buf[24])
{
    char hex[65];

    xlcfg__hash_bytes(name, strlen(name), hex);
    snprintf(buf, 24, "watch-%.16s", hex);
}

/* Where a socket is, by a path that fits into its address however long the
 * folder's is. */
static void address(int dir, const char *name, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(at->sun_path, sizeof(at->sun_path), "/proc/self/fd/%d/%s", dir,
             name);
}

/* The folder is ours alone; where it is not, at least the other end must be
 * of the same user, or root. */
static bool is_trusted(int fd)
{
    socklen_t len = sizeof(struct ucred);
    struct ucred peer;

    return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
        (peer.uid == geteuid() || !peer.uid);
}

/* ---- the keeper ---- */

static int listen_at(struct xlcfg__keeper *k, const char *path,
                     xlcfg_error *err)
{
    struct sockaddr_un at;

    k->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (k->dir < 0)
        return xlcfg__err(err, XLCFG_ERROR_STORE, path, "%s",
                          strerror(errno));
    address(k->dir, k->name, &at);
    /* of one that was killed: the lock is ours, so it is not in use */
    unlinkat(k->dir, k->name, 0);
    k->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (k->fd < 0 || fchmod(k->fd, 0600) ||
        bind(k->fd, (struct sockaddr *)&at, sizeof(at)) ||
        listen(k->fd, ASKERS) ||
        fstatat(k->dir, k->name, &k->file, AT_SYMLINK_NOFOLLOW))
        return xlcfg__err(err, XLCFG_ERROR_STORE, path,
                          "cannot listen on %s: %s", k->name,
                          strerror(errno));
    return 0;
}

int xlcfg__keeper_open(const char *dir, const char *name,
                       xlcfg__keeper **keeper_r, xlcfg_error *err)
{
    struct xlcfg__keeper *k = calloc(1, sizeof(*k));
    char *lock, base[24];
    int rc;

    if (!k)
        return xlcfg__nomem(err);
    k->dir = k->fd = -1;
    stem(name, base);
    snprintf(k->name, sizeof(k->name), "%s.sock", base);
    if (asprintf(&lock, "%s/%s.lock", dir, base) < 0) {
        free(k);
        return xlcfg__nomem(err);
    }
    rc = xlcfg__lock_take(lock, 0, &k->lock, err);
    free(lock);
    if (!rc)
        rc = listen_at(k, dir, err);
    if (rc)
        xlcfg__keeper_close(k);
    else
        *keeper_r = k;
    return rc;
}

void xlcfg__keeper_close(struct xlcfg__keeper *k)
{
    if (!k)
        return;
    xlcfg__keeper_answer(k, NULL, 0);
    /* ours alone is taken away, and before another may make its own */
    if (k->file.st_ino && !xlcfg__keeper_lost(k))
        unlinkat(k->dir, k->name, 0);
    if (k->fd >= 0)
        close(k->fd);
    if (k->dir >= 0)
        close(k->dir);
    xlcfg__lock_drop(k->lock);
    free(k);
}

int xlcfg__keeper_fd(const struct xlcfg__keeper *k)
{
    return k->fd;
}

bool xlcfg__keeper_lost(const struct xlcfg__keeper *k)
{
    struct stat now;

    return fstatat(k->dir, k->name, &now, AT_SYMLINK_NOFOLLOW) ||
        now.st_dev != k->file.st_dev || now.st_ino != k->file.st_ino;
}

bool xlcfg__keeper_asked(const struct xlcfg__keeper *k)
{
    struct pollfd fd = { .fd = k->fd, .events = POLLIN };

    return poll(&fd, 1, 0) == 1;
}

size_t xlcfg__keeper_take(struct xlcfg__keeper *k)
{
    while (k->count < ASKERS) {
        int fd = accept4(k->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && errno == EINTR)
            continue;
        if (fd < 0)
            break;
        if (is_trusted(fd))
            k->askers[k->count++] = fd;
        else
            close(fd);
    }
    return k->count;
}

void xlcfg__keeper_answer(struct xlcfg__keeper *k, const char *version,
                          size_t count)
{
    char text[128];
    int len = 0;

    if (version)
        len = snprintf(text, sizeof(text), FORM "%s %zu\n", version, count);
    for (size_t i = 0; i < k->count; i++) {
        /* who has gone away meanwhile wants no answer */
        if (len > 0)
            (void)!send(k->askers[i], text, (size_t)len,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
        close(k->askers[i]);
    }
    k->count = 0;
}

/* ---- asking it ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int call(const char *dir, const char *name, int *fd_r)
{
    struct sockaddr_un at;
    char base[24], file[32];
    int folder, fd, r = -1;

    stem(name, base);
    snprintf(file, sizeof(file), "%s.sock", base);
    folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return XLCFG_ERROR_NOTFOUND;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address(folder, file, &at);
    /* answers at once: yes, nobody there, or too many before us */
    if (fd >= 0)
        r = connect(fd, (struct sockaddr *)&at, sizeof(at));
    close(folder);
    if (!r && is_trusted(fd)) {
        *fd_r = fd;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    return XLCFG_ERROR_NOTFOUND;
}

/* One line, without its end. */
static int hear(int fd, unsigned wait_ms, char *buf, size_t size)
{
    int64_t until = now_ms() + wait_ms;
    size_t have = 0;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t left = until - now_ms();
        ssize_t n;

        if (left <= 0)
            return XLCFG_ERROR_TIMEDOUT;
        if (poll(&p, 1, (int)left) < 1)
            continue;
        n = read(fd, buf + have, size - 1 - have);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return XLCFG_ERROR_NOTFOUND;
        have += (size_t)n;
        if (buf[have - 1] == '\n') {
            buf[have - 1] = '\0';
            return 0;
        }
        if (have == size - 1)
            return XLCFG_ERROR_NOTFOUND;
    }
}

int xlcfg__keeper_ask(const char *dir, const char *name, unsigned wait_ms,
                      char version_r[XLCFG__KEEPER_VERSION_MAX],
                      size_t *count_r)
{
    char line[128], end;
    int fd, rc;

    rc = call(dir, name, &fd);
    if (rc)
        return rc;
    rc = hear(fd, wait_ms, line, sizeof(line));
    close(fd);
    if (!rc && sscanf(line, FORM "%63s %zu%c", version_r, count_r,
                      &end) != 2)
        rc = XLCFG_ERROR_NOTFOUND;
    return rc;
}
