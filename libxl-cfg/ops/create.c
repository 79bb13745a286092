/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Create: checked, completed by what is kept of it, recorded, made, looked
 * at, and closed.  Import is the same without the start; where the backend
 * keeps no definitions, what is imported is kept in state.db for the create
 * that comes.
 */
#include "core/keep.h"
#include "ops/create.h"
#include "ops/present.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct create {
    xlcfg_ctx *ctx;
    xlcfg_create_options opt;
    xlcfg_doc *config;          /* as it is to be made */
    char uuid[37];
    char *name;
    xlcfg__lock *owner;
};

/* ---- who it is to be ---- */

static int make_uuid(char uuid_r[37], xlcfg_error *err)
{
    unsigned char b[16];

    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "getrandom: %s",
                          strerror(errno));
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    snprintf(uuid_r, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5],
             b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return 0;
}

static bool read_uuid(const char *text, char uuid_r[37])
{
    if (strlen(text) != 36)
        return false;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
        uuid_r[i] = (char)tolower((unsigned char)text[i]);
    }
    uuid_r[36] = '\0';
    return true;
}

/* Backends may take a slash in a name, and name their logs after it. */
static bool climbs(const char *name)
{
    const char *slash = strchr(name, '/');
    bool found = slash && slash - name == 2 && !strncmp(name, "..", 2);

    for (; slash && !found; slash = strchr(slash + 1, '/'))
        found = !strcmp(slash, "/..") || !strncmp(slash, "/../", 4);
    return found;
}

static int check_config(struct create *c, const xlcfg_doc *config,
                        xlcfg_error *err)
{
    const xlcfg_doc *info = xlcfg_doc_get(config, "c_info");
    const xlcfg_doc *uuid = xlcfg_doc_get(info, "uuid");
    const char *name = xlcfg__doc_getstr(info, "name");

    if (xlcfg_doc_kind(config) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "",
                          "expected an object: a domain configuration");
    if (!name || !*name || strchr(name, '\n') || climbs(name))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/c_info/name",
                          "expected the domain's name, without a newline "
                          "and without .. between slashes");
    if (uuid && (!xlcfg_doc_string(uuid) ||
                 !read_uuid(xlcfg_doc_string(uuid), c->uuid)))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/c_info/uuid",
                          "expected a uuid");
    c->name = strdup(name);
    return c->name ? 0 : xlcfg__nomem(err);
}

/* Each device of the whole configuration can be told from the others. */
static int check_devices(const xlcfg_doc *config, xlcfg_error *err)
{
    struct xlcfg_view view;
    int rc;

    xlcfg__view_init(&view);
    rc = xlcfg__view_from_config(config, &view, err);
    if (!rc && view.unknown.count)
        rc = xlcfg__view_not_read(&view, err);
    xlcfg__view_dispose(&view);
    return rc;
}

/* What is kept for this name or uuid; NULL: nothing. */
static int kept_of(struct create *c, xlcfg_doc **kept_r, xlcfg_error *err)
{
    const char *driver = c->ctx->conn->drv.name;
    xlcfg__state *st;
    char uuid[37];
    int rc;

    *kept_r = NULL;
    rc = xlcfg__state_open(c->ctx->state_dir, false, c->ctx->lock_ms, &st,
                           err);
    if (rc == XLCFG_ERROR_NOTFOUND)
        return 0;
    if (rc)
        return rc;
    rc = c->uuid[0]
        ? xlcfg__state_template_get(st, driver, c->uuid, kept_r, err)
        : xlcfg__state_template_named(st, driver, c->name, uuid, kept_r,
                                      err);
    if (!rc && !c->uuid[0])
        strcpy(c->uuid, uuid);
    xlcfg__state_close(st);
    return rc == XLCFG_ERROR_NOTFOUND ? 0 : rc;
}

