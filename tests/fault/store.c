/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every call of the store that a question makes fails once: the n-th, for each
 * n and each kind of failure.  What asks about now answers all the same, with
 * the right configuration; what asks the store itself ends with an error that
 * names it, or is right.  The next question is as ever.
 */
#include "core/doc.h"
#include "ops/ctx.h"
#include "wrap.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static int made, fail_at;
static const char *failed_call;
static char failed_name[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A look has a thread of its own. */
static bool fails(const char *call, xlcfg_error *err)
{
    bool now;

    pthread_mutex_lock(&lock);
    now = ++made == fail_at;
    if (now) {
        snprintf(failed_name, sizeof(failed_name), "%s", call);
        failed_call = failed_name;
        failed_once(call);
    }
    pthread_mutex_unlock(&lock);
    if (now)
        xlcfg__err(err, fail_code, "state.db", "made to fail");
    return now;
}

WRAP(xlcfg__state_version,
     (xlcfg__state *st, char *buf, xlcfg_error *err), (st, buf, err))
WRAP(xlcfg__state_lines,
     (xlcfg__state *st, const char *driver, bool want,
      struct xlcfg__lines *lines, xlcfg_error *err),
     (st, driver, want, lines, err))
WRAP(xlcfg__state_history,
     (xlcfg__state *st, const char *driver, const char *uuid, int64_t after,
      size_t most, xlcfg_doc **array, xlcfg_error *err),
     (st, driver, uuid, after, most, array, err))
WRAP(xlcfg__state_snapshot,
     (xlcfg__state *st, int64_t revision, xlcfg_doc **doc, xlcfg_error *err),
     (st, revision, doc, err))
WRAP(xlcfg__state_at,
     (xlcfg__state *st, const char *driver, const char *uuid,
      const char *token, xlcfg_doc **doc, xlcfg_error *err),
     (st, driver, uuid, token, doc, err))
WRAP(xlcfg__state_when,
     (xlcfg__state *st, int64_t revision, int64_t *when, xlcfg_error *err),
     (st, revision, when, err))
WRAP(xlcfg__state_token,
     (xlcfg__state *st, const char *token, int64_t *revision,
      xlcfg_error *err), (st, token, revision, err))
WRAP(xlcfg__state_choice_put,
     (xlcfg__state *st, const char *driver, const char *uuid, int64_t choice,
      const struct xlcfg__addresses *book, const char *was,
      xlcfg_error *err), (st, driver, uuid, choice, book, was, err))
WRAP(xlcfg__state_address_reset,
     (xlcfg__state *st, const char *driver, const char *uuid,
      const char *match, const char *was, xlcfg_error *err),
     (st, driver, uuid, match, was, err))

WRAP(xlcfg__state_by_version,
     (xlcfg__state *st, const char *driver, const char *uuid,
      const char *version, xlcfg_doc **doc, xlcfg_error *err),
     (st, driver, uuid, version, doc, err))

WRAP(xlcfg__state_template_put,
     (xlcfg__state *st, const char *driver, const char *uuid,
      const xlcfg_doc *doc, xlcfg_error *err), (st, driver, uuid, doc, err))
WRAP(xlcfg__state_intent_put,
     (xlcfg__state *st, const char *driver, const char *uuid,
      struct xlcfg_intent *in, xlcfg_error *err),
     (st, driver, uuid, in, err))
WRAP(xlcfg__state_intent_drop,
     (xlcfg__state *st, int64_t id, xlcfg_error *err), (st, id, err))
WRAP(xlcfg__state_creation_fail,
     (xlcfg__state *st, int64_t id, const char *reason, xlcfg_error *err),
     (st, id, reason, err))

static const char guest[] =
    "mem:{\"domains\":[{\"uuid\":\"11111111-2222-3333-4444-555555555555\","
    "\"name\":\"m\",\"domid\":3,\"state\":\"running\",\"run\":\"1\","
    "\"stored\":{\"c_info\":{\"name\":\"m\"},\"b_info\":{},"
    "\"disks\":[{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"},"
    "{\"vdev\":\"xvdh\",\"pdev_path\":\"/h\"}]},"
    "\"live\":{\"disks\":[{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"},"
    "{\"vdev\":\"xvdh\",\"pdev_path\":\"/h\"}]},"
    "\"devices\":{\"disk/xvdh\":{\"holds\":true}}}]}";
