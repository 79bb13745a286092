/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compare-and-set, proven by processes that write as fast as they can.
 *
 *     cas PROCESSES WRITES
 *
 * On one machine (mem:FILE) and one store, each process does WRITES writes,
 * each read-modify-write: a counter in a device's body, read with the
 * version (or the incarnation) it was of, is written back one higher on the
 * condition that this is still so.  A loser reads again.
 *
 * one    all on one device, by if_version: nothing is lost when the counter
 *        is the number of writes that won.
 * key    each on a device of its own, by if_incarnation: nobody ever loses.
 * same   all on one device, by if_incarnation: as `one`.
 */
#include "libxl_cfg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define MOST 64

struct count {                  /* of one process, seen by all */
    int64_t won, lost;
    bool fine;
    char why[400];
};

enum mode { ONE, KEY, SAME };

static char dir[] = "/tmp/xlcfg-cas.XXXXXX";
static char uri[128], store[96];
static int passed, failed;

static void ok(bool fine, const char *claim, const char *why)
{
    printf("%s - %s%s%s\n", fine ? "ok" : "not ok", claim,
           fine ? "" : ": ", fine ? "" : why);
    *(fine ? &passed : &failed) += 1;
}

static const xlcfg_doc *device(const xlcfg_doc *doc, const char *key)
{
    const xlcfg_doc *list = xlcfg_doc_get(doc, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const char *k;

        k = xlcfg_doc_string(xlcfg_doc_get(xlcfg_doc_at(list, i), "key"));
        if (k && !strcmp(k, key))
            return xlcfg_doc_at(list, i);
    }
    return NULL;
}

static int64_t number(const xlcfg_doc *doc)
{
    const char *text = xlcfg_doc_string(doc);

    return text ? atoll(text) : 0;
}

static int64_t counter(const xlcfg_doc *doc, const char *key)
{
    const xlcfg_doc *path = xlcfg_doc_get(device(doc, key), "path");
    char pointer[80];

    snprintf(pointer, sizeof(pointer), "/config%s/x-count",
             xlcfg_doc_string(path) ? xlcfg_doc_string(path) : "");
    return number(xlcfg_doc_pointer(doc, pointer));
}

static bool said(struct count *c, const char *what, const xlcfg_error *err)
{
    snprintf(c->why, sizeof(c->why), "%s: %.80s: %.200s: %s", what,
             err->where, err->message, xlcfg_error_name(err->code));
    return false;
}

/* One write that wins, after as many that lose as it takes. */
static bool write_one(xlcfg_ctx *ctx, struct count *c, const char *key,
                      enum mode mode, char last[64])
{
    xlcfg_error err = XLCFG_ERROR_INIT;

    for (;;) {
        xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
        xlcfg_doc *seen, *body, *done = NULL;
        const char *version;
        char text[64];
        int rc;

        if (xlcfg_domain_get(ctx, "g", NULL, &seen, &err))
            return said(c, "get", &err);
        snprintf(text, sizeof(text), "{\"x-count\":%" PRId64 "}",
                 counter(seen, key) + 1);
        if (xlcfg_doc_parse(text, strlen(text), &body, &err))
            return said(c, "parse", &err);
        if (mode == ONE)
            opt.if_version = xlcfg_doc_string(xlcfg_doc_get(seen,
                                                            "version"));
        else
            opt.if_incarnation = number(xlcfg_doc_get(device(seen, key),
                                                      "incarnation"));
        /* an answer that knows no version knows nothing to go by */
        rc = !opt.if_version && !opt.if_incarnation ? XLCFG_ERROR_CONFLICT
            : xlcfg_device_update(ctx, "g", key, body, &opt, &done, &err);
        xlcfg_doc_free(body);
        xlcfg_doc_free(seen);
        if (rc == XLCFG_ERROR_CONFLICT) {
            /* as a loser does it: a while later, not at the same time */
            c->lost++;
            usleep((useconds_t)(rand() % 20000));
            continue;
        }
        if (rc)
            return said(c, "update", &err);
        version = xlcfg_doc_string(xlcfg_doc_get(done, "version"));
        if (!version || strcmp(version, last) <= 0) {
            snprintf(c->why, sizeof(c->why), "version %s after %s",
                     version ? version : "null", last);
            xlcfg_doc_free(done);
            return false;
        }
        snprintf(last, 64, "%s", version);
        xlcfg_doc_free(done);
        c->won++;
        return true;
    }
}

static void writer(struct count *c, int me, enum mode mode, int writes)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    char key[32], last[64] = "";
    xlcfg_ctx *ctx;

    snprintf(key, sizeof(key), "vtpm/%d", mode == KEY ? me : 0);
    opt.state_dir = store;
    opt.lock_ms = 60000;        /* a busy machine is no failure */
    opt.deadline_ms = 60000;
    if (xlcfg_ctx_open(uri, &opt, &ctx, &err)) {
        said(c, "open", &err);
        return;
    }
    c->fine = true;
    srand((unsigned)me + 1);
    for (int i = 0; i < writes && c->fine; i++)
        c->fine = write_one(ctx, c, key, mode, last);
    xlcfg_ctx_close(ctx);
}

