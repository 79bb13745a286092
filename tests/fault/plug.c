/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every call of the store, of libxl's template and its locks, and every
 * allocation of the library, fails once: the n-th of an act, for each n.  Whatever the act came to, settle ends it,
 * nothing stays open, the template covers what is live, and the same act does
 * what it should afterwards.
 *
 *     plug store|memory
 */
#include "core/doc.h"
#include "ops/plug.h"
#include "store/template.h"
#include "allocations.h"
#include "wrap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int made, fail_at;       /* of the store's calls */
static bool cut_off;            /* no change of a template ends: the act stays
                                   open, as of one who was killed */
static long taken, deny_at;             /* of allocations */
static bool hit;

static bool fails(const char *call, xlcfg_error *err)
{
    if (cut_off && !strcmp(call, "xlcfg__state_finish")) {
        xlcfg__err(err, fail_code, "state.db", "cut off");
        return true;
    }
    if (!fail_at || ++made != fail_at)
        return false;
    hit = true;
    failed_once(call);
    xlcfg__err(err, fail_code, "state.db", "made to fail");
    return true;
}

static bool denied(void)
{
    if (!deny_at || ++taken != deny_at)
        return false;
    hit = true;
    return true;
}

WRAP(xlcfg__state_creations,
     (xlcfg__state *st, const char *driver, struct xlcfg__creations *list,
      xlcfg_error *err), (st, driver, list, err))

WRAP(xlcfg__state_template_named,
     (xlcfg__state *st, const char *driver, const char *name, char *uuid,
      xlcfg_doc **doc, xlcfg_error *err), (st, driver, name, uuid, doc, err))
/* inside the transaction of a record */
WRAP(xlcfg__state_finish,
     (xlcfg__state *st, const struct xlcfg__record *rec, xlcfg_error *err),
     (st, rec, err))
WRAP(xlcfg__state_drop_address,
     (xlcfg__state *st, const char *driver, const char *uuid,
      const char *match, bool *there, xlcfg_error *err),
     (st, driver, uuid, match, there, err))
/* libxl's file */
WRAP(xlcfg__template_read,
     (const char *dir, int64_t domid, const char *uuid, int64_t started,
      xlcfg_doc **doc, struct xlcfg__stamp *stamp, xlcfg_error *err),
     (dir, domid, uuid, started, doc, stamp, err))
WRAP(xlcfg__template_write,
     (const char *dir, int64_t domid, const char *uuid, const xlcfg_doc *doc,
      xlcfg_error *err), (dir, domid, uuid, doc, err))
WRAP(xlcfg__template_tidy,
     (const char *dir, int64_t domid, const char *uuid, xlcfg_error *err),
     (dir, domid, uuid, err))
WRAP(xlcfg__template_lock,
     (const char *dir, int64_t domid, const char *uuid, unsigned ms,
      xlcfg__lock **got, xlcfg_error *err),
     (dir, domid, uuid, ms, got, err))
WRAP(xlcfg__lock_take,
     (const char *path, unsigned ms, xlcfg__lock **got, xlcfg_error *err),
     (path, ms, got, err))

typedef int own_call(void *arg, int64_t id, xlcfg_error *err);

WRAP(xlcfg__state_intent_begin,
     (xlcfg__state *st, const char *driver, const char *uuid,
      struct xlcfg_intent *in, const struct xlcfg__condition *cond,
      own_call *own, void *arg, xlcfg_error *err),
     (st, driver, uuid, in, cond, own, arg, err))
WRAP(xlcfg__state_creation_begin,
     (xlcfg__state *st, const char *driver, struct xlcfg__creation *c,
      own_call *own, void *arg, xlcfg_error *err),
     (st, driver, c, own, arg, err))

/* ---- the acts ---- */

#define UUID "11111111-2222-3333-4444-555555555555"
#define LIVE "{\"c_info\":{\"name\":\"m\"},\"b_info\":{},\"disks\":[" \
    "{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"}]}"

static const char guest[] =
    "mem:{\"domains\":[{\"uuid\":\"" UUID "\","
    "\"name\":\"m\",\"domid\":3,\"run\":\"1\",\"stored\":" LIVE ","
    "\"live\":" LIVE "}]}";

/* Where the template is. */
enum home { IN_STATE, IN_LIBXL, HOMES };

struct act {
    const char *name, *body;
    /* in the live view, the template and the configuration: when it was not
     * done, and when it was; NULL: not there */
    const char *where, *not, *is;
    bool libxl;                 /* also where libxl keeps the template */
};

