/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The questions of the public interface. */
#include "core/diff.h"
#include "core/scalar.h"
#include "ops/ctx.h"
#include "ops/present.h"

#include <stdlib.h>
#include <string.h>
#include <stdio.h>

/* One domain's whole answer. */
static int get(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
               xlcfg_error *err)
{
    return xlcfg__sight_doc(ctx, dom, doc_r, NULL, err);
}

int xlcfg_domain_get(xlcfg_ctx *ctx, const char *dom, void *reserved,
                     xlcfg_doc **doc_r, xlcfg_error *err)
{
    if (reserved)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "reserved",
                          "expected NULL");
    return get(ctx, dom, doc_r, err);
}

int xlcfg_domain_xml(xlcfg_ctx *ctx, const char *dom, char **xml_r,
                     xlcfg_error *err)
{
    xlcfg_doc *doc;
    int rc;

    rc = get(ctx, dom, &doc, err);
    if (rc)
        return rc;
    /* what was once seen is not to be taken for what runs */
    rc = !xlcfg_doc_get(doc, "last_seen") ? 0
        : xlcfg__blind(ctx, dom, err);
    if (!rc)
        rc = ctx->conn->drv.to_xml(ctx->conn->handle,
                                   xlcfg_doc_get(doc, "config"), xml_r,
                                   err);
    xlcfg_doc_free(doc);
    return rc;
}

/* ---- one side alone, and the difference ---- */

static xlcfg_doc *versioned(xlcfg_ctx *ctx, const xlcfg_doc *config)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "version", xlcfg__newest_version(ctx));
    xlcfg__members_add(&m, "config", xlcfg_doc_ref(config));
    return xlcfg__members_end(&m);
}

int xlcfg_domain_template(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                          xlcfg_error *err)
{
    struct xlcfg__cut cut;
    int rc;

    rc = xlcfg__cut_take(ctx, dom, &cut, err);
    if (rc)
        return rc;
    if (!cut.template) {
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom,
                        "no template that can be used: %s",
                        cut.template_note);
    } else {
        *doc_r = versioned(ctx, cut.template);
        rc = *doc_r ? 0 : xlcfg__nomem(err);
    }
    xlcfg__cut_dispose(&cut);
    return rc;
}

/* The live view with its scalars finished by the template's. */
static int finish_live(struct xlcfg__cut *cut, xlcfg_error *err)
{
    xlcfg_doc *rest;

    rest = xlcfg__scalars_finish(cut->template ? cut->tmpl.rest : NULL,
                                 cut->live.rest);
    if (!rest && cut->live.rest)
        return xlcfg__nomem(err);
    xlcfg_doc_free(cut->live.rest);
    cut->live.rest = rest;
    return 0;
}

int xlcfg_domain_live(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                      xlcfg_error *err)
{
    struct xlcfg__cut cut;
    xlcfg_doc *config = NULL;
    int rc;

    rc = xlcfg__cut_take(ctx, dom, &cut, err);
    if (rc)
        return rc;
    rc = finish_live(&cut, err);
    if (!rc) {
        config = xlcfg__view_config(&cut.live);
        *doc_r = config ? versioned(ctx, config) : NULL;
        rc = *doc_r ? 0 : xlcfg__nomem(err);
        xlcfg_doc_free(config);
    }
    xlcfg__cut_dispose(&cut);
    return rc;
}

/* Where one side could not be read, no difference is no news. */
xlcfg_doc *xlcfg__with_unknown(xlcfg_doc *diff, const char *side,
                               const char *missing,
                               const xlcfg__items *unread,
                               const struct xlcfg_view *live)
{
    xlcfg__items it = { 0 };
    xlcfg_doc *whole = NULL;

    if (missing)
        xlcfg__items_add(&it, xlcfg__doc_strf("%s: %s", side, missing));
    for (size_t i = 0; i < unread->count; i++)
        xlcfg__items_add(&it, xlcfg__doc_strf("%s%s", side,
                                              unread->v[i]->text));
    for (size_t i = 0; i < live->unknown.count; i++)
        xlcfg__items_add(&it, xlcfg_doc_ref(live->unknown.v[i]));
    for (size_t i = 0; i < live->count; i++)
        if (live->devs[i].live == XLCFG_LIVE_UNKNOWN)
            xlcfg__items_add(&it, xlcfg__doc_strf(
                "%s: %s", live->devs[i].key,
                live->devs[i].reason ? live->devs[i].reason
                                     : "could not be looked at"));
    it.failed = it.failed || unread->failed || live->unknown.failed;
    if (diff)
        whole = xlcfg__doc_with(diff, "unknown", xlcfg__items_end(&it));
    else
        xlcfg__items_dispose(&it);
    xlcfg_doc_free(diff);
    return whole;
}

