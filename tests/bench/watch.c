/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watch READERS DOMAINS CHANGES: from the write to xenstore to the reader.
 *
 * READERS watches of one process and context; CHANGES times a number is
 * written to a node of one of the DOMAINS (their paths on standard input, a
 * line each), and each reader's delay until its event is there is taken.
 * Prints p50, p99 and the most, in ms.
 *
 * watch --record SECONDS DIR: changes recorded durably one after another,
 * beside a bare loop of write and fsync in the same folder.
 */
#include "libxl_cfg.h"
#include "store/state.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void die(const char *what, const xlcfg_error *err)
{
    fprintf(stderr, "%s: %s: %s\n", what, err->where, err->message);
    exit(1);
}

/* Every reader must have one event; the delays into *at. */
static void take_one(xlcfg_watch **w, struct pollfd *fds, size_t readers,
                     double start, double *at)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    size_t left = readers;

    for (size_t i = 0; i < readers; i++)
        fds[i].events = POLLIN;
    while (left) {
        if (poll(fds, readers, 30000) < 1) {
            fprintf(stderr, "no event within 30 s\n");
            exit(1);
        }
        for (size_t i = 0; i < readers; i++) {
            xlcfg_doc *doc;
            int rc;

            if (!fds[i].events || !(fds[i].revents & POLLIN))
                continue;
            rc = xlcfg_watch_next(w[i], &doc, &err);
            if (rc < 0)
                die("watch", &err);
            if (rc)
                continue;
            xlcfg_doc_free(doc);
            fds[i].events = 0;
            at[--left] = now() - start;
        }
    }
}

/* Nothing more is under way. */
static void drain(xlcfg_watch **w, size_t readers)
{
    xlcfg_doc *doc;

    for (size_t i = 0; i < readers; i++)
        while (!xlcfg_watch_next(w[i], &doc, NULL))
            xlcfg_doc_free(doc);
}

static int latency(size_t readers, size_t domains, size_t changes)
{
    xlcfg_watch **w = calloc(readers, sizeof(struct xlcfg_watch *));
    struct pollfd *fds = calloc(readers, sizeof(*fds));
    double *at = calloc(readers * changes, sizeof(*at));
    char (*paths)[256] = calloc(domains, sizeof(*paths));
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xs_handle *xs = xs_open(0);
    xlcfg_ctx *ctx;

    if (!w || !fds || !at || !paths || !xs ||
        xlcfg_ctx_open("xen:///", NULL, &ctx, &err))
        die("open", &err);
    for (size_t i = 0; i < domains; i++)
        if (scanf("%255s", paths[i]) != 1)
            return 1;
    for (size_t i = 0; i < readers; i++) {
        if (xlcfg_watch_open(ctx, NULL, NULL, NULL, &w[i], &err))
            die("watch", &err);
        fds[i].fd = xlcfg_watch_fd(w[i]);
    }
    usleep(500000);
    for (size_t n = 0; n < changes; n++) {
        char text[32];
        double start;

        snprintf(text, sizeof(text), "%zu", 65536 +
                 ((size_t)getpid() * 64 + n) % 60000);

        drain(w, readers);
        start = now();
        if (!xs_write(xs, XBT_NULL, paths[n % domains], text,
                      (unsigned)strlen(text)))
            return 1;
        take_one(w, fds, readers, start, at + n * readers);
        usleep(20000);
    }
    qsort(at, readers * changes, sizeof(*at), by_size);
    printf("%4zu readers %4zu domains: p50 %6.2f ms  p99 %6.2f ms  most "
           "%6.2f ms\n", readers, domains, at[readers * changes / 2],
           at[readers * changes * 99 / 100], at[readers * changes - 1]);
    for (size_t i = 0; i < readers; i++)
        xlcfg_watch_close(w[i]);
    xlcfg_ctx_close(ctx);
    xs_close(xs);
    free(w); free(fds); free(at); free(paths);
    return 0;
}

/* ---- recording ---- */

static double records_a_minute(const char *dir, double seconds,
                               const xlcfg_doc *whole, double *bytes_r)
{
    char v[XLCFG__VERSION_MAX] = "";
    xlcfg_error err = XLCFG_ERROR_INIT;
    double start = now(), spent;
    xlcfg__state *st;
    char digest[32], *text;
    size_t n, len;

    if (xlcfg__state_open(dir, true, 5000, &st, &err))
        die("open", &err);
    for (n = 0; (spent = now() - start) < seconds * 1e3; n++) {
        struct xlcfg__record rec = {
            .driver = "xen", .uuid = "11111111-2222-3333-4444-555555555555",
            .name = "guest1", .domid = 7, .digest = digest, .hash = "h",
            .address_hash = "a", .event = "changed", .snapshot = whole,
            .place = "xen:///", .state = "running",
        };

        snprintf(digest, sizeof(digest), "%zu", n);
        if (xlcfg__state_record(st, &rec, v, v, &err))
            die("record", &err);
    }
    xlcfg__state_close(st);
    if (xlcfg_doc_print(whole, 0, &text, &len, NULL))
        exit(1);
    free(text);
    *bytes_r = (double)len;
    return (double)n * 60e3 / spent;
}

static double fsyncs_a_minute(const char *dir, double seconds)
{
    char path[512], page[4096] = "";
    double start, spent;
    size_t n;
    int fd;

    snprintf(path, sizeof(path), "%s/bare", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    start = now();
    for (n = 0; (spent = now() - start) < seconds * 1e3; n++)
        if (pwrite(fd, page, sizeof(page), (off_t)(n % 256) * 4096) < 0 ||
            fsync(fd))
            exit(1);
    close(fd);
    unlink(path);
    return (double)n * 60e3 / spent;
}

static int recording(double seconds, const char *dir)
{
    static char text[1 << 20];
    size_t len = fread(text, 1, sizeof(text), stdin);
    xlcfg_error err = XLCFG_ERROR_INIT;
    double records, fsyncs, bytes;
    xlcfg_doc *whole;

    if (xlcfg_doc_parse(text, len, &whole, &err))
        die("snapshot", &err);
    fsyncs = fsyncs_a_minute(dir, seconds);
    records = records_a_minute(dir, seconds, whole, &bytes);
    printf("recorded, durable: %.0f changes a minute of %.0f bytes each; "
           "bare write and fsync: %.0f a minute\n", records, bytes, fsyncs);
    xlcfg_doc_free(whole);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "--record"))
        return recording(atof(argv[2]), argv[3]);
    if (argc != 4)
        return 2;
    return latency((size_t)atol(argv[1]), (size_t)atol(argv[2]),
                   (size_t)atol(argv[3]));
}