static const struct act acts[] = {
    { "attach", "{\"devid\":0,\"mac\":\"00:16:3e:00:00:01\"}",
      "/config/nics/0/mac", NULL, "00:16:3e:00:00:01", true },
    { "update", "{\"pdev_path\":\"/b\"}", "/config/disks/0/pdev_path", "/a",
      "/b", true },
    { "detach", "{}", "/config/disks/0/vdev", "xvda", NULL, true },
    { "create", "{\"c_info\":{\"name\":\"n\"},\"vtpms\":[{\"devid\":9}]}",
      "/config/vtpms/0/devid", NULL, "9", false },
};
#define ACTS ((int)(sizeof(acts) / sizeof(acts[0])))

static int passed, failed;

static int act_on(xlcfg_ctx *ctx, int a, const xlcfg_doc *body,
                  xlcfg_error *err)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_doc *doc = NULL;
    int rc;

    opt.reset_address = true;
    rc = a == 0 ? xlcfg_device_attach(ctx, "m", "nic", body, NULL, &doc, err)
        : a == 1 ? xlcfg_device_update(ctx, "m", "disk/xvda", body, NULL,
                                       &doc, err)
        : a == 2 ? xlcfg_device_detach(ctx, "m", "disk/xvda", &opt, &doc,
                                       err)
        : xlcfg_domain_create(ctx, body, NULL, &doc, err);
    if (!rc)
        xlcfg_doc_free(doc);
    return rc;
}

static void claim(bool true_, const char *what, int a, long n,
                  const xlcfg_error *err)
{
    if (true_) {
        passed++;
        return;
    }
    failed++;
    printf("not ok - %s: %s, failure %ld (%s%s%s)\n", acts[a].name, what, n,
           err->where, err->where[0] ? ": " : "", err->message);
}

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

typedef int ask(xlcfg_ctx *, const char *, xlcfg_doc **, xlcfg_error *);

static int ask_get(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                   xlcfg_error *err)
{
    return xlcfg_domain_get(ctx, dom, NULL, doc_r, err);
}

/* What an answer has there: 0 as before, 1 as asked for, -1 neither. */
static int side(xlcfg_ctx *ctx, int a, ask *question)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    const char *text = NULL;
    xlcfg_doc *doc = NULL;
    int rc, got;

    rc = question(ctx, a == 3 ? "n" : "m", &doc, &err);
    if (rc && !(a == 3 && rc == XLCFG_ERROR_DOMAIN_NOTFOUND))
        return -1;
    if (!rc)
        text = xlcfg_doc_string(xlcfg_doc_pointer(doc, acts[a].where));
    got = same(text, acts[a].not) ? 0 : same(text, acts[a].is) ? 1 : -1;
    if (!rc)
        xlcfg_doc_free(doc);
    return got;
}

/* It is over: nothing is open, and all say the same. */
static void settled(xlcfg_ctx *ctx, int a, long n, int rc)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int live, r;

    for (int i = 0; i < 2; i++) {
        r = xlcfg_settle(ctx, NULL, false, &doc, &err);
        claim(!r && same("0", xlcfg_doc_string(xlcfg_doc_get(doc,
                                                             "pending"))) &&
              same("0", xlcfg_doc_string(xlcfg_doc_get(doc, "failed"))),
              "settle ends it", a, n, &err);
        if (i)
            claim(!r && !xlcfg_doc_count(xlcfg_doc_get(doc, "steps")),
                  "and again does nothing", a, n, &err);
        if (!r)
            xlcfg_doc_free(doc);
    }
    live = side(ctx, a, xlcfg_domain_live);
    claim(live >= 0, "the machine is on one side of it", a, n, &err);
    claim(rc || live == 1, "success is said after the fact", a, n, &err);
    claim(side(ctx, a, ask_get) == live, "the answer has what is live", a, n,
          &err);
    claim(side(ctx, a, xlcfg_domain_template) == live,
          "the template has what is live", a, n, &err);
}

/* The in-memory driver's guest, with its template where libxl has those of
 * its own: in a file, under a lock. */
static bool keep_as_libxl(xlcfg_ctx *ctx, const char *dir)
{
    char path[256];
    FILE *file;

    ctx->conn->drv.home = XLCFG_HOME_LIBXL;
    snprintf(path, sizeof(path), "%s/userdata-d.3." UUID ".libxl-json", dir);
    file = fopen(path, "w");
    if (!file)
        return false;
    fwrite(LIVE, 1, sizeof(LIVE), file);        /* with its NUL */
    return !fclose(file);
}

