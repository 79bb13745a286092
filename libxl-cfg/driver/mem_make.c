/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The in-memory driver: making domains. */
#include "driver/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who it is to be, from c_info. */
static int identify(const xlcfg_doc *config, struct xlcfg_domain *dom,
                    xlcfg_error *err)
{
    const xlcfg_doc *info = xlcfg_doc_get(config, "c_info");
    const char *name = xlcfg__doc_getstr(info, "name");
    const char *uuid = xlcfg__doc_getstr(info, "uuid");

    if (!name || !*name)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/c_info/name",
                          "expected the domain's name");
    if (!uuid || !xlcfg__mem_uuid(uuid, dom->uuid))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/c_info/uuid",
                          "expected a uuid");
    dom->name = strdup(name);
    return dom->name ? 0 : xlcfg__nomem(err);
}

static bool same_name(const struct xlcfg_domain *a,
                      const struct xlcfg_domain *b)
{
    return a->name && b->name && !strcmp(a->name, b->name);
}

/* Refused when somebody is that already; *old_r: the one that is stopped and
 * is to be defined anew, mem->count for none. */
static int look_for_twin(struct mem *mem, const struct xlcfg_domain *dom,
                         unsigned flags, size_t *old_r, xlcfg_error *err)
{
    *old_r = mem->count;
    for (size_t i = 0; i < mem->count; i++) {
        const struct xlcfg_domain *it = &mem->doms[i].dom;
        bool uuid = !strcmp(it->uuid, dom->uuid);
        bool name = same_name(it, dom);

        if (uuid && name && it->domid < 0 && (flags & XLCFG_CREATE_START))
            *old_r = i;
        else if (uuid || name)
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, dom->name,
                              "there is a domain of this %s already",
                              uuid ? "uuid" : "name");
    }
    return 0;
}

static int start_it(struct mem *mem, struct mem_domain *md,
                    xlcfg_error *err)
{
    int64_t domid = 0;

    for (size_t i = 0; i < mem->count; i++)
        if (mem->doms[i].dom.domid > domid)
            domid = mem->doms[i].dom.domid;
    md->dom.domid = domid + 1;
    md->dom.started = time(NULL);
    md->dom.state = "running";
    if (asprintf(&md->dom.run, "%s/%" PRId64, md->dom.uuid,
                 md->dom.domid) < 0) {
        md->dom.run = NULL;
        return xlcfg__nomem(err);
    }
    return 0;
}

/* Fill the new domain at the end; what it holds is the caller's to drop. */
static int fill(struct mem *mem, struct mem_domain *md,
                const xlcfg_doc *config, unsigned flags, xlcfg_error *err)
{
    int rc;

    rc = identify(config, &md->dom, err);
    if (rc)
        return rc;
    md->dom.state = "stopped";
    if (!(flags & XLCFG_CREATE_TRANSIENT))
        md->stored = xlcfg_doc_ref(config);
    for (int k = 0; k < XLCFG_KINDS; k++)
        md->view.sees[k] = true;
    rc = xlcfg__view_from_config(config, &md->view, err);
    if (rc == XLCFG_ERROR_PARSE)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "",
                          "expected an object: a configuration");
    if (rc)
        return rc;
    if (md->view.unknown.count)
        return xlcfg__view_not_read(&md->view, err);
    if (flags & XLCFG_CREATE_START)
        return start_it(mem, md, err);
    /* what does not run shows nothing */
    for (size_t i = 0; i < md->view.count; i++)
        md->view.devs[i].live = XLCFG_LIVE_ABSENT;
    return 0;
}

/* The one just made takes the place of the one defined before. */
static void replace(struct mem *mem, size_t old)
{
    struct mem_domain *last = &mem->doms[mem->count - 1];
    struct mem_domain *was = &mem->doms[old];

    last->devices = was->devices;
    was->devices = NULL;
    last->source = was->source;
    was->source = NULL;
    xlcfg__mem_domain_dispose(was);
    *was = *last;
    mem->count--;
}

static int create(struct mem *mem, const xlcfg_doc *config, unsigned flags,
                  struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct mem_domain *md;
    size_t old = 0;
    int rc;

    if ((flags & XLCFG_CREATE_TRANSIENT) && !(flags & XLCFG_CREATE_START))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "a transient domain is one that is started");
    md = xlcfg__mem_add(mem);
    if (!md)
        return xlcfg__nomem(err);
    mem->count--;               /* it counts when it is whole */
    rc = fill(mem, md, config, flags, err);
    if (!rc)
        rc = look_for_twin(mem, &md->dom, flags, &old, err);
    if (!rc && xlcfg__domain_copy(dom_r, &md->dom))
        rc = xlcfg__nomem(err);
    if (rc) {
        xlcfg__mem_domain_dispose(md);
        return rc;
    }
    mem->count++;
    if (old < mem->count - 1) {
        replace(mem, old);
        md = &mem->doms[old];
    }
    xlcfg__mem_changed(mem, md);
    return 0;
}

int xlcfg__mem_create(void *handle, const xlcfg_doc *config, unsigned flags,
                      struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    int rc = xlcfg__mem_enter_write(handle, MEM_CREATE, err);

    if (!rc)
        rc = create(handle, config, flags, dom_r, err);
    return xlcfg__mem_leave_write(handle, rc, err);
}
