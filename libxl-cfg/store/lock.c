/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File locks by libxl's protocol.  A waiter sleeps in short steps rather
 * than in flock(), so that a bound holds and no signal handler is needed.
 */
#include "store/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A file that was replaced under us is tried again at once, this often even
 * when the time is up: whoever replaced it has let go. */
#define REPLACED_TRIES 16

struct xlcfg__lock {
    int fd;
    char *path;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&ts, NULL);       /* cut short: only an earlier next try */
}

/* 1: fd is the file at path, 0: it is not, negative: could not look. */
static int is_at(int fd, const char *path)
{
    struct stat mine, there;

    if (fstat(fd, &mine))
        return -1;
    if (lstat(path, &there))
        return errno == ENOENT ? 0 : -1;
    return mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

static int open_file(const char *path, int *fd_r, xlcfg_error *err)
{
    struct stat sb;
    int fd;

    do
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
                  O_NONBLOCK | O_NOCTTY, 0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_STORE, path,
                          "cannot make the lock file: %s", strerror(errno));
    if (fstat(fd, &sb) || !S_ISREG(sb.st_mode)) {
        close(fd);
        return xlcfg__err(err, XLCFG_ERROR_STORE, path,
                          "expected a regular file to lock");
    }
    *fd_r = fd;
    return 0;
}

/*
 * One try.  0: fd_r is locked and at path; LOCK_FAIL: another holds it, and
 * err is left alone; 1: the file was replaced meanwhile; STORE: said.
 */
static int try_once(const char *path, int *fd_r, xlcfg_error *err)
{
    int fd = -1, r, rc;

    rc = open_file(path, &fd, err);
    if (rc)
        return rc;
    do
        r = flock(fd, LOCK_EX | LOCK_NB);
    while (r && errno == EINTR);
    if (r && errno == EWOULDBLOCK) {
        close(fd);
        return XLCFG_ERROR_LOCK_FAIL;
    }
    if (!r)
        r = is_at(fd, path);
    else
        r = -1;
    if (r == 1) {
        *fd_r = fd;
        return 0;
    }
    rc = 1;
    if (r < 0)
        rc = xlcfg__err(err, XLCFG_ERROR_STORE, path, "cannot lock: %s",
                        strerror(errno));
    close(fd);
    return rc;
}

int xlcfg__lock_take(const char *path, unsigned wait_ms,
                     xlcfg__lock **lock_r, xlcfg_error *err)
{
    int64_t end = now_ms() + wait_ms, step = 1, left;
    xlcfg__lock *lock;
    int rc, replaced = 0;

    lock = malloc(sizeof(*lock));
    if (!lock)
        return xlcfg__nomem(err);
    lock->path = strdup(path);
    if (!lock->path) {
        free(lock);
        return xlcfg__nomem(err);
    }
    while ((rc = try_once(path, &lock->fd, err)) != 0) {
        if (rc < 0 && rc != XLCFG_ERROR_LOCK_FAIL)
            break;
        if (rc == 1 && replaced++ < REPLACED_TRIES)
            continue;
        left = end - now_ms();
        if (left <= 0) {
            rc = xlcfg__err(err, XLCFG_ERROR_LOCK_FAIL, path,
                            "still locked by another after %u ms", wait_ms);
            break;
        }
        sleep_ms(step < left ? step : left);
        step = step < 32 ? step * 2 : step;
    }
    if (rc) {
        free(lock->path);
        free(lock);
        return rc;
    }
    *lock_r = lock;
    return 0;
}

int xlcfg__lock_fd(const xlcfg__lock *lock)
{
    return lock->fd;
}

void xlcfg__lock_drop(xlcfg__lock *lock)
{
    if (!lock)
        return;
    /* Only our own file: one that took its place is another's lock.  A file
     * that cannot be unlinked stays and is used again. */
    if (is_at(lock->fd, lock->path) == 1)
        unlink(lock->path);
    close(lock->fd);
    free(lock->path);
    free(lock);
}

static bool is_named(const char *name, const char *prefix)
{
    size_t len = strlen(name), most = strlen(".lock");

    return !strncmp(name, prefix, strlen(prefix)) && len > most &&
        !strcmp(name + len - most, ".lock");
}

/* Taking and dropping is what removes it; one that is held is left. */
static int sweep_one(const char *dir, const char *name, xlcfg_error *err)
{
    xlcfg__lock *lock;
    char *path;
    int rc;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return xlcfg__nomem(err);
    rc = xlcfg__lock_take(path, 0, &lock, err);
    free(path);
    if (!rc)
        xlcfg__lock_drop(lock);
    return rc == XLCFG_ERROR_LOCK_FAIL ? 0 : rc;
}

int xlcfg__lock_sweep(const char *dir, const char *prefix, xlcfg_error *err)
{
    struct dirent *entry;
    DIR *d = opendir(dir);
    int rc = 0;

    if (!d && errno == ENOENT)
        return 0;
    if (!d)
        return xlcfg__err(err, XLCFG_ERROR_STORE, dir, "cannot read: %s",
                          strerror(errno));
    while (!rc && (entry = readdir(d)))
        if (is_named(entry->d_name, prefix))
            rc = sweep_one(dir, entry->d_name, err);
    closedir(d);
    return rc;
}
