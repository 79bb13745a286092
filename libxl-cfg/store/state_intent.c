/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: open intents, and the templates that are kept here. */
#include "store/state_i.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int bad_name(const xlcfg__state *st, int64_t id, const char *what,
                    const char *name, xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                      "intent %" PRId64 " has the unknown %s '%s'", id,
                      what, name);
}

/* Columns as the query XLCFG__SQL_INTENTS names them. */
static int fill(xlcfg__state *st, sqlite3_stmt *stmt,
                struct xlcfg_intent *it, xlcfg_error *err)
{
    char name[32];
    int rc;

    it->id = sqlite3_column_int64(stmt, 0);
    xlcfg__state_buf(stmt, 1, name, sizeof(name));
    it->op = xlcfg__op_by_name(name);
    if (it->op == XLCFG_OPS)
        return bad_name(st, it->id, "operation", name, err);
    xlcfg__state_buf(stmt, 2, name, sizeof(name));
    it->phase = xlcfg__phase_by_name(name);
    if (it->phase == XLCFG_PHASES)
        return bad_name(st, it->id, "phase", name, err);
    xlcfg__state_buf(stmt, 3, name, sizeof(name));
    it->kind = xlcfg__kind_by_name(name);
    if (it->kind == XLCFG_KINDS)
        return bad_name(st, it->id, "kind", name, err);
    if (!xlcfg__state_text(stmt, 4, &it->key) ||
        !xlcfg__state_text(stmt, 5, &it->match) ||
        !xlcfg__state_text(stmt, 8, &it->reason) ||
        !xlcfg__state_text(stmt, 12, &it->domain))
        return xlcfg__nomem(err);
    rc = xlcfg__state_doc(st, stmt, 6, &it->before, err);
    if (rc)
        return rc;
    rc = xlcfg__state_doc(st, stmt, 7, &it->after, err);
    if (rc)
        return rc;
    it->since = sqlite3_column_int64(stmt, 9);
    it->attempts = sqlite3_column_int(stmt, 10);
    it->incarnation = sqlite3_column_int64(stmt, 11);
    it->resets = sqlite3_column_int(stmt, 13) != 0;
    return 0;
}

int xlcfg__state_intents(xlcfg__state *st, const char *driver,
                         const char *uuid, struct xlcfg_intents *list,
                         xlcfg_error *err)
{
    struct xlcfg_intents found = { 0 };
    struct xlcfg_intent *it;
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_INTENTS, &stmt, err, "tt",
                            driver, uuid);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err))) {
        it = xlcfg__intents_add(&found);
        rc = it ? fill(st, stmt, it, err) : xlcfg__nomem(err);
    }
    xlcfg__state_done(stmt);
    if (rc < 0) {
        xlcfg__intents_dispose(&found);
        return rc;
    }
    *list = found;
    return 0;
}

/* Insert or replace, inside a transaction. */
static int put(xlcfg__state *st, const char *driver, const char *uuid,
               const struct xlcfg_intent *it, int64_t *id_r,
               xlcfg_error *err)
{
    bool fresh = !it->id;
    int rc;

    rc = xlcfg__state_run(st, fresh ? XLCFG__SQL_INTENT_NEW
                                    : XLCFG__SQL_INTENT_PUT, err,
                          fresh ? "tttttttddtiiiti" : "tttttttddtiiitii",
                          driver, uuid, xlcfg__op_name(it->op),
                          xlcfg__phase_name(it->phase),
                          xlcfg__kinds[it->kind].name, it->key, it->match,
                          it->before, it->after, it->reason, it->since,
                          (int64_t)it->attempts, it->incarnation,
                          it->domain, (int64_t)it->resets, it->id);
    if (rc)
        return rc;
    if (!fresh && !sqlite3_changes(st->db))
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, st->path,
                          "intent %" PRId64 " is no longer open", it->id);
    *id_r = fresh ? sqlite3_last_insert_rowid(st->db) : it->id;
    return 0;
}

int xlcfg__state_intent_put(xlcfg__state *st, const char *driver,
                            const char *uuid, struct xlcfg_intent *it,
                            xlcfg_error *err)
{
    int64_t id = 0;
    int rc;

    rc = xlcfg__state_begin(st, err);
    if (rc)
        return rc;
    rc = put(st, driver, uuid, it, &id, err);
    rc = xlcfg__state_end(st, rc, err);
    if (!rc)
        it->id = id;
    return rc;
}

/* ---- begin, on a condition ---- */

static int check_version(xlcfg__state *st, const char *driver,
                         const char *uuid, const char *version,
                         xlcfg_error *err)
{
    char now[XLCFG__VERSION_MAX] = "";
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_ROW, &stmt, err, "tt", driver,
                            uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        xlcfg__state_vertext(st, sqlite3_column_int64(stmt, 0), now);
    xlcfg__state_done(stmt);
    if (rc < 0)
        return rc;
    if (!strcmp(now, version))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_CONFLICT, uuid,
                      "its version is %s, not %.64s",
                      now[0] ? now : "not known", version);
}