/* What a stopped domain of this name is defined as; NULL: there is none. */
static int stored_of(struct create *c, xlcfg_doc **kept_r, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &c->ctx->conn->drv;
    void *handle = c->ctx->conn->handle;
    struct xlcfg_domain dom = { .domid = -1 };
    int rc;

    *kept_r = NULL;
    rc = drv->find(handle, c->uuid[0] ? c->uuid : c->name, &dom, err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        return 0;
    if (rc)
        return rc;
    if (dom.domid < 0)
        rc = drv->stored(handle, &dom, kept_r, err);
    if (rc == XLCFG_ERROR_NOTFOUND)
        rc = 0;
    if (!rc && *kept_r && !c->uuid[0])
        strcpy(c->uuid, dom.uuid);
    xlcfg__domain_dispose(&dom);
    return rc;
}

/* Devices that ran before, in the places that they had then. */
static int in_place(struct create *c, xlcfg_doc **config, xlcfg_error *err)
{
    struct xlcfg__addresses book = { 0 };
    xlcfg_doc *placed = NULL;
    int rc;

    if (!c->opt.new_addresses) {
        rc = xlcfg__address_book(c->ctx, c->uuid, &book, err);
        if (rc)
            return rc;
    }
    rc = c->ctx->conn->drv.place(c->ctx->conn->handle, *config, &book,
                                 &placed, err);
    xlcfg__addresses_dispose(&book);
    if (rc)
        return rc;
    xlcfg_doc_free(*config);
    *config = placed;
    return 0;
}

/* The configuration with uuid and with the addresses that are kept. */
static int complete(struct create *c, const xlcfg_doc *config,
                    xlcfg_error *err)
{
    xlcfg_doc *kept, *whole, *info;
    int rc;

    rc = stored_of(c, &kept, err);
    if (!rc && !kept)
        rc = kept_of(c, &kept, err);
    if (!rc && !c->uuid[0])
        rc = make_uuid(c->uuid, err);
    if (rc) {
        xlcfg_doc_free(kept);
        return rc;
    }
    whole = kept && !c->opt.new_addresses
        ? xlcfg__keep_addresses(config, kept) : xlcfg_doc_ref(config);
    xlcfg_doc_free(kept);
    rc = whole ? in_place(c, &whole, err) : 0;
    if (rc) {
        xlcfg_doc_free(whole);
        return rc;
    }
    info = whole ? xlcfg__doc_with(xlcfg_doc_get(whole, "c_info"), "uuid",
                                   xlcfg__doc_str(c->uuid)) : NULL;
    c->config = info ? xlcfg__doc_with(whole, "c_info", info) : NULL;
    xlcfg_doc_free(whole);
    return c->config ? 0 : xlcfg__nomem(err);
}

/* Nobody is that already; a stopped one of both names may be defined anew,
 * unless it must not exist. */
static int check_free(struct create *c, xlcfg_error *err)
{
    struct xlcfg_domains list = { 0 };
    int rc;

    rc = xlcfg__list_take(c->ctx, &list, NULL, NULL, err);
    for (size_t i = 0; i < list.count && !rc; i++) {
        const struct xlcfg_domain *dom = &list.v[i];
        bool uuid = !strcmp(dom->uuid, c->uuid);
        bool name = dom->name && !strcmp(dom->name, c->name);

        if ((!uuid && !name) ||
            (uuid && name && dom->domid < 0 && !c->opt.define &&
             !c->opt.if_absent))
            continue;
        rc = xlcfg__err(err, c->opt.if_absent ? XLCFG_ERROR_CONFLICT
                        : XLCFG_ERROR_REFUSED, c->name,
                        "there is a domain of this %s already (%s %s, %s)",
                        name ? "name" : "uuid", dom->name ? dom->name : "?",
                        dom->uuid, dom->state);
    }
    xlcfg__domains_dispose(&list);
    return rc;
}

/* It is still as the caller saw it. */
static int check_version(struct create *c, xlcfg_error *err)
{
    const char *asked = c->opt.if_version, *version;
    xlcfg_doc *doc = NULL;
    bool blind = false;
    int rc;

    if (!asked)
        return 0;
    rc = xlcfg__sight_doc(c->ctx, c->uuid, &doc, &blind, err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        return xlcfg__err(err, XLCFG_ERROR_CONFLICT, c->name,
                          "it is not there, and so has no version %.64s",
                          asked);
    if (rc)
        return rc;
    version = xlcfg__doc_getstr(doc, "version");
    if (!version || strcmp(version, asked))
        rc = xlcfg__conflict(c->ctx, doc, asked, c->name, err);
    xlcfg_doc_free(doc);
    return rc;
}

/* ---- the record of it ---- */

static int own(void *arg, int64_t id, xlcfg_error *err)
{
    struct create *c = arg;

    return xlcfg__intent_own(c->ctx, id, 0, &c->owner, err);
}

static int begin(struct create *c, struct xlcfg__creation *cr,
                 xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    *cr = (struct xlcfg__creation){
        .name = c->name, .config = c->config, .since = (int64_t)time(NULL),
        .flags = c->opt.define ? 0 : XLCFG_CREATE_START |
            (c->opt.transient ? XLCFG_CREATE_TRANSIENT : 0),
    };
    cr->was = c->opt.if_version;
    strcpy(cr->uuid, c->uuid);
    rc = xlcfg__state_open(c->ctx->state_dir, true, c->ctx->lock_ms, &st,
                           err);
    if (rc)
        return rc;
    rc = xlcfg__state_creation_begin(st, c->ctx->conn->drv.name, cr, own, c,
                                     err);
    xlcfg__state_close(st);
    return rc;
}

/* ---- making it ---- */

static xlcfg_doc *answer_of(struct create *c, const char *state)
{
    struct xlcfg_domain dom = { .domid = -1, .state = state,
                                .name = c->name };
    xlcfg__members m = { 0 };

    strcpy(dom.uuid, c->uuid);
    xlcfg__members_add(&m, "domain",
                       xlcfg__present_domain(c->ctx->conn->drv.name, &dom));
    xlcfg__members_add(&m, "version", xlcfg__doc_null());
    xlcfg__members_add(&m, "config", xlcfg_doc_ref(c->config));
    return xlcfg__members_end(&m);
}

/* What the backend has defined is looked at, and so has a version; what only
 * state.db keeps has none yet. */
static int answer_defined(struct create *c, xlcfg_doc **doc_r,
                          xlcfg_error *err)
{
    xlcfg_doc *doc = NULL;
    bool blind = false;
    int rc;

    rc = xlcfg__sight_doc(c->ctx, c->uuid, &doc, &blind, NULL);
    if (!rc && !blind) {
        *doc_r = doc;
        return 0;
    }
    xlcfg_doc_free(doc);
    *doc_r = answer_of(c, "stopped");
    return *doc_r ? 0 : xlcfg__nomem(err);
}

/* The driver has spoken; err has its words when it failed. */
static int judge(struct create *c, const struct xlcfg__creation *cr,
                 xlcfg_error *why, xlcfg_doc **doc_r, xlcfg_error *err)
{
    struct xlcfg__sight sight = { .doc = NULL };
    const char *step = NULL;
    int rc;

    if (why->code == XLCFG_ERROR_UNREACHABLE)
        return xlcfg__err_give(err, why);
    rc = xlcfg__creation_close(c->ctx, cr, false, &sight, &step, err);
    if (!rc && !why->code && sight.doc) {
        *doc_r = xlcfg_doc_ref(sight.doc);
    } else if (!rc && !why->code) {
        rc = answer_defined(c, doc_r, err);
    } else if (!rc) {
        if (why->code != XLCFG_ERROR_NI && why->code != XLCFG_ERROR_INVAL &&
            why->code != XLCFG_ERROR_NOMEM)
            why->code = XLCFG_ERROR_REFUSED;
        rc = xlcfg__err_give(err, why);
    }
    xlcfg__sight_dispose(&sight);
    return rc;
}

static int make(struct create *c, xlcfg_doc **doc_r, xlcfg_error *err)
{
    const struct xlcfg_conn *conn = c->ctx->conn;
    xlcfg_error why = XLCFG_ERROR_INIT;
    struct xlcfg_domain dom = { .domid = -1 };
    struct xlcfg__creation cr;
    int rc;

    rc = begin(c, &cr, err);
    if (rc)
        return rc;
    why.code = conn->drv.create(conn->handle, c->config, cr.flags, &dom,
                                &why);
    xlcfg__domain_dispose(&dom);
    return judge(c, &cr, &why, doc_r, err);
}

/* Kept for the create that comes. */
static int keep(struct create *c, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__state_open(c->ctx->state_dir, true, c->ctx->lock_ms, &st,
                           err);
    if (rc)
        return rc;
    rc = xlcfg__state_template_put(st, c->ctx->conn->drv.name, c->uuid,
                                   c->config, err);
    xlcfg__state_close(st);
    if (rc)
        return rc;
    *doc_r = answer_of(c, "stopped");
    return *doc_r ? 0 : xlcfg__nomem(err);
}

static int create(struct create *c, const xlcfg_doc *config,
                  xlcfg_doc **doc_r, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &c->ctx->conn->drv;
    bool keeps = c->opt.define && drv->home == XLCFG_HOME_LIBXL;
    char reason[256] = "this driver cannot";
    int rc;

    if (c->opt.transient && c->opt.define)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "transient",
                          "what is only defined cannot be transient");
    if (c->opt.if_version && c->opt.if_absent)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "if_version",
                          "what must be absent has no version");
    rc = c->opt.if_version ? xlcfg__state_no_token(c->opt.if_version, err)
        : 0;
    if (!rc)
        rc = check_config(c, config, err);
    if (!rc)
        rc = drv->check(c->ctx->conn->handle, XLCFG_KINDS, config, err);
    if (!rc)
        rc = complete(c, config, err);
    if (!rc)
        rc = check_devices(c->config, err);
    if (!rc)
        rc = check_version(c, err);
    if (!rc && c->opt.dry_run) {
        *doc_r = answer_of(c, "unknown");
        return *doc_r ? 0 : xlcfg__nomem(err);
    }
    if (!rc && !keeps &&
        !drv->can(c->ctx->conn->handle, XLCFG_KINDS, XLCFG_ACT_CREATE,
                  reason, sizeof(reason)))
        rc = xlcfg__err(err, XLCFG_ERROR_NI, "create", "%s", reason);
    if (!rc)
        rc = check_free(c, err);
    if (rc)
        return rc;
    return keeps ? keep(c, doc_r, err) : make(c, doc_r, err);
}

int xlcfg_domain_create(xlcfg_ctx *ctx, const xlcfg_doc *config,
                        const xlcfg_create_options *opt, xlcfg_doc **doc_r,
                        xlcfg_error *err)
{
    struct create c = { .ctx = ctx, .opt = XLCFG_CREATE_OPTIONS_INIT };
    int rc;

    if (opt)
        memcpy(&c.opt, opt, opt->size < sizeof(c.opt) ? opt->size
                                                      : sizeof(c.opt));
    rc = create(&c, config, doc_r, err);
    ctx->conn->drv.finish(ctx->conn->handle);
    xlcfg__lock_drop(c.owner);
    xlcfg_doc_free(c.config);
    free(c.name);
    return rc;
}
