/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest in memory with a store of its own, for the suites that plug.  The
 * includer defines U1, its uuid, and DOM, the guest as the mem driver reads
 * it; its name is g. */
#ifndef XLCFG_TESTS_GUEST_H
#define XLCFG_TESTS_GUEST_H

#include "unit.h"
#include "ops/plug.h"

#include <unistd.h>

static char dir[] = "/tmp/guest_test.XXXXXX";
static char folder[64];
static xlcfg_ctx *ctx;
static xlcfg_error err;
static xlcfg_doc *doc;

static void begin_with(const char *fail)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    static int n;
    char uri[2048];

    snprintf(folder, sizeof(folder), "%s/%d-%d", dir, (int)getpid(), n++);
    opt.state_dir = folder;
    opt.lock_ms = 500;          /* what others hold is waited for */
    snprintf(uri, sizeof(uri), "mem:{\"domains\":[" DOM "]%s}", fail);
    err = (xlcfg_error)XLCFG_ERROR_INIT;
    ck_assert_msg(!xlcfg_ctx_open(uri, &opt, &ctx, &err), "%s: %s",
                  err.where, err.message);
}

static void end(void)
{
    char words[128];

    xlcfg_ctx_close(ctx);
    snprintf(words, sizeof(words), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(words), 0);
}

static inline const char *text(const char *pointer)
{
    const char *s = xlcfg_doc_string(xlcfg_doc_pointer(doc, pointer));

    return s ? s : "(none)";
}

/* How many intents and creations the store has open. */
static void intents_open(size_t want)
{
    struct xlcfg_intents list = { 0 };
    struct xlcfg__creations made = { 0 };
    xlcfg__state *st;
    int rc = xlcfg__state_open(folder, false, 1000, &st, &err);

    if (!want && rc == XLCFG_ERROR_NOTFOUND)
        return;                 /* nothing was ever recorded */
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(xlcfg__state_intents(st, "mem", U1, &list, &err), 0);
    ck_assert_int_eq(xlcfg__state_creations(st, "mem", &made, &err), 0);
    ck_assert_uint_eq(list.count + made.count, want);
    xlcfg__intents_dispose(&list);
    xlcfg__creations_dispose(&made);
    xlcfg__state_close(st);
}

static void settles(const char *pending, const char *failed)
{
    ck_assert_msg(!xlcfg_settle(ctx, NULL, false, &doc, &err), "%s",
                  err.message);
    ck_assert_str_eq(text("/pending"), pending);
    ck_assert_str_eq(text("/failed"), failed);
    xlcfg_doc_free(doc);
}

#endif