int xlcfg_domain_diff(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                      xlcfg_error *err)
{
    struct xlcfg__cut cut;
    int rc;

    rc = xlcfg__cut_compare(ctx, dom, &cut, err);
    if (rc)
        return rc;
    if (cut.blind)
        rc = xlcfg__cut_blind(ctx, &cut, dom, err);
    if (!rc)
        rc = finish_live(&cut, err);
    if (!rc) {
        *doc_r = xlcfg__with_unknown(
            xlcfg__diff("template", &cut.tmpl, "live", &cut.live, true),
            "template", cut.template ? NULL : cut.template_note,
            &cut.tmpl.unknown, &cut.live);
        rc = *doc_r ? 0 : xlcfg__nomem(err);
    }
    xlcfg__cut_dispose(&cut);
    return rc;
}

/* ---- explain ---- */

static xlcfg_doc *intent_doc(const struct xlcfg_intents *list, int64_t id)
{
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < list->count; i++) {
        const struct xlcfg_intent *in = &list->v[i];

        if (in->id != id)
            continue;
        xlcfg__members_add(&m, "op", xlcfg__doc_str(xlcfg__op_name(in->op)));
        xlcfg__members_add(&m, "phase",
                           xlcfg__doc_str(xlcfg__phase_name(in->phase)));
        xlcfg__members_add(&m, "since", xlcfg__present_time(in->since));
        xlcfg__members_add(&m, "attempts", xlcfg__doc_int(in->attempts));
        xlcfg__members_add(&m, "reason", xlcfg__doc_str(in->reason));
        return xlcfg__members_end(&m);
    }
    return xlcfg__doc_null();
}

static xlcfg_doc *or_null(const xlcfg_doc *doc)
{
    return doc ? xlcfg_doc_ref(doc) : xlcfg__doc_null();
}

static xlcfg_doc *explain_row(const struct xlcfg_row *row,
                              const struct xlcfg_intents *intents)
{
    xlcfg__members m = { 0 }, cell = { 0 };

    xlcfg__members_add(&cell, "template",
                       xlcfg__doc_str(row->in_template ? "has" : "lacks"));
    xlcfg__members_add(&cell, "intent",
                       xlcfg__doc_str(xlcfg__op_name(row->op)));
    xlcfg__members_add(&cell, "live",
                       xlcfg__doc_str(xlcfg__live_name(row->live)));
    xlcfg__members_add(&m, "key", xlcfg__doc_str(row->key));
    xlcfg__members_add(&m, "template", or_null(row->template_body));
    xlcfg__members_add(&m, "intent", row->intent
                       ? intent_doc(intents, row->intent)
                       : xlcfg__doc_null());
    xlcfg__members_add(&m, "live",
                       xlcfg__doc_str(xlcfg__live_name(row->live)));
    xlcfg__members_add(&m, "live_body", or_null(row->live_body));
    xlcfg__members_add(&m, "reason", xlcfg__doc_str(row->reason));
    xlcfg__members_add(&m, "cell", xlcfg__members_end(&cell));
    xlcfg__members_add(&m, "state",
                       xlcfg__doc_str(xlcfg__state_name(row->state)));
    xlcfg__members_add(&m, "in_config",
                       xlcfg__doc_bool(xlcfg__row_in_config(row)));
    xlcfg__members_add(&m, "body",
                       xlcfg__doc_str(xlcfg__body_name(row->cell->body)));
    xlcfg__members_add(&m, "verdict", xlcfg__doc_str(row->cell->words));
    return xlcfg__members_end(&m);
}

static int explain(const char *dom, const char *key,
                   const struct xlcfg__cut *cut, const char *driver,
                   const struct xlcfg_answer *answer, xlcfg_doc **doc_r,
                   xlcfg_error *err)
{
    xlcfg__items rows = { 0 };
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < answer->count; i++)
        if (!key || !strcmp(key, answer->rows[i].key))
            xlcfg__items_add(&rows, explain_row(&answer->rows[i],
                                                &cut->intents));
    if (key && !rows.count && xlcfg__key_kind(key) == XLCFG_KINDS)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, key,
                          "expected a device key such as disk/xvda");
    if (key && !rows.count && !rows.failed)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, key,
                          "no such device in %s", dom);
    xlcfg__members_add(&m, "domain",
                       xlcfg__present_domain(driver, &cut->dom));
    xlcfg__members_add(&m, "template", cut->template
                       ? xlcfg__doc_str("read")
                       : xlcfg__doc_str(cut->template_note));
    xlcfg__members_add(&m, "unknown", xlcfg_doc_ref(answer->unknown));
    xlcfg__members_add(&m, "devices", xlcfg__items_end(&rows));
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

int xlcfg_domain_explain(xlcfg_ctx *ctx, const char *dom, const char *key,
                         xlcfg_doc **doc_r, xlcfg_error *err)
{
    struct xlcfg__cut cut;
    struct xlcfg_answer answer;
    int rc;

    rc = xlcfg__cut_take(ctx, dom, &cut, err);
    if (rc)
        return rc;
    rc = xlcfg__cut_merge(&cut, &answer, err);
    if (!rc) {
        rc = explain(dom, key, &cut, ctx->conn->drv.name, &answer, doc_r,
                     err);
        xlcfg__answer_dispose(&answer);
    }
    xlcfg__cut_dispose(&cut);
    return rc;
}
