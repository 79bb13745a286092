/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.tick: written after each commit, with the newest version.  It wakes
 * who waits for records, and as it is never ahead of what was committed, it
 * tells of a state.db that went back: an older copy that was put in its place,
 * or a log that was taken away with what was in it.
 */
#include "store/state_i.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A text that is being written may be read half; not twice alike. */
#define READS 5
#define BETWEEN_NS 2000000

static int open_tick(const xlcfg__state *st, int flags)
{
    char *path;
    int fd;

    if (asprintf(&path, "%s/" XLCFG__STATE_TICK, st->dir) < 0)
        return -1;
    fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    free(path);
    return fd;
}

/* Told after the commit, when it can be read: the log itself is written
 * before that.  Who waits looks by itself too, so a lost tick is only late. */
void xlcfg__state_tick(xlcfg__state *st, const char *version)
{
    char line[XLCFG__VERSION_MAX + 1];
    int len = snprintf(line, sizeof(line), "%s\n", version);

    if (st->tick < 0)
        st->tick = open_tick(st, O_WRONLY | O_CREAT);
    if (st->tick >= 0 && pwrite(st->tick, line, (size_t)len, 0) < 0) {
        close(st->tick);
        st->tick = -1;
    }
}

/* The revision it is at, if it is this store's; 0: it says nothing. */
static int64_t told(const xlcfg__state *st)
{
    char text[XLCFG__VERSION_MAX] = "", *end;   /* and a newline */
    size_t len = strlen(st->instance);
    int fd = open_tick(st, O_RDONLY);
    long long revision;
    ssize_t n;

    if (fd < 0)
        return 0;
    n = pread(fd, text, sizeof(text) - 1, 0);
    close(fd);
    if (n < 0 || strncmp(text, st->instance, len) || text[len] != '.')
        return 0;
    revision = strtoll(text + len + 1, &end, 10);
    return *end == '\n' ? revision : 0;
}

bool xlcfg__state_went_back(xlcfg__state *st)
{
    int64_t before = 0;

    for (int i = 0; i < READS; i++) {
        int64_t now = told(st);         /* first: the store is never behind */
        char revision[24];

        if (xlcfg__state_ask(st, "SELECT revision FROM meta", revision,
                             sizeof(revision)) != SQLITE_OK ||
            now <= strtoll(revision, NULL, 10))
            return false;
        if (now == before)
            return true;
        before = now;
        nanosleep(&(struct timespec){ .tv_nsec = BETWEEN_NS }, NULL);
    }
    return false;
}
