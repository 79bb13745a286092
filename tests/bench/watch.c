/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watch READERS DOMAINS CHANGES [XLCFG]: from the write to xenstore to the
 * reader.
 *
 * READERS watches of one process and context, or as many processes of XLCFG;
 * CHANGES times a number is written to a node of one of the DOMAINS (their
 * paths on standard input, a line each), and each reader's delay until its
 * event, or its line, is there is taken.  Prints p50, p99 and the most, in ms.
 *
 * watch --record SECONDS DIR: changes recorded durably one after another,
 * beside a bare loop of write and fsync in the same folder.
 */
#include "latency.h"
#include "store/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#define now latency_now
#define die latency_die

struct nodes {
    struct xs_handle *xs;
    char (*paths)[256];
    size_t count;
};

static double write_node(void *arg, size_t n)
{
    struct nodes *to = arg;
    char text[32];
    double start;

    snprintf(text, sizeof(text), "%zu", 65536 +
             ((size_t)getpid() * 64 + n) % 60000);
    start = now();
    if (!xs_write(to->xs, XBT_NULL, to->paths[n % to->count], text,
                  (unsigned)strlen(text))) {
        perror(to->paths[n % to->count]);
        exit(1);
    }
    return start;
}

static int latency(size_t readers, size_t domains, size_t changes,
                   const char *xlcfg)
{
    struct nodes to = { .xs = xs_open(0), .count = domains,
                        .paths = calloc(domains, sizeof(*to.paths)) };
    struct latency l = { .uri = "xen:///", .xlcfg = xlcfg,
                         .readers = readers, .domains = domains,
                         .changes = changes, .change = write_node,
                         .arg = &to };

    if (!to.xs || !to.paths) {
        perror("xenstore");
        return 1;
    }
    for (size_t i = 0; i < domains; i++)
        if (scanf("%255s", to.paths[i]) != 1)
            return 1;
    latency_measure(&l);
    xs_close(to.xs);
    free(to.paths);
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
    if (argc != 4 && argc != 5)
        return 2;
    return latency((size_t)atol(argv[1]), (size_t)atol(argv[2]),
                   (size_t)atol(argv[3]), argc > 4 ? argv[4] : NULL);
}
