/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every call of the store fails once: the n-th of a question, for each n and
 * each kind of failure.  The answer's configuration is the right one all the
 * same, what could not be had is said, and the next question is as ever.
 */
#include "core/doc.h"
#include "wrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int made, fail_at;
static const char *failed_call;

static bool fails(const char *call, xlcfg_error *err)
{
    if (++made != fail_at)
        return false;
    failed_call = call;
    xlcfg__err(err, fail_code, "state.db", "made to fail");
    return true;
}

WRAP(xlcfg__state_version,
     (xlcfg__state *st, char *buf, xlcfg_error *err), (st, buf, err))
WRAP(xlcfg__state_lines,
     (xlcfg__state *st, const char *driver, bool want,
      struct xlcfg__lines *lines, xlcfg_error *err),
     (st, driver, want, lines, err))

static const char guest[] =
    "mem:{\"domains\":[{\"uuid\":\"11111111-2222-3333-4444-555555555555\","
    "\"name\":\"m\",\"domid\":3,\"state\":\"running\",\"run\":\"1\","
    "\"stored\":{\"c_info\":{\"name\":\"m\"},\"b_info\":{},"
    "\"disks\":[{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"}]},"
    "\"live\":{\"disks\":[{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"}]}}]}";

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

static const struct {
    const char *name, *where;   /* where the disk stands in the answer */
    question *ask;
} questions[] = {
    { "get", "/config/disks/0/vdev", ask_get },
    { "list", "/domains/0/config/disks/0/vdev", ask_list },
    { "explain", "/devices/0/template/vdev", ask_explain },
};

static int passed, failed;

static void ok(bool true_, const char *claim, int q, int n, int code)
{
    if (true_) {
        passed++;
        return;
    }
    failed++;
    printf("not ok - %s: %s, call %d (%s) failing with %s\n",
           questions[q].name, claim, n, failed_call ? failed_call : "none",
           xlcfg_error_name(code));
}

static bool has_disk(int q, const xlcfg_doc *doc)
{
    const char *s;

    s = xlcfg_doc_string(xlcfg_doc_pointer(doc, questions[q].where));
    return s && !strcmp(s, "xvda");
}

/* One question with its n-th store call failing; false: it made fewer. */
static bool one(xlcfg_ctx *ctx, int q, int n, int code)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int rc;

    made = 0;
    fail_at = n;
    fail_code = code;
    failed_call = NULL;
    rc = questions[q].ask(ctx, &doc, &err);
    if (!failed_call)
        ok(rc == 0, "the walk without a failure", q, n, code);
    else if (code == XLCFG_ERROR_NOMEM)
        ok(rc == 0 || rc == XLCFG_ERROR_NOMEM, "no memory is said", q, n,
           code);
    else
        ok(rc == 0, "the answer comes all the same", q, n, code);
    /* the kept template may be what failed: the live view has the disk */
    if (!rc && !(q == 2 && failed_call))
        ok(has_disk(q, doc), "and has the disk", q, n, code);
    xlcfg_doc_free(doc);
    fail_at = 0;
    rc = questions[q].ask(ctx, &doc, &err);
    ok(rc == 0 && has_disk(q, doc), "the next one is as ever", q, n, code);
    if (!rc)
        xlcfg_doc_free(doc);
    return failed_call;
}

static void walk(const char *dir, int q, int code)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx;

    opt.state_dir = dir;
    if (xlcfg_ctx_open(guest, &opt, &ctx, &err)) {
        printf("not ok - %s\n", err.message);
        failed++;
        return;
    }
    for (int n = 1; n < 1000 && one(ctx, q, n, code); n++)
        ;
    xlcfg_ctx_close(ctx);
}

int main(void)
{
    static const int codes[] = { XLCFG_ERROR_STORE, XLCFG_ERROR_LOCK_FAIL,
                                 XLCFG_ERROR_NOMEM };
    char dir[] = "/tmp/xlcfg-store-fault.XXXXXX", file[128];
    static const char *const files[] = { "state.db", "state.db-wal",
                                         "state.db-shm", "state.lock",
                                         "state.tick" };

    if (!mkdtemp(dir))
        return 2;
    for (size_t c = 0; c < 3; c++)
        for (int q = 0; q < 3; q++) {
            walk(dir, q, codes[c]);
            for (size_t f = 0; f < 5; f++) {
                snprintf(file, sizeof(file), "%s/%s", dir, files[f]);
                unlink(file);   /* the next walk makes the store anew */
            }
        }
    if (rmdir(dir)) {
        printf("not ok - something is left in %s\n", dir);
        failed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