static bool make_machine(int processes, enum mode mode)
{
    char path[96];
    FILE *f;

    snprintf(path, sizeof(path), "%s/machine%d", dir, mode);
    snprintf(store, sizeof(store), "%s/store%d", dir, mode);
    snprintf(uri, sizeof(uri), "mem:%s", path);
    f = fopen(path, "w");
    if (!f)
        return false;
    for (int pass = 0; pass < 2; pass++) {
        fprintf(f, pass ? "]},\"stored\":{\"c_info\":{\"name\":\"g\"},"
                "\"vtpms\":[" : "{\"domains\":[{\"uuid\":\"" UUID "\","
                "\"name\":\"g\",\"domid\":1,\"run\":\"r\",\"live\":{"
                "\"vtpms\":[");
        for (int i = 0; i < processes; i++)
            fprintf(f, "%s{\"devid\":%d,\"x-count\":0}", i ? "," : "", i);
    }
    fprintf(f, "]}}]}");
    return !fclose(f);
}

static int64_t final_count(int which, xlcfg_error *err)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_doc *doc;
    xlcfg_ctx *ctx;
    char key[32];
    int64_t n = -1;

    snprintf(key, sizeof(key), "vtpm/%d", which);
    opt.state_dir = store;
    if (xlcfg_ctx_open(uri, &opt, &ctx, err))
        return -1;
    if (!xlcfg_domain_get(ctx, "g", NULL, &doc, err)) {
        n = counter(doc, key);
        xlcfg_doc_free(doc);
    }
    xlcfg_ctx_close(ctx);
    return n;
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void judge(enum mode mode, int processes, int writes,
                  const struct count *c, double seconds)
{
    static const char *const names[] = { "one", "key", "same" };
    int64_t won = 0, lost = 0, got = 0;
    xlcfg_error err = XLCFG_ERROR_INIT;
    bool each = true, fine = true;
    char why[200], claim[160];

    for (int i = 0; i < processes; i++) {
        won += c[i].won;
        lost += c[i].lost;
        if (!c[i].fine)
            printf("# process %d: %s\n", i, c[i].why);
        fine = fine && c[i].fine;
    }
    for (int i = 0; i < (mode == KEY ? processes : 1); i++) {
        int64_t n = final_count(i, &err);

        each = each && (mode != KEY || n == c[i].won);
        got += n;
    }
    snprintf(why, sizeof(why), "counted %" PRId64 ", won %" PRId64, got,
             won);
    snprintf(claim, sizeof(claim), "%s: nothing is lost: %" PRId64
             " writes of %d processes, counted %" PRId64, names[mode], won,
             processes, got);
    ok(got == won && each, claim, why);
    snprintf(claim, sizeof(claim), "%s: every write comes through, and its "
             "version is a later one", names[mode]);
    ok(fine && won == (int64_t)processes * writes, claim, why);
    if (mode == KEY)
        ok(!lost, "key: writers of different devices never lose", "they do");
    printf("# %s: %.1f s, %.0f writes/s, %" PRId64 " lost and done again\n",
           names[mode], seconds, (double)won / seconds, lost);
}

static bool run(enum mode mode, int processes, int writes)
{
    struct count *c;
    double began;
    int status;

    if (!make_machine(processes, mode))
        return false;
    c = mmap(NULL, sizeof(*c) * MOST, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c == MAP_FAILED)
        return false;
    began = now();
    fflush(stdout);
    for (int i = 0; i < processes; i++) {
        pid_t pid = fork();

        if (pid < 0)
            return false;
        if (!pid) {
            writer(&c[i], i, mode, writes);
            _exit(0);
        }
    }
    while (wait(&status) > 0)
        if (!WIFEXITED(status) || WEXITSTATUS(status))
            ok(false, "a writer ends by itself", "it was killed");
    judge(mode, processes, writes, c, now() - began);
    munmap(c, sizeof(*c) * MOST);
    return true;
}

int main(int argc, char **argv)
{
    int processes = argc > 1 ? atoi(argv[1]) : 8;
    int writes = argc > 2 ? atoi(argv[2]) : 1000;
    char words[128];

    if (processes < 1 || processes > MOST || writes < 1 || !mkdtemp(dir)) {
        fprintf(stderr, "usage: cas PROCESSES WRITES\n");
        return 2;
    }
    setenv("XLCFG_HISTORY_KEEP", "200", 1);
    for (int mode = ONE; mode <= SAME; mode++)
        if (!run((enum mode)mode, processes, writes))
            ok(false, "the machine is set up", "it cannot be");
    snprintf(words, sizeof(words), "rm -rf '%s'", dir);
    if (system(words))
        ok(false, "nothing is left behind", dir);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
