/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxlcfg-libxl.so: libxl_retrieve_domain_configuration with the true
 * answer, for an xl or a libvirtd that knows nothing of libxl-cfg:
 *
 *     LD_PRELOAD=/usr/local/lib/libxlcfg-libxl.so xl list -l
 *
 * Preloading reaches every child too, hotplug scripts and all: so this is
 * linked with nothing but the C library, and takes in libxlcfg and libxl by
 * name when it is called.
 *
 * The answer reaches the caller's struct by the libxl that the caller is
 * linked with, so its layout is right whichever version that is.  No lock of
 * libxl's is taken or needed: libxl may hold its own in another thread.
 * Nothing is kept between calls but the addresses, so a fork needs no care.
 */
#include "facade/facade.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_MS 1000            /* for state.db: the version can wait */

/* One line, one write: other threads and processes share the stream. */
static void warn(uint32_t domid, const char *first, const char *why,
                 const char *more)
{
    char line[1024];
    ssize_t r;
    int n;

    n = snprintf(line, sizeof(line), "libxlcfg-libxl: domain %" PRIu32
                 ": %s%s%s\n", domid, first, why, more);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof(line)) {
        n = sizeof(line) - 1;
        line[n - 1] = '\n';
    }
    for (int i = 0; i < n - 1; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    r = write(STDERR_FILENO, line, (size_t)n);
    (void)r;                    /* where else would that be said? */
}

/* An item of `unknown` that says a whole side is: NULL when none does. */
static const char *lost(const struct xlcfg__ours *ours,
                        const xlcfg_doc *unknown, const char *side)
{
    for (size_t i = 0; i < ours->doc_count(unknown); i++) {
        const char *s = ours->doc_string(ours->doc_at(unknown, i));

        if (s && !strncmp(s, side, strlen(side)))
            return s;
    }
    return NULL;
}

/* It is used, but not all of it is known: that is said. */
static void warn_unknown(const struct xlcfg__ours *ours, uint32_t domid,
                         const xlcfg_doc *unknown)
{
    size_t n = ours->doc_count(unknown);
    const char *s = ours->doc_string(ours->doc_at(unknown, 0));
    char more[64] = "";

    if (n > 1)
        snprintf(more, sizeof(more), " (and %zu more)", n - 1);
    if (n)
        warn(domid, "not all could be read: ", s ? s : "", more);
}

/*
 * A configuration is for building the guest again.  What was made without
 * its template lacks all that only that knows, and is no answer: PARSE.  Nor
 * is one that saw nothing of what runs: UNREACHABLE.
 */
static int judge(const struct xlcfg__ours *ours, const xlcfg_doc *unknown,
                 xlcfg_error *err)
{
    const char *why = lost(ours, unknown, "template: ");
    int rc = XLCFG_ERROR_PARSE;

    if (!why) {
        why = lost(ours, unknown, "live view: ");
        rc = XLCFG_ERROR_UNREACHABLE;
    }
    if (!why)
        return 0;
    snprintf(err->message, sizeof(err->message), "%.900s", why);
    return rc;
}

static int ask_in(const struct xlcfg__ours *ours, xlcfg_ctx *ctx,
                  uint32_t domid, char **text_r, xlcfg_error *err)
{
    const xlcfg_doc *unknown;
    xlcfg_doc *doc;
    char id[16];
    int rc;

    snprintf(id, sizeof(id), "%" PRIu32, domid);
    rc = ours->domain_get(ctx, id, NULL, &doc, err);
    if (rc)
        return rc;
    unknown = ours->doc_get(doc, "unknown");
    rc = judge(ours, unknown, err);
    if (!rc)
        rc = ours->doc_print(ours->doc_get(doc, "config"), 0, text_r, NULL,
                             err);
    if (!rc)
        warn_unknown(ours, domid, unknown);
    ours->doc_free(doc);
    return rc;
}

/* The answer as JSON text. */
static int ask(const struct xlcfg__ours *ours, uint32_t domid, char **text_r,
               xlcfg_error *err)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_ctx *ctx;
    int rc;

    opt.lock_ms = LOCK_MS;
    rc = ours->ctx_open("xen:///", &opt, &ctx, err);
    if (rc)
        return rc;
    rc = ask_in(ours, ctx, domid, text_r, err);
    ours->ctx_close(ctx);
    return rc;
}

/* libxl's own answer, with the reason said. */
static int pass_on(const struct xlcfg__call *call, const char *where,
                   const char *why)
{
    char first[600];

    snprintf(first, sizeof(first), "%.500s%s", where, *where ? ": " : "");
    warn(call->domid, first, why, "; this is libxl's own answer");
    return call->theirs.retrieve(call->ctx, call->domid, call->config,
                                 call->how);
}

/*
 * There is no such domain: libxl has its own number for that.  But while a
 * domain is being destroyed it answers out of the file that is left.
 */
static int no_domain(const struct xlcfg__call *call)
{
    int rc;

    rc = call->theirs.retrieve(call->ctx, call->domid, call->config, NULL);
    if (rc)
        return rc;
    call->theirs.config_dispose(call->config);
    call->theirs.config_init(call->config);
    return XLCFG_ERROR_DOMAIN_NOTFOUND;
}

static int answer(const struct xlcfg__call *call)
{
    const struct xlcfg__ours *ours;
    xlcfg_error err = XLCFG_ERROR_INIT;
    const char *why;
    char *text;
    int rc;

    if (call->how)
        return pass_on(call, "", "asked for an answer by event, and here "
                       "are only those that are waited for");
    ours = xlcfg__facade_ours(&why);
    if (!ours)
        return pass_on(call, "", why);
    rc = ask(ours, call->domid, &text, &err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        return no_domain(call);
    if (rc == XLCFG_ERROR_PARSE) {
        /* libxl says no more, or crashes over a damaged one */
        warn(call->domid, err.message, "", "; no configuration");
        return ERROR_JSON_CONFIG_EMPTY;
    }
    if (rc)
        return pass_on(call, err.where, err.message);
    call->theirs.config_init(call->config);
    rc = call->theirs.config_from_json(call->ctx, call->config, text);
    free(text);
    if (!rc)
        return 0;
    call->theirs.config_dispose(call->config);
    call->theirs.config_init(call->config);
    return pass_on(call, "", "this libxl does not read the answer");
}

__attribute__((visibility("default")))
int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                        libxl_domain_config *d_config,
                                        const libxl_asyncop_how *ao_how)
{
    struct xlcfg__call call = {
        .ctx = ctx, .domid = domid, .config = d_config, .how = ao_how,
    };
    int before = errno, rc = XLCFG_ERROR_NI;

    if (xlcfg__facade_theirs(__builtin_return_address(0), &call.theirs))
        rc = answer(&call);
    else
        warn(domid, "the caller has no libxl", "", "");
    errno = before;
    return rc;
}