/* The act left open, and taken up by a settle with that failure. */
static int taken_up(xlcfg_ctx *ctx, int a, const xlcfg_doc *body,
                    xlcfg_error *err)
{
    int at = fail_at, rc;
    long deny = deny_at;
    xlcfg_doc *doc = NULL;

    fail_at = 0;
    deny_at = 0;
    cut_off = true;
    act_on(ctx, a, body, err);
    cut_off = false;
    hit = false;
    made = 0;
    taken = 0;
    fail_at = at;
    deny_at = deny;
    rc = xlcfg_settle(ctx, NULL, false, &doc, err);
    if (!rc)
        xlcfg_doc_free(doc);
    return rc;
}

/* One act with its n-th call failing; false: it makes fewer. */
static bool one(const char *dir, enum home home, int a, long n, bool memory,
                int code, int (*act)(xlcfg_ctx *, int, const xlcfg_doc *,
                                     xlcfg_error *))
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT, why = XLCFG_ERROR_INIT;
    xlcfg_doc *body, *before = NULL;
    xlcfg_ctx *ctx;
    char words[200];
    bool was;
    int rc;

    opt.state_dir = opt.xen_lib_dir = dir;
    if (mkdir(dir, 0700) ||
        xlcfg_doc_parse(acts[a].body, strlen(acts[a].body), &body, &err) ||
        xlcfg_ctx_open(guest, &opt, &ctx, &err) ||
        (home == IN_LIBXL && !keep_as_libxl(ctx, dir))) {
        claim(false, "it can be set up", a, n, &err);
        return false;
    }
    /* there is a store already */
    claim(!ask_get(ctx, "m", &before, &err), "it can be asked", a, n, &err);
    xlcfg_doc_free(before);
    hit = false;
    made = 0;
    taken = 0;
    fail_code = code;
    *(memory ? &deny_at : &(long){ 0 }) = n;
    fail_at = memory ? 0 : (int)n;
    rc = act(ctx, a, body, &why);
    fail_at = 0;
    deny_at = 0;
    was = hit;
    if (!was)
        claim(!rc, "without a failure it is done", a, n, &why);
    settled(ctx, a, n, rc || act != act_on);
    if (rc && side(ctx, a, xlcfg_domain_live) == 0) {
        rc = act_on(ctx, a, body, &why);
        claim(!rc, "the next one does it", a, n, &why);
        settled(ctx, a, n, rc);
    }
    xlcfg_ctx_close(ctx);
    xlcfg_doc_free(body);
    snprintf(words, sizeof(words), "rm -rf '%s'", dir);
    return system(words) == 0 && was;
}

/* One act, walked through call by call. */
static void walk(const char *store, enum home home, int a, bool memory,
                 int code)
{
    for (int i = 0; i < 2; i++) {
        long n = 1;

        while (one(store, home, a, n, memory, code, i ? taken_up : act_on))
            n++;
        /* an act that asks next to nothing has not been one */
        claim(n > (memory ? 100 : 8), "it was walked through", a, n,
              &(xlcfg_error)XLCFG_ERROR_INIT);
        printf("# %s%s%s: %ld failures\n", acts[a].name,
               home == IN_LIBXL ? ", as libxl keeps it" : "",
               i ? ", taken up by settle" : "", n - 1);
    }
}

int main(int argc, char **argv)
{
    static const int codes[] = { XLCFG_ERROR_STORE, XLCFG_ERROR_NOMEM };
    bool memory = argc > 1 && !strcmp(argv[1], "memory");
    /* where a sync costs nothing: none is pulled out here */
    bool shm = !access("/dev/shm", W_OK);
    char dir[64], store[80];

    snprintf(dir, sizeof(dir), "%s/xlcfg-plug-fault.XXXXXX",
             shm ? "/dev/shm" : "/tmp");
    if (argc != 2 || (!memory && strcmp(argv[1], "store")) || !mkdtemp(dir)) {
        fprintf(stderr, "usage: plug store|memory\n");
        return 2;
    }
    snprintf(store, sizeof(store), "%s/s", dir);
    for (int c = 0; c < (memory ? 1 : 2); c++)
        for (int a = 0; a < ACTS; a++)
            for (int h = 0; h < (acts[a].libxl ? HOMES : 1); h++)
                walk(store, h, a, memory, codes[c]);
    if (!memory)
        failed += never_failed();
    rmdir(dir);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
