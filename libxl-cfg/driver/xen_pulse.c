/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * That nothing has changed, cheaply: xenstore's watches tell of all that a
 * look reads there, and what the hypervisor alone knows is asked for all
 * domains in few calls.
 */
#include "driver/xen_look.h"
#include "driver/xen_watch.h"

#include <stdlib.h>
#include <string.h>

#define DOMID_MAX 0x7fef

struct pulse {
    struct xlcfg__xen *xen;
    struct xlcfg__hv_rows rows;         /* in the order of domid */
    struct xlcfg_domains *list;
    char **texts;
    size_t room;
};

static int by_domid(const void *key, const void *row)
{
    uint32_t a = *(const uint32_t *)key;
    uint32_t b = ((const struct xlcfg__hv_row *)row)->domid;

    return a < b ? -1 : a > b;
}

/* Takes text; NULL: no memory. */
static int add(struct pulse *p, uint32_t domid,
               const struct xlcfg__hv_info *info, char *text)
{
    struct xlcfg_domain dom = { .domid = domid, .state = info->state };

    if (!text)
        return XLCFG_ERROR_NOMEM;
    if (p->list->count == p->room) {
        size_t more = p->room ? p->room * 2 : 64;
        char **bigger = reallocarray(p->texts, more, sizeof(*bigger));

        if (!bigger) {
            free(text);
            return XLCFG_ERROR_NOMEM;
        }
        p->texts = bigger;
        p->room = more;
    }
    memcpy(dom.uuid, info->uuid, sizeof(dom.uuid));
    if (xlcfg__domains_add(p->list, &dom)) {
        free(text);
        return XLCFG_ERROR_NOMEM;
    }
    p->texts[p->list->count - 1] = text;
    return 0;
}

/* One that xenstore has a tree of: a domain only if the hypervisor has it,
 * which is asked again where its list may have been made too early. */
static int add_domain(struct pulse *p, uint32_t domid)
{
    const struct xlcfg__hv_row *row;
    struct xlcfg__hv_info info;
    int rc;

    row = p->rows.count ? bsearch(&domid, p->rows.v, p->rows.count,
                                  sizeof(*p->rows.v), by_domid) : NULL;
    if (row) {
        info = row->info;
    } else {
        rc = xlcfg__hv_info(p->xen->hv, domid, &info);
        if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
            return 0;
        if (rc)
            return rc;
    }
    return add(p, domid, &info, xlcfg__hv_text(p->xen->hv, domid, &info));
}

static int take(struct pulse *p, xlcfg_error *err)
{
    struct xlcfg__xs_names names;
    int r, rc = 0;

    r = xlcfg__xs_list(p->xen->xs, &names, "/local/domain");
    if (r && r != ENOENT)
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, "/local/domain",
                          "xenstore does not answer: %s", strerror(r));
    for (unsigned i = 0; i < names.count && !rc; i++) {
        uint64_t domid;

        if (xlcfg__xs_number(names.v[i], DOMID_MAX, &domid))
            rc = add_domain(p, (uint32_t)domid);
    }
    xlcfg__xs_names_dispose(&names);
    if (rc == XLCFG_ERROR_NOMEM)
        return xlcfg__nomem(err);
    return rc ? xlcfg__err(err, rc, "xen:///",
                           "the hypervisor does not answer") : 0;
}

/* Without a hypervisor that answers, xenstore says all there is to say. */
static int take_list(struct pulse *p, xlcfg_error *err)
{
    int rc;

    rc = xlcfg__xen_list(p->xen, p->list, err);
    if (rc)
        return rc;
    p->texts = calloc(p->list->count + 1, sizeof(*p->texts));
    for (size_t i = 0; p->texts && i < p->list->count; i++) {
        p->texts[i] = strdup("");
        if (!p->texts[i])
            return xlcfg__nomem(err);
    }
    return p->texts ? 0 : xlcfg__nomem(err);
}

int xlcfg__xen_pulse(void *handle, struct xlcfg_domains *list,
                     char ***texts_r, xlcfg_error *err)
{
    struct pulse p = { .xen = handle, .list = list };
    int rc;

    xlcfg__xs_will_end(p.xen->xs);
    rc = xlcfg__xen_watch_fence(p.xen->watch, err);
    if (rc)
        return rc;
    rc = xlcfg__hv_rows(p.xen->hv, &p.rows);
    if (rc == XLCFG_ERROR_NOMEM)
        return xlcfg__nomem(err);
    rc = rc ? take_list(&p, err) : take(&p, err);
    free(p.rows.v);
    if (!rc)
        rc = xlcfg__xs_check(p.xen->xs, err);
    if (rc) {
        for (size_t i = 0; p.texts && i < list->count; i++)
            free(p.texts[i]);
        free(p.texts);
        xlcfg__domains_dispose(list);
        return rc;
    }
    if (!p.texts)
        p.texts = calloc(1, sizeof(*p.texts));
    *texts_r = p.texts;
    return p.texts ? 0 : xlcfg__nomem(err);
}
