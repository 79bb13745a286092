/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts: where things are, and the connection. */
#include "core/xml.h"
#include "driver/deadline.h"
#include "ops/recall.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_STATE_DIR "/var/lib/libxl-cfg"
#define DEFAULT_XEN_LIB_DIR "/var/lib/xen"
#define DEFAULT_DEADLINE_MS 3000
#define DEFAULT_LOCK_MS 5000
/* Logging in to another host takes longer than a look does. */
#define OPEN_MS 8000

static char *choose(const char *given, const char *variable,
                    const char *fallback)
{
    const char *env = secure_getenv(variable);

    if (given)
        return strdup(given);
    return strdup(env && *env ? env : fallback);
}

char *xlcfg__state_dir(const char *given)
{
    return choose(given, "XLCFG_STATE_DIR", DEFAULT_STATE_DIR);
}

/* ---- opening a connection, which may hang ---- */

struct opening {
    char *uri, *state_dir, *xen_lib_dir;
    struct xlcfg_driver_options opt;
    struct xlcfg_conn *conn;
    int rc;
    xlcfg_error err;
};

static void opening_free(void *arg)
{
    struct opening *op = arg;

    xlcfg__conn_free(op->conn);
    free(op->uri);
    free(op->state_dir);
    free(op->xen_lib_dir);
    free(op);
}

static void opening_run(void *arg)
{
    struct opening *op = arg;

    op->rc = xlcfg__conn_open(op->uri, &op->opt, &op->conn, &op->err);
}

static const struct xlcfg__work opening_work = {
    .run = opening_run, .drop = opening_free,
};

static struct opening *opening_new(const xlcfg_ctx *ctx)
{
    struct opening *op = calloc(1, sizeof(*op));

    if (!op)
        return NULL;
    op->uri = ctx->uri ? strdup(ctx->uri) : NULL;
    op->state_dir = strdup(ctx->state_dir);
    op->xen_lib_dir = strdup(ctx->xen_lib_dir);
    if ((ctx->uri && !op->uri) || !op->state_dir || !op->xen_lib_dir) {
        opening_free(op);
        return NULL;
    }
    op->opt = (struct xlcfg_driver_options){
        .xen_lib_dir = op->xen_lib_dir, .state_dir = op->state_dir,
        .deadline_ms = ctx->deadline_ms,
    };
    return op;
}

static int open_conn(xlcfg_ctx *ctx, xlcfg_error *err)
{
    struct opening *op = opening_new(ctx);
    int rc;

    if (!op)
        return xlcfg__nomem(err);
    rc = xlcfg__deadline_run(OPEN_MS, &opening_work, op);
    if (rc == XLCFG_ERROR_TIMEDOUT)
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, ctx->uri,
                          "no connection within %d ms", OPEN_MS);
    if (rc) {
        opening_free(op);
        return xlcfg__err(err, rc, NULL, "no thread can be started");
    }
    rc = op->rc;
    if (rc && err)
        *err = op->err;
    ctx->conn = op->conn;
    op->conn = NULL;
    opening_free(op);
    return rc;
}

void xlcfg__ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, xlcfg__xml_init);
}

int xlcfg_ctx_open(const char *uri, const xlcfg_ctx_options *opt,
                   xlcfg_ctx **ctx_r, xlcfg_error *err)
{
    xlcfg_ctx_options given = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_ctx *ctx;
    int rc;

    if (opt)
        memcpy(&given, opt, opt->size < sizeof(given) ? opt->size
                                                      : sizeof(given));
    ctx = calloc(1, sizeof(*ctx));
    if (!ctx)
        return xlcfg__nomem(err);
    xlcfg__ready();
    xlcfg__crew_hold();
    ctx->uri = uri ? strdup(uri) : NULL;
    ctx->state_dir = xlcfg__state_dir(given.state_dir);
    ctx->xen_lib_dir = choose(given.xen_lib_dir, "XLCFG_XEN_LIB_DIR",
                              DEFAULT_XEN_LIB_DIR);
    ctx->deadline_ms = given.deadline_ms ? given.deadline_ms
                                         : DEFAULT_DEADLINE_MS;
    ctx->lock_ms = given.lock_ms ? given.lock_ms : DEFAULT_LOCK_MS;
    ctx->deep = given.deep;
    ctx->recall = xlcfg__recall_new();
    if (!ctx->recall || (uri && !ctx->uri) || !ctx->state_dir || !ctx->xen_lib_dir) {
        rc = xlcfg__nomem(err);
        goto out;
    }
    rc = open_conn(ctx, err);
    if (rc)
        goto out;
    *ctx_r = ctx;
    return 0;
out:
    xlcfg_ctx_close(ctx);
    return rc;
}

void xlcfg_ctx_close(xlcfg_ctx *ctx)
{
    if (!ctx)
        return;
    xlcfg__conn_free(ctx->conn);
    xlcfg__recall_free(ctx->recall);
    xlcfg__state_close(ctx->reader);
    for (unsigned i = 0; i < XLCFG__ABREAST; i++)
        xlcfg__state_close(ctx->readers[i]);
    xlcfg__state_close(ctx->writer);
    free(ctx->uri);
    free(ctx->state_dir);
    free(ctx->xen_lib_dir);
    free(ctx);
    xlcfg__crew_let_go();
}

int xlcfg__store_at(xlcfg__state **slot, const char *dir, bool write,
                    unsigned lock_ms, xlcfg__state **st_r, xlcfg_error *err)
{
    int rc;

    if (*slot && xlcfg__state_stale(*slot)) {
        xlcfg__state_close(*slot);
        *slot = NULL;
    }
    if (!*slot) {
        rc = xlcfg__state_open(dir, write, lock_ms, slot, err);
        if (rc)
            return rc;
    }
    *st_r = *slot;
    return 0;
}

int xlcfg__store(xlcfg_ctx *ctx, bool write, xlcfg__state **st_r,
                 xlcfg_error *err)
{
    xlcfg__state **slot = write ? &ctx->writer : &ctx->reader;
    int rc = 0;

    /* SQLite's handles of one file share its log: not one old and one new */
    if ((ctx->writer && xlcfg__state_stale(ctx->writer)) ||
        (ctx->reader && xlcfg__state_stale(ctx->reader))) {
        xlcfg__store_drop(ctx, true);
        xlcfg__store_drop(ctx, false);
    }
    if (!*slot)
        rc = xlcfg__state_open(ctx->state_dir, write, ctx->lock_ms, slot,
                               err);
    if (!rc)
        *st_r = *slot;
    return rc;
}

void xlcfg__store_drop(xlcfg_ctx *ctx, bool write)
{
    xlcfg__state **slot = write ? &ctx->writer : &ctx->reader;

    xlcfg__state_close(*slot);
    *slot = NULL;
}
