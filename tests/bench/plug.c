/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plug RUNS DOMID KIND BODY: attach and detach, by bare libxl and by
 * libxlcfg in turn, least and median ms of each, and what ours costs more:
 * of the least ones, and the median of the pairs' differences.
 *
 * KIND is disk, nic or vtpm, BODY a file.  Each pair begins with the other
 * one of the two, so that neither always comes second.  BENCH_REST (0) is how
 * many seconds each turn waits first, and its detach again: a guest that is
 * still at the last one would be measured with it.
 */
#include <inttypes.h>
#include <libxl.h>
#include <libxl_cfg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xentoollog.h>

#define MAX_RUNS 1000

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
    fprintf(stderr, "plug: %s: %s\n", what, why);
    exit(1);
}

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static unsigned rest;

/* The guest comes to rest; and when that is. */
static double rested_ms(void)
{
    sleep(rest);
    return now_ms();
}

/* ---- bare libxl ---- */

#define BARE(k, unplug)                                                 \
    static int bare_##k(libxl_ctx *ctx, uint32_t domid,                 \
                        const char *json, double ms[2])                 \
    {                                                                   \
        libxl_device_##k dev;                                           \
        double start = rested_ms();                                     \
        int rc;                                                         \
                                                                        \
        libxl_device_##k##_init(&dev);                                  \
        rc = libxl_device_##k##_from_json(ctx, &dev, json);             \
        if (!rc)                                                        \
            rc = libxl_device_##k##_add(ctx, domid, &dev, NULL);        \
        ms[0] = now_ms() - start;                                       \
        start = rested_ms();                                            \
        if (!rc)                                                        \
            rc = libxl_device_##k##_##unplug(ctx, domid, &dev, NULL);   \
        ms[1] = now_ms() - start;                                       \
        libxl_device_##k##_dispose(&dev);                               \
        return rc;                                                      \
    }
BARE(disk, safe_remove)
BARE(nic, remove)
BARE(vtpm, remove)

static const struct {
    const char *name;
    int (*bare)(libxl_ctx *ctx, uint32_t domid, const char *json,
                double ms[2]);
} kinds[] = {
    { "disk", bare_disk }, { "nic", bare_nic }, { "vtpm", bare_vtpm },
};

/* ---- ours ---- */

static void ours(xlcfg_ctx *ctx, const char *dom, const char *kind,
                 const xlcfg_doc *body, double ms[2])
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    double start = rested_ms();
    char key[128];

    if (xlcfg_device_attach(ctx, dom, kind, body, &opt, &doc, &err))
        die("attach", err.message);
    ms[0] = now_ms() - start;
    snprintf(key, sizeof(key), "%s", xlcfg_doc_string(
        xlcfg_doc_get(xlcfg_doc_get(doc, "device"), "key")));
    xlcfg_doc_free(doc);
    start = rested_ms();
    if (xlcfg_device_detach(ctx, dom, key, &opt, &doc, &err))
        die("detach", err.message);
    ms[1] = now_ms() - start;
    xlcfg_doc_free(doc);
}

/* ---- both ---- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (!file || getdelim(&text, &size, '\0', file) <= 0)
        die(path, "cannot be read");
    fclose(file);
    return text;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *ms, int count)
{
    qsort(ms, (size_t)count, sizeof(*ms), by_size);
    return count % 2 ? ms[count / 2]
                     : (ms[count / 2 - 1] + ms[count / 2]) / 2;
}

int main(int argc, char **argv)
{
    static double bare[2][MAX_RUNS], own[2][MAX_RUNS], extra[MAX_RUNS];
    static const char *const acts[] = { "attach", "detach" };
    xentoollog_logger *log =
        (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_ERROR,
                                                          0);
    size_t kind = 0;
    libxl_ctx *libxl;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx;
    xlcfg_doc *body;
    char *json;
    int runs;

    if (argc != 5)
        die("usage", "plug RUNS DOMID KIND BODY");
    runs = atoi(argv[1]);
    rest = getenv("BENCH_REST") ? (unsigned)atoi(getenv("BENCH_REST")) : 0;
    if (runs < 1 || runs > MAX_RUNS)
        die(argv[1], "expected a number of runs up to 1000");
    while (kind < sizeof(kinds) / sizeof(kinds[0]) &&
           strcmp(kinds[kind].name, argv[3]))
        kind++;
    if (kind == sizeof(kinds) / sizeof(kinds[0]))
        die(argv[3], "expected disk, nic or vtpm");
    json = read_file(argv[4]);
    if (xlcfg_doc_parse(json, strlen(json), &body, &err) ||
        xlcfg_ctx_open("xen:///", NULL, &ctx, &err))
        die(argv[4], err.message);
    if (libxl_ctx_alloc(&libxl, LIBXL_VERSION, 0, log))
        die("libxl", "cannot be opened");
    for (int i = 0; i < runs; i++) {
        double ms[2][2];

        for (int turn = 0; turn < 2; turn++) {
            int which = (turn + i) & 1;

            if (which)
                ours(ctx, argv[2], argv[3], body, ms[1]);
            else if (kinds[kind].bare(libxl, (uint32_t)atoi(argv[2]), json,
                                      ms[0]))
                die(argv[3], "libxl failed");
            /* its ghost in the template is no part of what is measured */
            if (!which) {
                xlcfg_doc *steps = NULL;

                if (xlcfg_settle(ctx, argv[2], false, &steps, &err))
                    die("settle", err.message);
                xlcfg_doc_free(steps);
            }
        }
        for (int act = 0; act < 2; act++) {
            bare[act][i] = ms[0][act];
            own[act][i] = ms[1][act];
        }
    }
    for (int act = 0; act < 2; act++) {
        double a, b, more;

        for (int i = 0; i < runs; i++)
            extra[i] = own[act][i] - bare[act][i];
        more = median(extra, runs);
        a = median(bare[act], runs);
        b = median(own[act], runs);
        /* sorted by now: the first is the least */
        printf("%-6s %s |%9.1f%9.1f |%9.1f%9.1f |%9.1f%9.1f\n", argv[3],
               acts[act], bare[act][0], a, own[act][0], b,
               own[act][0] - bare[act][0], more);
    }
    free(json);
    xlcfg_doc_free(body);
    xlcfg_ctx_close(ctx);
    libxl_ctx_free(libxl);
    xtl_logger_destroy(log);
    return 0;
}