static const char nic[] =
    "{\"devid\":0,\"mac\":\"00:16:3e:00:00:01\"}";

/* The versions before a nic was attached, and since. */
static char first[XLCFG__VERSION_MAX], second[XLCFG__VERSION_MAX];
static xlcfg_doc *listed;       /* at the first */

typedef int question(xlcfg_ctx *, xlcfg_doc **, xlcfg_error *);

static int ask_get(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    return xlcfg_domain_get(ctx, "m", NULL, doc_r, err);
}

static int ask_list(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    return xlcfg_domain_list(ctx, true, doc_r, err);
}

static int ask_explain(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    return xlcfg_domain_explain(ctx, "m", NULL, doc_r, err);
}

static int ask_version(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    return xlcfg_domain_get_version(ctx, "m", first, doc_r, err);
}

static int ask_diff(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    return xlcfg_domain_diff_versions(ctx, "m", first, second, doc_r, err);
}

static int ask_history(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    return xlcfg_history(ctx, "m", NULL, 0, doc_r, err);
}

static int ask_since(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_changes_options opt = XLCFG_CHANGES_OPTIONS_INIT;

    opt.since = first;
    return xlcfg_changes(ctx, &opt, doc_r, err);
}

static int ask_known(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_changes_options opt = XLCFG_CHANGES_OPTIONS_INIT;

    opt.known = listed;
    return xlcfg_changes(ctx, &opt, doc_r, err);
}

static int ask_addresses(xlcfg_ctx *ctx, xlcfg_doc **doc_r,
                         xlcfg_error *err)
{
    return xlcfg_domain_addresses(ctx, "m", doc_r, err);
}

static int ask_last(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;

    (void)ctx;
    opt.state_dir = getenv("FAULT_STORE");
    return xlcfg_domain_last(guest, &opt, "m", doc_r, err);
}

/* Those that answer with nothing answer here with what get says then. */
static int ask_choice(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int rc = xlcfg_address_choice(ctx, "m", 2, NULL, err);

    return rc ? rc : ask_get(ctx, doc_r, err);
}

static int ask_reset(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int rc = xlcfg_address_reset(ctx, "m", "vtpm/0", NULL, err);

    return rc && rc != XLCFG_ERROR_NOTFOUND ? rc : ask_get(ctx, doc_r, err);
}

/* A writer who comes too late is told what has changed since. */
static int ask_late(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_error why = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int rc;

    opt.if_version = first;
    rc = xlcfg_device_detach(ctx, "m", "nic/0", &opt, &doc, &why);
    if (!rc) {
        xlcfg_doc_free(doc);
        return xlcfg__err(err, XLCFG_ERROR_FAIL, first, "was taken");
    }
    if (rc == XLCFG_ERROR_CONFLICT && strstr(why.message, "its version is"))
        return ask_get(ctx, doc_r, err);
    if (err)
        *err = why;
    return rc;
}

/* An unplug that the guest holds. */
static int ask_held(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_doc *doc = NULL;
    int rc;

    opt.wait_ms = 1;
    rc = xlcfg_device_detach(ctx, "m", "disk/xvdh", &opt, &doc, err);
    return rc == XLCFG_ERROR_PENDING ? ask_get(ctx, doc_r, err) : rc;
}

/* A domain of a name that none has. */
static int create(xlcfg_ctx *ctx, bool define, xlcfg_doc **doc_r,
                  xlcfg_error *err)
{
    xlcfg_create_options opt = XLCFG_CREATE_OPTIONS_INIT;
    static int count;
    char text[80];
    xlcfg_doc *config;
    int rc;

    snprintf(text, sizeof(text), "{\"c_info\":{\"name\":\"n%d\"}}", count++);
    rc = xlcfg_doc_parse(text, strlen(text), &config, err);
    if (rc)
        return rc;
    opt.define = define;
    rc = xlcfg_domain_create(ctx, config, &opt, doc_r, err);
    xlcfg_doc_free(config);
    return rc;
}

static int ask_import(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    return create(ctx, true, doc_r, err);
}

/* Where libxl keeps templates, it is kept here until it is created. */
static int ask_keep(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int rc;

    ctx->conn->drv.home = XLCFG_HOME_LIBXL;
    rc = create(ctx, true, doc_r, err);
    ctx->conn->drv.home = XLCFG_HOME_STATE;
    return rc;
}

