/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The address book of a domain: read for an act, shown, and given up. */
#include "ops/plug.h"
#include "ops/present.h"

#include <string.h>

#define TRIES 50                /* as a look that others overtake */

int xlcfg__address_book(xlcfg_ctx *ctx, const char *uuid,
                        struct xlcfg__addresses *book_r, xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(ctx, false, &st, err);
    if (rc == XLCFG_ERROR_NOTFOUND) {
        *book_r = (struct xlcfg__addresses){
            .choice = XLCFG__CHOICE_NEWEST,
        };
        return 0;
    }
    if (!rc)
        rc = xlcfg__state_addresses(st, ctx->conn->drv.name, uuid, book_r,
                                    err);
    if (rc && rc != XLCFG_ERROR_NOMEM)
        xlcfg__store_drop(ctx, false);
    return rc;
}

bool xlcfg__addresses_of(const struct xlcfg_answer *answer,
                         struct xlcfg__addresses *book)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct xlcfg_row *row = &answer->rows[i];
        struct xlcfg_ident id;

        if (!row->address || !row->body || row->live == XLCFG_LIVE_ABSENT ||
            xlcfg_doc_kind(row->address) != XLCFG_DOC_OBJECT ||
            !xlcfg_doc_count(row->address))
            continue;
        xlcfg__key_of(row->kind, row->body, &id);
        if (id.match[0] &&
            !xlcfg__addresses_add(book, row->kind, id.match, row->key,
                                  id.alt, xlcfg_doc_ref(row->address), 0))
            return false;
    }
    return true;
}

/* The device of the look that has this row; NULL: it has left. */
static const struct xlcfg_row *device_of(const struct xlcfg_answer *answer,
                                         const struct xlcfg__address *a)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct xlcfg_row *row = &answer->rows[i];
        struct xlcfg_ident id;

        if (row->kind != a->kind || row->live == XLCFG_LIVE_ABSENT ||
            !row->body)
            continue;
        xlcfg__key_of(row->kind, row->body, &id);
        if (!strcmp(id.match, a->match))
            return row;
    }
    return NULL;
}

static xlcfg_doc *row_doc(const struct xlcfg_answer *answer,
                          const struct xlcfg__address *a)
{
    const struct xlcfg_row *row = device_of(answer, a);
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "key", xlcfg__doc_str(row ? row->key : a->key));
    xlcfg__members_add(&m, "kind",
                       xlcfg__doc_str(xlcfg__kinds[a->kind].name));
    xlcfg__members_add(&m, "held", xlcfg__doc_str(row ? "device" : "kept"));
    xlcfg__members_add(&m, "address", xlcfg_doc_ref(row && row->address
                                                    ? row->address
                                                    : a->address));
    return xlcfg__members_end(&m);
}

int xlcfg_domain_addresses(xlcfg_ctx *ctx, const char *dom,
                           xlcfg_doc **doc_r, xlcfg_error *err)
{
    struct xlcfg__addresses book = { 0 };
    xlcfg__members m = { 0 };
    xlcfg__items it = { 0 };
    struct xlcfg__sight sight;
    int rc;

    rc = xlcfg__sight_take(ctx, dom, &sight, err);
    if (rc)
        return rc;
    rc = xlcfg__address_book(ctx, sight.cut.dom.uuid, &book, err);
    if (rc) {
        xlcfg__sight_dispose(&sight);
        return rc;
    }
    for (size_t i = 0; i < book.count; i++)
        xlcfg__items_add(&it, row_doc(&sight.answer, &book.v[i]));
    xlcfg__members_add(&m, "version",
                       xlcfg_doc_ref(xlcfg_doc_get(sight.doc, "version")));
    xlcfg__members_add(&m, "choice", xlcfg__doc_int(book.choice));
    xlcfg__members_add(&m, "newest", xlcfg__doc_int(XLCFG__CHOICE_NEWEST));
    xlcfg__members_add(&m, "addresses", xlcfg__items_end(&it));
    *doc_r = xlcfg__members_end(&m);
    xlcfg__addresses_dispose(&book);
    xlcfg__sight_dispose(&sight);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

/* The row of a device that has left.  REFUSED: it has not. */
static int find_kept(const struct xlcfg__sight *sight,
                     const struct xlcfg__addresses *book, const char *key,
                     const struct xlcfg__address **row_r, xlcfg_error *err)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct xlcfg__address *a = &book->v[i];

        if (strcmp(a->key, key) && strcmp(a->match, key))
            continue;
        if (device_of(&sight->answer, a))
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, key,
                              "it is there, and has its address: detach it "
                              "with its address given up");
        *row_r = a;
        return 0;
    }
    return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, key,
                      "no address is kept for it");
}

