/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers of events, and how late each had what it waited for. */
#include "latency.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LATE_MS 120000
#define PAUSE_US 20000          /* between two changes */

extern char **environ;

struct readers {
    size_t count;
    struct pollfd *fds;
    xlcfg_ctx *ctx;             /* of watches, */
    xlcfg_watch **w;
    pid_t *pids;                /* or of processes */
};

double latency_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void latency_die(const char *what, const xlcfg_error *err)
{
    fprintf(stderr, "%s: %s: %s\n", what, err->where, err->message);
    exit(1);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* ---- readers ---- */

static void open_watches(struct readers *r, const struct latency *l)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;

    opt.state_dir = l->state_dir;
    r->w = calloc(r->count, sizeof(struct xlcfg_watch *));
    if (!r->w || xlcfg_ctx_open(l->uri, &opt, &r->ctx, &err))
        latency_die("open", &err);
    for (size_t i = 0; i < r->count; i++) {
        if (xlcfg_watch_open(r->ctx, NULL, NULL, NULL, &r->w[i], &err))
            latency_die("watch", &err);
        r->fds[i].fd = xlcfg_watch_fd(r->w[i]);
    }
}

static void start_process(struct readers *r, size_t i,
                          const struct latency *l)
{
    /* a hundred that come at once have to wait for each other */
    const char *argv[16] = { l->xlcfg, "-c", l->uri, "-o", "json",
                             "--deadline", "60" };
    posix_spawn_file_actions_t to_pipe;
    int ends[2], n = 7;

    if (l->state_dir) {
        argv[n++] = "--state-dir";
        argv[n++] = l->state_dir;
    }
    argv[n++] = "watch";
    argv[n++] = "--bookmark";
    argv[n++] = "86400";
    if (pipe2(ends, O_CLOEXEC) || fcntl(ends[0], F_SETFL, O_NONBLOCK) ||
        posix_spawn_file_actions_init(&to_pipe) ||
        posix_spawn_file_actions_adddup2(&to_pipe, ends[1], 1))
        die("pipe");
    errno = posix_spawn(&r->pids[i], l->xlcfg, &to_pipe, NULL,
                        (char *const *)argv, environ);
    if (errno)
        die(l->xlcfg);
    posix_spawn_file_actions_destroy(&to_pipe);
    close(ends[1]);
    r->fds[i].fd = ends[0];
}

static void open_readers(struct readers *r, const struct latency *l)
{
    r->count = l->readers;
    r->fds = calloc(r->count, sizeof(*r->fds));
    r->pids = calloc(r->count, sizeof(*r->pids));
    if (!r->fds || !r->pids)
        die("memory");
    if (!l->xlcfg)
        open_watches(r, l);
    for (size_t i = 0; l->xlcfg && i < r->count; i++)
        start_process(r, i, l);
    for (size_t i = 0; i < r->count; i++)
        r->fds[i].events = POLLIN;
}

static void close_readers(struct readers *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->w)
            xlcfg_watch_close(r->w[i]);
        else
            kill(r->pids[i], SIGKILL);
    }
    for (size_t i = 0; !r->w && i < r->count; i++) {
        waitpid(r->pids[i], NULL, 0);
        close(r->fds[i].fd);
    }
    if (r->w)
        xlcfg_ctx_close(r->ctx);
    free(r->w);
    free(r->fds);
    free(r->pids);
}

/* ---- what they have ---- */

/* Is there an event, or the end of a line? */
static bool take_event(struct readers *r, size_t i)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char buf[65536];
    xlcfg_doc *doc;
    ssize_t n;
    int rc;

    if (r->w) {
        rc = xlcfg_watch_next(r->w[i], &doc, &err);
        if (rc < 0)
            latency_die("watch", &err);
        if (!rc)
            xlcfg_doc_free(doc);
        return !rc;
    }
    n = read(r->fds[i].fd, buf, sizeof(buf));
    if (!n || (n < 0 && errno != EAGAIN)) {
        fprintf(stderr, "a reader ended\n");
        exit(1);
    }
    return n > 0 && memchr(buf, '\n', (size_t)n);
}

static void drain(struct readers *r)
{
    for (size_t i = 0; i < r->count; i++)
        while (take_event(r, i))
            ;
}

/* Until each has an event, or time is up; how many have.  The delays go into
 * `at`, which may be NULL. */
static size_t take_all(struct readers *r, double start, double ms,
                       double *at)
{
    struct pollfd *fds = calloc(r->count, sizeof(*fds));
    double until = latency_now() + ms;
    size_t have = 0;

    if (!fds)
        die("memory");
    memcpy(fds, r->fds, r->count * sizeof(*fds));
    while (have < r->count && latency_now() < until) {
        if (poll(fds, r->count, 100) < 1)
            continue;
        for (size_t i = 0; i < r->count; i++) {
            if (!(fds[i].revents & (POLLIN | POLLHUP)) ||
                !take_event(r, i))
                continue;
            fds[i].fd = -1;
            if (at)
                at[have] = latency_now() - start;
            have++;
        }
    }
    free(fds);
    return have;
}

void latency_measure(const struct latency *l)
{
    double *at = calloc(l->readers * l->changes, sizeof(*at));
    size_t n, all = l->readers * l->changes;
    struct readers r = { 0 };
    double began = latency_now();

    if (!at)
        die("memory");
    open_readers(&r, l);
    /* until all are up: who is, has each of these */
    for (n = 0; take_all(&r, l->change(l->arg, n), 1000, NULL) <
         r.count; n++)
        if (latency_now() - began > LATE_MS) {
            fprintf(stderr, "not all readers have come up\n");
            exit(1);
        }
    for (size_t i = 0; i < l->changes; i++) {
        double start;

        usleep(PAUSE_US);
        drain(&r);
        start = l->change(l->arg, ++n);
        if (take_all(&r, start, LATE_MS, at + i * r.count) < r.count) {
            fprintf(stderr, "no event within %d s\n", LATE_MS / 1000);
            exit(1);
        }
    }
    qsort(at, all, sizeof(*at), by_size);
    printf("%4zu %s %4zu domains: p50 %6.2f ms  p99 %6.2f ms  most %6.2f "
           "ms\n", l->readers, l->xlcfg ? "processes" : "readers  ",
           l->domains, at[all / 2], at[all * 99 / 100], at[all - 1]);
    fflush(stdout);
    close_readers(&r);
    free(at);
}
