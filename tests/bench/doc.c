/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the work in memory costs: parse a template, merge it with a live view
 * of the same devices, hash and print the answer, indented - beside bare
 * yajl, which parses the same text and generates it again, without blanks.
 *
 * Processor time, the kernel's with it; medians of 21, taken in turn.  "once"
 * is a process of its own each time, as the tool is, which pays for every
 * page; "again" is one process that has done it before, as a daemon has.
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

#define RUNS 21

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

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
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

/* As a driver does it; the bodies are its own, made by its look. */
static void fill_live(struct xlcfg_view *live, const xlcfg_doc *seen)
{
    const xlcfg_doc *nics = xlcfg_doc_get(seen, "nics");

    xlcfg__view_init(live);
    for (int kind = 0; kind < XLCFG_KINDS; kind++)
        live->sees[kind] = true;
    need(xlcfg__view_reserve(live, xlcfg_doc_count(nics)) == 0, "memory");
    for (size_t i = 0; i < xlcfg_doc_count(nics); i++)
        need(xlcfg__view_add(live, XLCFG_KIND_NIC,
                             xlcfg_doc_ref(xlcfg_doc_at(nics, i)), NULL,
                             XLCFG_LIVE_PRESENT, NULL) == 0, "live view");
    need(xlcfg__view_settle(live) == 0, "live view");
}

static void ours(const char *text, size_t len, unsigned devices,
                 const xlcfg_doc *seen)
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
    fill_live(&live, seen);
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

/* ---- measuring ---- */

struct input {
    char *text;
    size_t len;
    unsigned devices;
    xlcfg_doc *seen;            /* what a driver's look found */
};

static void input_init(struct input *in, unsigned devices)
{
    in->devices = devices;
    in->text = make_text(devices, &in->len);
    need(xlcfg_doc_parse(in->text, in->len, &in->seen, NULL) == 0, "parse");
}

static void input_dispose(struct input *in)
{
    free(in->text);
    xlcfg_doc_free(in->seen);
}

static void run_bare(const struct input *in)
{
    bare(in->text, in->len);
}

static void run_ours(const struct input *in)
{
    ours(in->text, in->len, in->devices, in->seen);
}

/* Milliseconds that a process of its own needs to do it once. */
static double alone(void (*work)(const struct input *),
                    const struct input *in)
{
    int ends[2], status;
    double ms = 0;
    pid_t pid;

    need(pipe(ends) == 0, "pipe");
    pid = fork();
    need(pid >= 0, "fork");
    if (!pid) {
        double t = now_ms();

        work(in);
        ms = now_ms() - t;
        _exit(write(ends[1], &ms, sizeof(ms)) != sizeof(ms));
    }
    close(ends[1]);
    need(read(ends[0], &ms, sizeof(ms)) == sizeof(ms), "a child");
    close(ends[0]);
    need(waitpid(pid, &status, 0) == pid && status == 0, "a child");
    return ms;
}

static double again(void (*work)(const struct input *),
                    const struct input *in)
{
    double t = now_ms();

    work(in);
    return now_ms() - t;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double v[RUNS])
{
    qsort(v, RUNS, sizeof(*v), by_size);
    return v[RUNS / 2];
}

typedef double run_fn(void (*work)(const struct input *),
                      const struct input *in);

struct series {                 /* of one size of input */
    double ours[RUNS], yajl[RUNS], times[RUNS];
};

static void print_series(const char *how, const struct input *in,
                         struct series *s)
{
    printf("%-5s %6u devices, %7zu bytes: parse+merge+hash+print %6.2f ms, "
           "yajl %5.2f ms, %.2f times\n", how, in->devices, in->len,
           median(s->ours), median(s->yajl), median(s->times));
}

/* Both sizes in turn, so that what else the machine does hits both: times
 * is beside yajl, growth from the small to the big one. */
static void measure(const struct input in[2], const char *how, run_fn *run,
                    double *times_r, double *growth_r)
{
    static struct series s[2];
    double growth[RUNS];

    for (int i = 0; i < RUNS; i++) {
        for (int k = 0; k < 2; k++) {
            s[k].yajl[i] = run(run_bare, &in[k]);
            s[k].ours[i] = run(run_ours, &in[k]);
            s[k].times[i] = s[k].ours[i] / s[k].yajl[i];
        }
        growth[i] = s[1].ours[i] / s[0].ours[i];
    }
    for (int k = 0; k < 2; k++)
        print_series(how, &in[k], &s[k]);
    *times_r = median(s[1].times);
    *growth_r = median(growth);
}

/* Peak memory of a process that does it once, in KiB. */
static long peak(unsigned devices)
{
    struct rusage used;
    int status;
    pid_t pid = fork();

    need(pid >= 0, "fork");
    if (!pid) {
        struct input in;

        input_init(&in, devices);
        run_ours(&in);
        input_dispose(&in);
        _exit(0);
    }
    need(wait4(pid, &status, 0, &used) == pid && status == 0, "a child");
    return used.ru_maxrss;
}

static int bar(const char *what, double is, double below)
{
    printf("%s: %.2f, below %g: %s\n", what, is, below,
           is < below ? "holds" : "DOES NOT HOLD");
    return is >= below;
}

int main(void)
{
    double times, growth;
    struct input in[2];
    long least, most;
    int wrong = 0;

    fflush(stdout);
    least = peak(1);
    most = peak(1000);
    input_init(&in[0], 1000);
    input_init(&in[1], 10000);
    measure(in, "once", alone, &times, &growth);
    wrong += bar("10,000 devices, once, beside yajl", times, 2.5);
    wrong += bar("10,000 : 1,000 devices, once", growth, 13);
    measure(in, "again", again, &times, &growth);
    wrong += bar("10,000 devices, again, beside yajl", times, 2.5);
    wrong += bar("10,000 : 1,000 devices, again", growth, 13);
    printf("peak memory with one device: %.2f MiB\n", (double)least / 1024);
    wrong += bar("peak memory with 1,000 devices, MiB", (double)most / 1024,
                 20);
    input_dispose(&in[0]);
    input_dispose(&in[1]);
    return wrong != 0;
}
