/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the work in memory costs: parse a template, merge it with a live view
 * of the same devices, hash and print the answer - beside bare yajl, which
 * parses the same text and generates it again.  Medians of 9, taken in turn.
 */
#include "core/json.h"
#include "core/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#define RUNS 9

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench: %s failed\n", what);
        exit(1);
    }
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static char *make_text(unsigned devices, size_t *len_r)
{
    char *text;
    FILE *f = open_memstream(&text, len_r);

    need(f, "memory");
    fprintf(f, "{\"c_info\":{\"type\":\"pv\",\"name\":\"guest1\"},"
            "\"b_info\":{\"max_memkb\":131072},\"nics\":[");
    for (unsigned i = 0; i < devices; i++)
        fprintf(f, "%s{\"devid\":%u,\"mac\":\"00:16:3e:%02x:%02x:%02x\","
                "\"bridge\":\"xenbr0\",\"script\":\"vif-bridge\","
                "\"nictype\":\"vif\",\"mtu\":1500}", i ? "," : "", i,
                i >> 16 & 255, i >> 8 & 255, i & 255);
    fprintf(f, "]}");
    need(fclose(f) == 0, "memory");
    return text;
}

/* ---- bare yajl: every event goes straight into a generator ---- */

static int g_null(void *g) { return !yajl_gen_null(g); }
static int g_bool(void *g, int b) { return !yajl_gen_bool(g, b); }
static int g_map(void *g) { return !yajl_gen_map_open(g); }
static int g_map_end(void *g) { return !yajl_gen_map_close(g); }
static int g_array(void *g) { return !yajl_gen_array_open(g); }
static int g_array_end(void *g) { return !yajl_gen_array_close(g); }

static int g_number(void *g, const char *s, size_t n)
{
    return !yajl_gen_number(g, s, n);
}

static int g_string(void *g, const unsigned char *s, size_t n)
{
    return !yajl_gen_string(g, s, n);
}

static void bare(const char *text, size_t len)
{
    static const yajl_callbacks calls = {
        g_null, g_bool, NULL, NULL, g_number, g_string, g_map, g_string,
        g_map_end, g_array, g_array_end,
    };
    yajl_gen g = yajl_gen_alloc(NULL);
    yajl_handle h = yajl_alloc(&calls, NULL, g);
    const unsigned char *out;
    size_t out_len;

    need(yajl_parse(h, (const unsigned char *)text, len) == yajl_status_ok &&
         yajl_complete_parse(h) == yajl_status_ok, "yajl");
    yajl_gen_get_buf(g, &out, &out_len);
    need(out_len == len, "yajl's generator");
    yajl_free(h);
    yajl_gen_free(g);
}

/* ---- ours ---- */

static void fill_live(struct xlcfg_view *live, const struct xlcfg_view *tmpl)
{
    xlcfg__view_init(live);
    for (int kind = 0; kind < XLCFG_KINDS; kind++)
        live->sees[kind] = true;
    for (size_t i = 0; i < tmpl->count; i++)
        need(xlcfg__view_add(live, tmpl->devs[i].kind,
                             xlcfg_doc_ref(tmpl->devs[i].body), NULL,
                             XLCFG_LIVE_PRESENT, NULL) == 0, "live view");
}

static void ours(const char *text, size_t len, unsigned devices)
{
    struct xlcfg_intents none = { 0 };
    struct xlcfg_answer answer = { 0 };
    struct xlcfg_view tmpl, live;
    char hash[65], *out;
    xlcfg_doc *doc;
    size_t out_len;

    need(xlcfg_doc_parse(text, len, &doc, NULL) == 0, "parse");
    xlcfg__view_init(&tmpl);
    need(xlcfg__view_from_config(doc, &tmpl, NULL) == 0, "view");
    fill_live(&live, &tmpl);
    need(xlcfg__merge(&tmpl, &none, &live, &answer, NULL) == 0, "merge");
    need(answer.count == devices && answer.complete, "the answer");
    need(xlcfg_doc_hash(answer.config, hash, NULL) == 0, "hash");
    need(xlcfg_doc_print(answer.config, XLCFG_PRINT_PRETTY, &out, &out_len,
                         NULL) == 0, "print");
    free(out);
    xlcfg__answer_dispose(&answer);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
    xlcfg_doc_free(doc);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double measure(unsigned devices)
{
    double mine[RUNS], yajl[RUNS];
    size_t len;
    char *text = make_text(devices, &len);

    for (int i = 0; i < RUNS; i++) {
        double t0 = now_ms(), t1;

        bare(text, len);
        t1 = now_ms();
        ours(text, len, devices);
        mine[i] = now_ms() - t1;
        yajl[i] = t1 - t0;
    }
    free(text);
    qsort(mine, RUNS, sizeof(*mine), by_size);
    qsort(yajl, RUNS, sizeof(*yajl), by_size);
    printf("%6u devices, %7zu bytes: parse+merge+hash+print %8.2f ms, "
           "yajl %7.2f ms, %.1f times\n", devices, len, mine[RUNS / 2],
           yajl[RUNS / 2], mine[RUNS / 2] / yajl[RUNS / 2]);
    return mine[RUNS / 2];
}

/* Peak memory of a process that does it once, in KiB. */
static long peak(unsigned devices)
{
    struct rusage used;
    int status;
    pid_t pid = fork();

    need(pid >= 0, "fork");
    if (!pid) {
        size_t len;
        char *text = make_text(devices, &len);

        ours(text, len, devices);
        free(text);
        _exit(0);
    }
    need(wait4(pid, &status, 0, &used) == pid && status == 0, "a child");
    return used.ru_maxrss;
}

int main(void)
{
    long least, most;
    double a, b;

    fflush(stdout);
    least = peak(1);
    most = peak(1000);
    a = measure(1000);
    b = measure(10000);
    printf("10,000 : 1,000 devices = %.1f\n", b / a);
    printf("peak memory with 1,000 devices: %ld KiB (with one: %ld KiB)\n",
           most, least);
    return 0;
}
