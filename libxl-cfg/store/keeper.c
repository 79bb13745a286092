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
#define PLACES 32               /* for those who follow */
#define STEP_MS 5               /* until a keeper has time for one more */
#define FORM "1 "               /* of the answer: another form, another word */

struct xlcfg__keeper {
    xlcfg__lock *lock;
    int dir;
    int fd;
    char name[32];              /* of the socket */
    struct stat file;
    int askers[ASKERS];
    size_t count;
    int places[PLACES];         /* of those who stay, and of some who went */
    size_t taken;
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
    xlcfg__keeper_dismiss(k);
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

/* Who stays says nothing; so whatever is heard is the end of it. */
static void clear_places(struct xlcfg__keeper *k, bool all)
{
    struct pollfd fds[PLACES];
    size_t left = 0;

    for (size_t i = 0; i < k->taken; i++)
        fds[i] = (struct pollfd){ .fd = k->places[i], .events = POLLIN };
    if (!k->taken || (!all && poll(fds, k->taken, 0) < 1))
        return;
    for (size_t i = 0; i < k->taken; i++)
        if (all || fds[i].revents)
            close(k->places[i]);
        else
            k->places[left++] = k->places[i];
    k->taken = left;
}

void xlcfg__keeper_answer(struct xlcfg__keeper *k, const char *version,
                          size_t count)
{
    clear_places(k, false);
    for (size_t i = 0; i < k->count; i++) {
        bool stays = k->taken < PLACES;
        char text[128];
        int len;

        len = snprintf(text, sizeof(text), FORM "%s %zu%s\n",
                       version ? version : "-", count, stays ? " +" : "");
        /* who has gone away meanwhile wants no answer */
        (void)!send(k->askers[i], text, (size_t)len,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (stays)
            k->places[k->taken++] = k->askers[i];
        else
            close(k->askers[i]);
    }
    k->count = 0;
}

void xlcfg__keeper_dismiss(struct xlcfg__keeper *k)
{
    clear_places(k, true);
    for (size_t i = 0; i < k->count; i++)
        close(k->askers[i]);
    k->count = 0;
}

void xlcfg__keeper_beat(const struct xlcfg__keeper *k)
{
    /* where that cannot be, those who follow look for themselves */
    (void)!utimensat(k->dir, k->name, NULL, AT_SYMLINK_NOFOLLOW);
}

/* ---- asking it ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* watch-<16 hex>.sock */
static void file_of(const char *name, char file[32])
{
    char base[24];

    stem(name, base);
    snprintf(file, 32, "%s.sock", base);
}

static void nap(void)
{
    static const struct timespec step = { 0, STEP_MS * 1000000 };

    nanosleep(&step, NULL);
}

/* Many may come at once, and there is room for some. */
static int connect_until(int fd, const struct sockaddr_un *at, int64_t until)
{
    int r;

    for (;;) {
        r = connect(fd, (const struct sockaddr *)at, sizeof(*at));
        if (!r || errno != EAGAIN || now_ms() >= until)
            return r;
        nap();
    }
}

static int call(const char *dir, const char *name, unsigned wait_ms,
                int *fd_r)
{
    struct sockaddr_un at;
    int folder, fd, r = -1;
    char file[32];
    bool late;

    file_of(name, file);
    folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return XLCFG_ERROR_NOTFOUND;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address(folder, file, &at);
    if (fd >= 0)
        r = connect_until(fd, &at, now_ms() + wait_ms);
    late = r && errno == EAGAIN;
    close(folder);
    if (!r && is_trusted(fd)) {
        *fd_r = fd;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    return late ? XLCFG_ERROR_TIMEDOUT : XLCFG_ERROR_NOTFOUND;
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

/* *fd_r: the connection, if there is a place for one who stays; else -1. */
static int ask(const char *dir, const char *name, unsigned wait_ms,
               char version_r[XLCFG__KEEPER_VERSION_MAX], size_t *count_r,
               int *fd_r)
{
    char line[128], mark, end;
    int fd, rc, n = 0;

    rc = call(dir, name, wait_ms, &fd);
    if (rc)
        return rc;
    rc = hear(fd, wait_ms, line, sizeof(line));
    if (!rc)
        n = sscanf(line, FORM "%63s %zu %c%c", version_r, count_r, &mark,
                   &end);
    if (!rc && n != 2 && (n != 3 || mark != '+'))
        rc = XLCFG_ERROR_NOTFOUND;
    *fd_r = !rc && n == 3 ? fd : -1;
    if (*fd_r < 0)
        close(fd);
    return rc;
}

int xlcfg__keeper_ask(const char *dir, const char *name, unsigned wait_ms,
                      char version_r[XLCFG__KEEPER_VERSION_MAX],
                      size_t *count_r)
{
    int fd, rc;

    rc = ask(dir, name, wait_ms, version_r, count_r, &fd);
    if (!rc && fd >= 0)
        close(fd);
    if (!rc && !strcmp(version_r, "-"))
        rc = XLCFG_ERROR_NOTFOUND;
    return rc;
}

/* ---- following it ---- */

static bool look_at(const char *dir, const char *name, struct stat *now)
{
    char file[32], *path;
    int r;

    file_of(name, file);
    if (asprintf(&path, "%s/%s", dir, file) < 0)
        return false;
    r = lstat(path, now);
    free(path);
    return !r;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int xlcfg__follow(const char *dir, const char *name, unsigned wait_ms,
                  struct xlcfg__follow *f)
{
    int64_t until = now_ms() + wait_ms;
    char version[XLCFG__KEEPER_VERSION_MAX];
    size_t count;
    int rc;

    /* looked at before it answers: another's is seen to be another */
    while (!look_at(dir, name, &f->file)) {
        if (now_ms() >= until)
            return XLCFG_ERROR_NOTFOUND;
        nap();                  /* it has the lock, and not yet a socket */
    }
    do
        rc = ask(dir, name, wait_ms, version, &count, &f->fd);
    while (rc == XLCFG_ERROR_TIMEDOUT && xlcfg__follow_moved(f, dir, name));
    return rc;
}

bool xlcfg__follow_ended(const struct xlcfg__follow *f, const char *dir,
                         const char *name)
{
    struct pollfd fd = { .fd = f->fd, .events = POLLIN };
    struct stat now;

    return (f->fd >= 0 && poll(&fd, 1, 0)) || !look_at(dir, name, &now) ||
        !is_same(&now, &f->file);
}

bool xlcfg__follow_moved(struct xlcfg__follow *f, const char *dir,
                         const char *name)
{
    struct stat was = f->file;

    if (!look_at(dir, name, &f->file))
        return true;
    return !is_same(&was, &f->file) ||
        was.st_mtim.tv_sec != f->file.st_mtim.tv_sec ||
        was.st_mtim.tv_nsec != f->file.st_mtim.tv_nsec;
}

void xlcfg__follow_end(struct xlcfg__follow *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}