static int check_incarnation(xlcfg__state *st, const char *driver,
                             const char *uuid, const char *key,
                             int64_t wanted, xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int64_t now = -1;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_INCARNATION, &stmt, err, "ttt",
                            driver, uuid, key);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc) {
        const char *state = (const char *)sqlite3_column_text(stmt, 1);

        if (!state || strcmp(state, "detached"))
            now = sqlite3_column_int64(stmt, 0);
    }
    xlcfg__state_done(stmt);
    if (rc < 0)
        return rc;
    if (now == wanted)
        return 0;
    if (now < 0)
        return xlcfg__err(err, XLCFG_ERROR_CONFLICT, key,
                          "there is no such device, its incarnation %" PRId64
                          " was expected", wanted);
    if (wanted < 0)
        return xlcfg__err(err, XLCFG_ERROR_CONFLICT, key,
                          "there is such a device, its incarnation is %"
                          PRId64, now);
    return xlcfg__err(err, XLCFG_ERROR_CONFLICT, key,
                      "its incarnation is %" PRId64 ", not %" PRId64, now,
                      wanted);
}

static bool is_in(const struct xlcfg_intents *known, int64_t id)
{
    for (size_t i = 0; known && i < known->count; i++)
        if (known->v[i].id == id)
            return true;
    return false;
}

/* Nobody began what the condition speaks of since the caller looked. */
static int check_open(xlcfg__state *st, const char *driver, const char *uuid,
                      const struct xlcfg_intent *it,
                      const struct xlcfg__condition *cond, xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_INTENT_OPEN, &stmt, err, "tt",
                            driver, uuid);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err))) {
        const char *match = (const char *)sqlite3_column_text(stmt, 1);
        const char *key = (const char *)sqlite3_column_text(stmt, 2);

        bool seen = is_in(cond->known, sqlite3_column_int64(stmt, 0));

        /* two at once on one device are never right, also when the caller
         * saw that the other had begun */
        if (match && it->match && !strcmp(match, it->match))
            rc = xlcfg__err(err, cond->version || cond->incarnation
                            ? XLCFG_ERROR_CONFLICT : XLCFG_ERROR_LOCK_FAIL,
                            it->key, "another began a change of this device");
        else if (cond->version && !seen)
            rc = xlcfg__err(err, XLCFG_ERROR_CONFLICT, uuid,
                            "another began a change of %s",
                            key ? key : "this domain");
    }
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

int xlcfg__state_intent_begin(xlcfg__state *st, const char *driver,
                              const char *uuid, struct xlcfg_intent *it,
                              const struct xlcfg__condition *cond,
                              int (*own)(void *arg, int64_t id,
                                         xlcfg_error *err),
                              void *arg, xlcfg_error *err)
{
    int64_t id = 0;
    int rc;

    rc = xlcfg__state_begin(st, err);
    if (rc)
        return rc;
    if (cond->version)
        rc = check_version(st, driver, uuid, cond->version, err);
    if (!rc && cond->incarnation)
        rc = check_incarnation(st, driver, uuid, it->key, cond->incarnation,
                               err);
    if (!rc)
        rc = check_open(st, driver, uuid, it, cond, err);
    if (!rc)
        rc = put(st, driver, uuid, it, &id, err);
    if (!rc)
        rc = own(arg, id, err);
    rc = xlcfg__state_end(st, rc, err);
    if (!rc)
        it->id = id;
    return rc;
}

int xlcfg__state_intent_drop(xlcfg__state *st, int64_t id, xlcfg_error *err)
{
    return xlcfg__state_run(st, XLCFG__SQL_INTENT_DROP, err, "i", id);
}

int xlcfg__state_template_get(xlcfg__state *st, const char *driver,
                              const char *uuid, xlcfg_doc **doc_r,
                              xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_TEMPLATE_GET, &stmt, err, "tt",
                            driver, uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        rc = xlcfg__state_doc(st, stmt, 0, doc_r, err);
    else if (rc == 1)
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, st->path,
                        "there is no template");
    xlcfg__state_done(stmt);
    return rc;
}

int xlcfg__state_template_put(xlcfg__state *st, const char *driver,
                              const char *uuid, const xlcfg_doc *doc,
                              xlcfg_error *err)
{
    if (xlcfg_doc_kind(doc) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, st->path,
                          "a template must be a JSON object");
    return xlcfg__state_run(st, XLCFG__SQL_TEMPLATE_PUT, err, "ttd", driver,
                            uuid, doc);
}

/* ---- what ends with a record ---- */

int xlcfg__state_finish(xlcfg__state *st, const struct xlcfg__record *rec,
                        xlcfg_error *err)
{
    const struct xlcfg__ending *end = rec->ending;
    xlcfg_doc *now = NULL;
    bool same, there;
    int rc = 0;

    if (end->intent)
        rc = xlcfg__state_intent_drop(st, end->intent, err);
    if (!rc && end->reset)
        rc = xlcfg__state_drop_address(st, rec->driver, rec->uuid,
                                       end->reset, &there, err);
    if (rc || !end->edits)
        return rc;
    if (end->any)
        return xlcfg__state_template_put(st, rec->driver, rec->uuid,
                                         end->now, err);
    rc = xlcfg__state_template_get(st, rec->driver, rec->uuid, &now, err);
    if (rc && rc != XLCFG_ERROR_NOTFOUND)
        return rc;
    same = !now == !end->was && (!now || xlcfg__doc_equal(now, end->was));
    xlcfg_doc_free(now);
    if (!same)
        return xlcfg__err(err, XLCFG_ERROR_CONFLICT, st->path,
                          "the template was changed by another");
    return xlcfg__state_template_put(st, rec->driver, rec->uuid, end->now,
                                     err);
}