/* A look at the domain, which has the version that was asked for. */
static int look(xlcfg_ctx *ctx, const char *dom, const char *if_version,
                struct xlcfg__sight *sight, xlcfg_error *err)
{
    const char *version;
    int rc;

    rc = xlcfg__sight_take(ctx, dom, sight, err);
    if (rc || !if_version)
        return rc;
    version = xlcfg__doc_getstr(sight->doc, "version");
    if (version && !strcmp(version, if_version))
        return 0;
    rc = xlcfg__conflict(ctx, sight->doc, if_version, dom, err);
    xlcfg__sight_dispose(sight);
    return rc;
}

/* What is to be done of a look, in the store; CONFLICT when somebody recorded
 * the domain after it. */
struct change {
    const char *key;            /* whose address is given up; NULL: none */
    int64_t choice;
};

static int put(xlcfg_ctx *ctx, const struct xlcfg__sight *sight,
               const struct change *change, const char *if_version,
               struct xlcfg__addresses *book, xlcfg_error *err)
{
    const char *uuid = sight->cut.dom.uuid, *name = ctx->conn->drv.name;
    const char *version = xlcfg__doc_getstr(sight->doc, "version");
    const struct xlcfg__address *row = NULL;
    xlcfg__state *st;
    int rc = 0;

    if (change->key) {
        rc = xlcfg__address_book(ctx, uuid, book, err);
        if (!rc)
            rc = find_kept(sight, book, change->key, &row, err);
    } else if (!uuid[0]) {
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, sight->cut.dom.name,
                        "it has no uuid");
    } else if (!xlcfg__addresses_of(&sight->answer, book)) {
        rc = xlcfg__nomem(err);
    }
    if (!rc)
        rc = xlcfg__store(ctx, true, &st, err);
    if (rc)
        return rc;
    return row ? xlcfg__state_address_reset(st, name, uuid, row->match,
                                            if_version, err)
        : xlcfg__state_choice_put(st, name, uuid, change->choice, book,
                                  version ? version : "", err);
}

static int do_change(xlcfg_ctx *ctx, const char *dom,
                     const struct change *change, const char *if_version,
                     xlcfg_error *err)
{
    struct xlcfg__addresses book = { 0 };
    struct xlcfg__sight sight;
    int rc;

    rc = look(ctx, dom, if_version, &sight, err);
    if (rc)
        return rc;
    rc = put(ctx, &sight, change, if_version, &book, err);
    xlcfg__addresses_dispose(&book);
    xlcfg__sight_dispose(&sight);
    return rc;
}

/* Whom another outran looks again; with a version asked for that look says
 * what is there now. */
static int change_it(xlcfg_ctx *ctx, const char *dom,
                     const struct change *change, const char *if_version,
                     xlcfg_error *err)
{
    int rc = XLCFG_ERROR_CONFLICT;

    for (int i = 0; rc == XLCFG_ERROR_CONFLICT && i < TRIES; i++) {
        rc = do_change(ctx, dom, change, if_version, err);
        if (if_version && i)
            break;
    }
    return rc;
}

int xlcfg_address_reset(xlcfg_ctx *ctx, const char *dom, const char *key,
                        const char *if_version, xlcfg_error *err)
{
    const struct change change = { .key = key };

    return change_it(ctx, dom, &change, if_version, err);
}

int xlcfg_address_choice(xlcfg_ctx *ctx, const char *dom, int64_t choice,
                         const char *if_version, xlcfg_error *err)
{
    const struct change change = { .choice = choice };

    if (choice < XLCFG__CHOICE_FREE || choice > XLCFG__CHOICE_NEWEST)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "choice",
                          "expected a number from %d to %d",
                          XLCFG__CHOICE_FREE, XLCFG__CHOICE_NEWEST);
    return change_it(ctx, dom, &change, if_version, err);
}
