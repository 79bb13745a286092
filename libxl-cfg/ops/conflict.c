/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A conflict in words: the version of now, and what changed since. */
#include "core/diff.h"
#include "ops/plug.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct words {
    char text[700];
    size_t len;
    bool full;
};

static void say(struct words *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One more thing, or " ..." when there is no room. */
static void say(struct words *w, const char *fmt, ...)
{
    char one[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(one, sizeof(one), fmt, ap);
    va_end(ap);
    if (w->full)
        return;
    w->full = w->len + strlen(one) + 8 > sizeof(w->text);
    w->len += (size_t)snprintf(w->text + w->len, sizeof(w->text) - w->len,
                               "%s%s", w->len && !w->full ? ", " : "",
                               w->full ? " ..." : one);
}

static bool differs(const xlcfg_doc *a, const xlcfg_doc *b)
{
    return !a || !b || !xlcfg__doc_equal(a, b);
}

/* Which members of a device differ: "nic/0 changed (bridge, mac)". */
static void say_changed(struct words *w, const char *key,
                        const xlcfg_doc *from, const xlcfg_doc *to)
{
    char names[240] = "";
    size_t len = 0;

    for (int side = 0; side < 2; side++) {
        const xlcfg_doc *a = side ? to : from, *b = side ? from : to;

        for (size_t i = 0; i < xlcfg_doc_count(a); i++) {
            const char *name = xlcfg_doc_name(a, i);
            const xlcfg_doc *other = name ? xlcfg_doc_get(b, name) : NULL;

            /* what both have was looked at from the first side */
            if (!name || !differs(xlcfg_doc_at(a, i), other) ||
                (side && other) || len > sizeof(names) - 80)
                continue;
            len += (size_t)snprintf(names + len, sizeof(names) - len,
                                    "%s%.60s", len ? ", " : "", name);
        }
    }
    say(w, "%.80s changed%s%s%s", key, len ? " (" : "", names,
        len ? ")" : "");
}

static void say_states(struct words *w, const xlcfg_doc *was,
                       const xlcfg_doc *now)
{
    const xlcfg_doc *a = xlcfg_doc_get(was, "devices");
    const xlcfg_doc *b = xlcfg_doc_get(now, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(b); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(b, i);
        const char *key = xlcfg__doc_getstr(dev, "key");
        const char *state = xlcfg__doc_getstr(dev, "state");

        for (size_t j = 0; key && state && j < xlcfg_doc_count(a); j++) {
            const xlcfg_doc *old = xlcfg_doc_at(a, j);
            const char *k = xlcfg__doc_getstr(old, "key");
            const char *s = xlcfg__doc_getstr(old, "state");

            if (k && s && !strcmp(k, key) && strcmp(s, state))
                say(w, "%.80s is %s", key, state);
        }
    }
}

/* What changed from one answer to the other; false: no memory. */
static bool compare(struct words *w, const xlcfg_doc *was,
                    const xlcfg_doc *now)
{
    struct xlcfg_view a, b;
    const xlcfg_doc *changes;
    xlcfg_doc *diff = NULL;

    xlcfg__view_init(&a);
    xlcfg__view_init(&b);
    if (!xlcfg__view_from_config(xlcfg_doc_get(was, "config"), &a, NULL) &&
        !xlcfg__view_from_config(xlcfg_doc_get(now, "config"), &b, NULL))
        diff = xlcfg__diff("was", &a, "now", &b, false);
    changes = xlcfg_doc_get(diff, "changes");
    for (size_t i = 0; i < xlcfg_doc_count(changes); i++) {
        const xlcfg_doc *c = xlcfg_doc_at(changes, i);
        const char *what = xlcfg__doc_getstr(c, "key");
        const char *kind = xlcfg__doc_getstr(c, "kind");

        if (!what)
            what = xlcfg__doc_getstr(c, "path");
        if (what && kind && !strcmp(kind, "changed"))
            say_changed(w, what, xlcfg_doc_get(c, "from"),
                        xlcfg_doc_get(c, "to"));
        else if (what && kind)
            say(w, "%.80s %s", what, kind);
    }
    if (diff)
        say_states(w, was, now);
    xlcfg__view_dispose(&a);
    xlcfg__view_dispose(&b);
    xlcfg_doc_free(diff);
    return diff != NULL;
}

int xlcfg__conflict(xlcfg_ctx *ctx, const xlcfg_doc *now, const char *asked,
                    const char *where, xlcfg_error *err)
{
    const char *version = xlcfg__doc_getstr(now, "version");
    const char *uuid = xlcfg_doc_string(xlcfg_doc_pointer(now,
                                                          "/domain/uuid"));
    xlcfg_error why = XLCFG_ERROR_INIT;
    struct words w = { .len = 0 };
    xlcfg__state *st = NULL;
    xlcfg_doc *was = NULL;
    int rc;

    rc = xlcfg__state_open(ctx->state_dir, false, ctx->lock_ms, &st, &why);
    if (!rc)
        rc = xlcfg__state_by_version(st, ctx->conn->drv.name, uuid, asked,
                                     &was, &why);
    xlcfg__state_close(st);
    if (rc)
        say(&w, "not told: %s", why.message);
    else if (!compare(&w, was, now))
        rc = XLCFG_ERROR_NOMEM;
    else if (!w.len)
        say(&w, "nothing that still shows");
    xlcfg_doc_free(was);
    if (rc == XLCFG_ERROR_NOMEM)
        return xlcfg__nomem(err);
    return xlcfg__err(err, XLCFG_ERROR_CONFLICT, where,
                      "its version is %s, not %.64s; since then: %s",
                      version ? version : "not known", asked, w.text);
}
