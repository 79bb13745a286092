/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be done here, the self-check, and the tables as documents. */
#include "ops/ctx.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void feature(xlcfg__items *it, const char *name, bool yes,
                    const char *level, const char *reason,
                    const char *source)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "name", xlcfg__doc_str(name));
    xlcfg__members_add(&m, "answer", xlcfg__doc_str(yes ? "yes" : "no"));
    xlcfg__members_add(&m, "level", xlcfg__doc_str(level));
    xlcfg__members_add(&m, "reason", xlcfg__doc_str(yes ? NULL : reason));
    xlcfg__members_add(&m, "source", xlcfg__doc_str(source));
    xlcfg__items_add(it, xlcfg__members_end(&m));
}

static void action_features(xlcfg_ctx *ctx, xlcfg__items *it)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    char name[64], reason[256];

    for (int act = 0; act < XLCFG_ACTS; act++) {
        bool yes;

        snprintf(reason, sizeof(reason), "this driver cannot");
        yes = drv->can(ctx->conn->handle, XLCFG_KINDS, act, reason,
                       sizeof(reason));
        feature(it, xlcfg__action_name(act), yes, drv->name, reason,
                "driver");
        if (act > XLCFG_ACT_UPDATE)
            continue;
        for (int k = 0; k < XLCFG_KINDS; k++) {
            snprintf(name, sizeof(name), "%s-%s", xlcfg__action_name(act),
                     xlcfg__kinds[k].name);
            snprintf(reason, sizeof(reason), "this driver cannot");
            yes = drv->can(ctx->conn->handle, k, act, reason,
                           sizeof(reason));
            feature(it, name, yes, drv->name, reason, "driver");
        }
    }
}

int xlcfg_features(xlcfg_ctx *ctx, const char *name, xlcfg_doc **doc_r,
                   xlcfg_error *err)
{
    static const char *const always[] = {
        "retrieve", "reconstruct", "explain", "diff", "versions", "hash",
    };
    xlcfg__items it = { 0 }, some = { 0 };
    xlcfg__members m = { 0 };
    char choice[32];

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        feature(&it, always[i], true, "library", NULL, "library");
    snprintf(choice, sizeof(choice), "choice %d", XLCFG__CHOICE_NEWEST);
    feature(&it, "stable-addresses", true, choice, NULL, "library");
    action_features(ctx, &it);
    for (size_t i = 0; name && i < it.count; i++)
        if (!strcmp(xlcfg__doc_getstr(it.v[i], "name"), name))
            xlcfg__items_add(&some, xlcfg_doc_ref(it.v[i]));
    if (name) {
        some.failed = some.failed || it.failed;
        xlcfg__items_dispose(&it);
        if (!some.count && !some.failed)
            return xlcfg__err(err, XLCFG_ERROR_INVAL, name,
                              "no feature of that name: `xlcfg features` "
                              "lists them");
        it = some;
    }
    xlcfg__members_add(&m, "features", xlcfg__items_end(&it));
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

/* ---- check ---- */

static void check_row(xlcfg__items *it, const char *name, bool ok,
                      const xlcfg_error *err, const char *fine)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "name", xlcfg__doc_str(name));
    xlcfg__members_add(&m, "ok", xlcfg__doc_bool(ok));
    xlcfg__members_add(&m, "message", ok ? xlcfg__doc_str(fine)
                       : xlcfg__doc_strf("%s%s%s", err->where,
                                         err->where[0] ? ": " : "",
                                         err->message));
    xlcfg__items_add(it, xlcfg__members_end(&m));
}

static void check_store(xlcfg_ctx *ctx, xlcfg__items *it)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg__state *st;
    int rc;

    rc = xlcfg__state_open(ctx->state_dir, false, ctx->lock_ms, &st, &err);
    if (!rc)
        xlcfg__state_close(st);
    check_row(it, "state.db", !rc || rc == XLCFG_ERROR_NOTFOUND, &err,
              rc ? "not there yet: the first record makes it"
                 : "can be read");
}

static void check_domains(xlcfg_ctx *ctx, xlcfg__items *it)
{
    struct xlcfg_domains list = { 0 };
    xlcfg_error err = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg__list_take(ctx, &list, NULL, NULL, &err);
    check_row(it, "domains", !rc, &err, "can be listed");
    for (size_t i = 0; i < list.count; i++) {
        struct xlcfg__cut cut;
        char name[96], id[32];

        snprintf(id, sizeof(id), "%lld", (long long)list.v[i].domid);
        rc = xlcfg__cut_take(ctx, list.v[i].domid >= 0 ? id
                             : list.v[i].uuid, &cut, &err);
        if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
            continue;
        snprintf(name, sizeof(name), "template of %.64s",
                 list.v[i].name ? list.v[i].name : id);
        if (!rc && !cut.template) {
            err.where[0] = '\0';
            snprintf(err.message, sizeof(err.message), "%s",
                     cut.template_note);
        }
        check_row(it, name, !rc && cut.template, &err, "can be used");
        if (!rc)
            xlcfg__cut_dispose(&cut);
    }
    xlcfg__domains_dispose(&list);
}

int xlcfg_check(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg__items it = { 0 };
    xlcfg__members m = { 0 };

    check_row(&it, "driver", true, NULL, ctx->conn->drv.name);
    check_store(ctx, &it);
    check_domains(ctx, &it);
    xlcfg__members_add(&m, "checks", xlcfg__items_end(&it));
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

int xlcfg_table(bool kinds, xlcfg_doc **doc_r, xlcfg_error *err)
{
    *doc_r = kinds ? xlcfg__kind_table() : xlcfg__merge_table_doc();
    return *doc_r ? 0 : xlcfg__nomem(err);
}