/* And one that has no template when it runs was made by half. */
static int ask_half(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int rc;

    ctx->conn->drv.home = XLCFG_HOME_LIBXL;
    rc = create(ctx, false, doc_r, err);
    ctx->conn->drv.home = XLCFG_HOME_STATE;
    return rc == XLCFG_ERROR_REFUSED ? ask_get(ctx, doc_r, err) : rc;
}

/* A device has left, and its address is kept. */
static int leave(xlcfg_ctx *ctx, xlcfg_error *err)
{
    static const char vtpm[] = "{\"devid\":0}";
    xlcfg_doc *body = NULL, *doc = NULL;
    int rc;

    rc = xlcfg_doc_parse(vtpm, strlen(vtpm), &body, err);
    if (!rc)
        rc = xlcfg_device_attach(ctx, "m", "vtpm", body, NULL, &doc, err);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(body);
    doc = NULL;
    if (!rc)
        rc = xlcfg_device_detach(ctx, "m", "vtpm/0", NULL, &doc, err);
    xlcfg_doc_free(doc);
    return rc;
}

static const struct {
    const char *name, *where, *is;      /* what stands there in the answer */
    question *ask;
    bool now;                           /* it answers whatever fails */
    int (*before)(xlcfg_ctx *, xlcfg_error *);  /* may be NULL */
} questions[] = {
    { "get", "/config/disks/0/vdev", "xvda", ask_get, true, NULL },
    { "list", "/domains/0/config/disks/0/vdev", "xvda", ask_list, true,
      NULL },
    { "explain", "/devices/0/template/vdev", "xvda", ask_explain, true,
      NULL },
    { "get --version", "/config/disks/0/vdev", "xvda", ask_version, false,
      NULL },
    { "diff --version", "/changes/0/key", "nic/0", ask_diff, false, NULL },
    { "history", "/0/event", "created", ask_history, false, NULL },
    { "list --changes-since", "/domains/0/name", "m", ask_since, false,
      NULL },
    { "list --known", "/domains/0/name", "m", ask_known, false, NULL },
    { "addresses", "/addresses/0/key", NULL, ask_addresses, false, NULL },
    { "get, without its backend", "/config/disks/0/vdev", "xvda", ask_last,
      false, NULL },
    { "addresses --choice", "/config/disks/0/vdev", "xvda", ask_choice,
      false, NULL },
    { "addresses --reset", "/config/disks/0/vdev", "xvda", ask_reset,
      false, leave },
    { "detach --if-version", "/config/nics/0/mac", "00:16:3e:00:00:01",
      ask_late, false, NULL },
    { "detach, held", "/config/disks/0/vdev", "xvda", ask_held, false,
      NULL },
    { "import", "/domain/state", "stopped", ask_import, false, NULL },
    { "import, kept here", "/domain/state", "stopped", ask_keep, false,
      NULL },
    { "create, made by half", "/config/disks/0/vdev", "xvda", ask_half,
      false, NULL },
};
#define QUESTIONS ((int)(sizeof(questions) / sizeof(questions[0])))
#define EXPLAIN 2

static int passed, failed;

static void ok(bool true_, const char *claim, int q, int n, int code,
               const xlcfg_error *err)
{
    if (true_) {
        passed++;
        return;
    }
    failed++;
    printf("not ok - %s: %s, call %d (%s) failing with %s (%d %s: %s)\n",
           questions[q].name, claim, n, failed_call ? failed_call : "none",
           xlcfg_error_name(code), err->code, err->where, err->message);
}

static bool is_right(int q, const xlcfg_doc *doc)
{
    const char *s;

    s = xlcfg_doc_string(xlcfg_doc_pointer(doc, questions[q].where));
    return s && (!questions[q].is || !strcmp(s, questions[q].is));
}

static void judge(int q, int n, int code, int rc, const xlcfg_error *err)
{
    if (!failed_call)
        ok(rc == 0, "the walk without a failure", q, n, code, err);
    else if (code == XLCFG_ERROR_NOMEM)
        ok(rc == 0 || rc == XLCFG_ERROR_NOMEM, "no memory is said", q, n,
           code, err);
    else if (questions[q].now)
        ok(rc == 0, "the answer comes all the same", q, n, code, err);
    else
        ok(rc == 0 || (rc == code && err->code == rc &&
                       !strcmp(err->where, "state.db") &&
                       !strcmp(err->message, "made to fail")),
           "it answers, or says what failed and where", q, n, code, err);
}

/* One question with its n-th store call failing; false: it made fewer. */
static bool one(xlcfg_ctx *ctx, int q, int n, int code)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    bool was;
    int rc;

    if (questions[q].before)
        ok(!questions[q].before(ctx, &err), "it can be set up", q, n, code,
           &err);
    pthread_mutex_lock(&lock);
    made = 0;
    fail_at = n;
    fail_code = code;
    failed_call = NULL;
    pthread_mutex_unlock(&lock);
    rc = questions[q].ask(ctx, &doc, &err);
    pthread_mutex_lock(&lock);
    fail_at = 0;
    was = failed_call;
    pthread_mutex_unlock(&lock);
    judge(q, n, code, rc, &err);
    /* the kept template may be what failed: the live view has the disk */
    if (!rc && !(q == EXPLAIN && was))
        ok(is_right(q, doc), "and is right", q, n, code, &err);
    ok(!rc || !doc, "an error has no answer", q, n, code, &err);
    xlcfg_doc_free(doc);
    doc = NULL;
    err = (xlcfg_error)XLCFG_ERROR_INIT;
    rc = questions[q].ask(ctx, &doc, &err);
    ok(rc == 0 && is_right(q, doc), "the next one is as ever", q, n, code,
       &err);
    xlcfg_doc_free(doc);
    return was;
}

static int keep_version(xlcfg_ctx *ctx, char *version, xlcfg_error *err)
{
    xlcfg_doc *doc;
    int rc;

    rc = ask_get(ctx, &doc, err);
    if (rc)
        return rc;
    snprintf(version, XLCFG__VERSION_MAX, "%s",
             xlcfg_doc_string(xlcfg_doc_get(doc, "version")));
    xlcfg_doc_free(doc);
    return 0;
}

/* A history of two versions: not for those that have a store yet to be
 * made. */
static int set_up(xlcfg_ctx *ctx, xlcfg_error *err)
{
    xlcfg_doc *body = NULL, *doc = NULL;
    int rc;

    rc = keep_version(ctx, first, err);
    if (!rc)
        rc = xlcfg_domain_list(ctx, false, &listed, err);
    if (!rc)
        rc = xlcfg_doc_parse(nic, strlen(nic), &body, err);
    if (!rc)
        rc = xlcfg_device_attach(ctx, "m", "nic", body, NULL, &doc, err);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(body);
    return rc ? rc : keep_version(ctx, second, err);
}

static void walk(const char *dir, int q, int code)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx;
    int n, rc;

    opt.state_dir = opt.xen_lib_dir = dir;
    rc = xlcfg_ctx_open(guest, &opt, &ctx, &err);
    if (!rc && !questions[q].now)
        rc = set_up(ctx, &err);
    if (rc) {
        printf("not ok - %s: %s: %s\n", questions[q].name, err.where,
               err.message);
        failed++;
        return;
    }
    for (n = 1; n < 1000 && one(ctx, q, n, code); n++)
        ;
    ok(n > 1, "it asks the store", q, n, code, &err);
    xlcfg_doc_free(listed);
    listed = NULL;
    xlcfg_ctx_close(ctx);
}

int main(void)
{
    static const int codes[] = { XLCFG_ERROR_STORE, XLCFG_ERROR_LOCK_FAIL,
                                 XLCFG_ERROR_NOMEM };
    /* where a sync costs nothing: none is pulled out here */
    bool shm = !access("/dev/shm", W_OK);
    char dir[64], file[128];
    static const char *const files[] = { "state.db", "state.db-wal",
                                         "state.db-shm", "state.lock",
                                         "state.tick" };

    snprintf(dir, sizeof(dir), "%s/xlcfg-store-fault.XXXXXX",
             shm ? "/dev/shm" : "/tmp");
    if (!mkdtemp(dir) || setenv("FAULT_STORE", dir, 1))
        return 2;
    for (size_t c = 0; c < 3; c++)
        for (int q = 0; q < QUESTIONS; q++) {
            /* one that answers whatever fails cares which it is */
            if (codes[c] == XLCFG_ERROR_LOCK_FAIL && !questions[q].now)
                continue;
            walk(dir, q, codes[c]);
            for (size_t f = 0; f < 5; f++) {
                snprintf(file, sizeof(file), "%s/%s", dir, files[f]);
                unlink(file);   /* the next walk makes the store anew */
            }
        }
    failed += never_failed();
    if (rmdir(dir)) {
        printf("not ok - something is left in %s\n", dir);
        failed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
