/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which domains there are.  A domain is one that xenstore has a tree of with
 * a name, a number or a /vm of its own: what is left of a destroyed one is
 * none, whatever file of it still lies about.
 */
#include "driver/xen_look.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DOMID_MAX 0x7fef        /* DOMID_FIRST_RESERVED - 1 */

static bool is_uuid(const char *s)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (int i = 0; shape[i]; i++)
        if (shape[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    return !s[sizeof(shape) - 1];
}

static void lower(char *to, const char *from)
{
    for (; *from; from++)
        *to++ = (char)tolower((unsigned char)*from);
    *to = '\0';
}

void xlcfg__xen_vm_uuid(const char *vm, char uuid[37])
{
    uuid[0] = '\0';
    if (!strncmp(vm, "/vm/", 4) && is_uuid(vm + 4))
        lower(uuid, vm + 4);
}

/* Which start of the domain this is. */
static int read_run(struct xlcfg__xs *xs, const char *vm,
                    struct xlcfg_domain *dom)
{
    struct xlcfg__xs_value start;
    char uuid[37];
    int r = 0;

    xlcfg__xen_vm_uuid(vm, uuid);
    if (!*uuid)
        return 0;
    xlcfg__xs_read(xs, &start, "%s/start_time", vm);
    if (start.text && isdigit((unsigned char)*start.text) &&
        strlen(start.text) < 32) {
        dom->started = strtoll(start.text, NULL, 10);
        r = asprintf(&dom->run, "%d:%s", (int)dom->domid, start.text);
    }
    xlcfg__xs_value_dispose(&start, 1);
    if (r >= 0)
        return 0;
    dom->run = NULL;
    return XLCFG_ERROR_NOMEM;
}

/* 0, DOMAIN_NOTFOUND, UNREACHABLE, NOMEM. */
static int read_domain(struct xlcfg__xen *xen, uint32_t domid,
                       struct xlcfg_domain *dom)
{
    static const char *const keys[] = { "vm", "name", "domid" };
    struct xlcfg__hv_info info;
    struct xlcfg__xs_value v[3];
    char base[32];
    int rc;

    *dom = (struct xlcfg_domain){ .domid = domid, .state = "unknown" };
    snprintf(base, sizeof(base), "/local/domain/%u", domid);
    xlcfg__xs_read_many(xen->xs, base, keys, 3, v);
    rc = XLCFG_ERROR_UNREACHABLE;
    for (int i = 0; i < 3; i++)
        if (!v[i].text && !xlcfg__xs_absent(&v[i]) && v[i].error != EILSEQ)
            goto out;
    rc = XLCFG_ERROR_DOMAIN_NOTFOUND;
    if (xlcfg__xs_absent(&v[0]) && xlcfg__xs_absent(&v[1]) &&
        xlcfg__xs_absent(&v[2]))
        goto out;
    xlcfg__xen_vm_uuid(xlcfg__xs_text(&v[0]), dom->uuid);
    dom->name = v[1].text && *v[1].text ? strdup(v[1].text) : NULL;
    rc = XLCFG_ERROR_NOMEM;
    if (v[1].text && *v[1].text && !dom->name)
        goto out;
    rc = read_run(xen->xs, xlcfg__xs_text(&v[0]), dom);
    if (rc)
        goto out;
    rc = xlcfg__hv_info(xen->hv, domid, &info);
    if (!rc) {
        dom->state = info.state;
        lower(dom->uuid, info.uuid);
    } else if (rc == XLCFG_ERROR_UNREACHABLE) {
        rc = 0;                 /* xenstore alone says enough */
    }
out:
    xlcfg__xs_value_dispose(v, 3);
    if (rc)
        xlcfg__domain_dispose(dom);
    return rc;
}

static int names_of(struct xlcfg__xen *xen, struct xlcfg__xs_names *names,
                    xlcfg_error *err)
{
    int r = xlcfg__xs_list(xen->xs, names, "/local/domain");

    if (r && r != ENOENT)
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, "/local/domain",
                          "xenstore does not answer: %s", strerror(r));
    return 0;
}

static int domain_error(int rc, const char *text, xlcfg_error *err)
{
    if (rc == XLCFG_ERROR_NOMEM)
        return xlcfg__nomem(err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        return xlcfg__err(err, rc, text, "there is no such domain");
    return rc ? xlcfg__err(err, rc, text, "xenstore does not answer") : 0;
}

int xlcfg__xen_list(void *handle, struct xlcfg_domains *list,
                    xlcfg_error *err)
{
    struct xlcfg__xen *xen = handle;
    struct xlcfg__xs_names names;
    int rc;

    rc = names_of(xen, &names, err);
    if (rc)
        return rc;
    for (unsigned i = 0; i < names.count && !rc; i++) {
        struct xlcfg_domain dom;
        uint64_t domid;

        if (!xlcfg__xs_number(names.v[i], DOMID_MAX, &domid))
            continue;
        rc = read_domain(xen, (uint32_t)domid, &dom);
        if (!rc)
            rc = xlcfg__domains_add(list, &dom);
        else if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
            rc = 0;             /* went away meanwhile */
    }
    xlcfg__xs_names_dispose(&names);
    return domain_error(rc, NULL, err);
}

/* Is this the domain that text names?  By uuid or name. */
static bool is_named(struct xlcfg__xen *xen, uint32_t domid,
                     const char *text, bool by_uuid)
{
    struct xlcfg__hv_info info;
    struct xlcfg__xs_value v;
    char uuid[37];
    bool is;

    xlcfg__xs_read(xen->xs, &v, "/local/domain/%u/%s", domid,
                   by_uuid ? "vm" : "name");
    if (by_uuid) {
        xlcfg__xen_vm_uuid(xlcfg__xs_text(&v), uuid);
        is = !strcasecmp(uuid, text);
        /* the handle is what counts, when xenstore has none */
        if (!*uuid && !xlcfg__hv_info(xen->hv, domid, &info))
            is = !strcasecmp(info.uuid, text);
    } else {
        is = !strcmp(xlcfg__xs_text(&v), text);
    }
    xlcfg__xs_value_dispose(&v, 1);
    return is;
}

static void found(struct xlcfg__xen *xen, const struct xlcfg_domain *dom)
{
    strcpy(xen->last_uuid, dom->uuid);
    xen->last_domid = (uint32_t)dom->domid;
}

/* Its nodes, and the start of the one that was found there last. */
static void announce_last(struct xlcfg__xen *xen)
{
    static const char *const keys[] = { "vm", "name", "domid" };

    xlcfg__xs_will_end(xen->xs);
    for (int i = 0; i < 3; i++)
        xlcfg__xs_will_read(xen->xs, "/local/domain/%u/%s", xen->last_domid,
                            keys[i]);
    xlcfg__xs_will_read(xen->xs, "/vm/%s/start_time", xen->last_uuid);
}

/* True: it is still where it was found last. */
static bool where_it_was(struct xlcfg__xen *xen, const char *text,
                         struct xlcfg_domain *dom_r)
{
    struct xlcfg_domain dom;
    int rc;

    if (!*xen->last_uuid || strcasecmp(xen->last_uuid, text))
        return false;
    announce_last(xen);
    rc = read_domain(xen, xen->last_domid, &dom);
    xlcfg__xs_will_end(xen->xs);
    if (rc)
        return false;
    if (!strcmp(dom.uuid, xen->last_uuid)) {
        *dom_r = dom;
        return true;
    }
    xlcfg__domain_dispose(&dom);
    return false;
}

static bool is_dying(const struct xlcfg_domain *dom)
{
    return !strcmp(dom->state, "dying");
}

/*
 * Another of the same name.  That of a domain which is dying is the next
 * one's, too; of two that live nobody can say which is meant: INVAL.  Keeps
 * one in *dom_r, and the other is gone.
 */
static int choose(struct xlcfg_domain *dom_r, struct xlcfg_domain *other,
                  const char *text, xlcfg_error *err)
{
    struct xlcfg_domain was = *dom_r;
    int rc = 0;

    if (is_dying(&was)) {
        *dom_r = *other;
        *other = was;
    } else if (!is_dying(other) && strcmp(was.uuid, other->uuid)) {
        rc = xlcfg__err(err, XLCFG_ERROR_INVAL, text, "two domains have this "
                        "name: %" PRId64 " (%s) and %" PRId64 " (%s); "
                        "expected a domid or a uuid", was.domid, was.uuid,
                        other->domid, other->uuid);
    }
    xlcfg__domain_dispose(other);
    return rc;
}

/* By uuid the first one, by name the one of all. */
static int find_among(struct xlcfg__xen *xen,
                      const struct xlcfg__xs_names *names, const char *text,
                      struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct xlcfg_domain dom;
    bool found_one = false;
    uint64_t domid;
    int rc = 0;

    for (unsigned i = 0; i < names->count && !rc; i++) {
        if (!xlcfg__xs_number(names->v[i], DOMID_MAX, &domid) ||
            !is_named(xen, (uint32_t)domid, text, is_uuid(text)))
            continue;
        rc = read_domain(xen, (uint32_t)domid, &dom);
        if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND) {
            rc = 0;
            continue;
        }
        if (!rc && found_one) {
            rc = choose(dom_r, &dom, text, err);
        } else if (!rc) {
            *dom_r = dom;
            found_one = true;
            if (is_uuid(text))
                return 0;
        }
    }
    if (rc && found_one)
        xlcfg__domain_dispose(dom_r);
    return rc ? rc : found_one ? 0 : XLCFG_ERROR_DOMAIN_NOTFOUND;
}

int xlcfg__xen_find(void *handle, const char *text,
                    struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct xlcfg__xen *xen = handle;
    struct xlcfg__xs_names names;
    uint64_t domid;
    int rc;

    if (!*text)
        return domain_error(XLCFG_ERROR_DOMAIN_NOTFOUND, text, err);
    if (!text[strspn(text, "0123456789")]) {
        rc = XLCFG_ERROR_DOMAIN_NOTFOUND;
        if (xlcfg__xs_number(text, DOMID_MAX, &domid)) {
            if (*xen->last_uuid && xen->last_domid == domid)
                announce_last(xen);
            rc = read_domain(xen, (uint32_t)domid, dom_r);
            xlcfg__xs_will_end(xen->xs);
        }
        if (!rc)
            found(xen, dom_r);
        return domain_error(rc, text, err);
    }
    if (where_it_was(xen, text, dom_r))
        return 0;
    rc = names_of(xen, &names, err);
    if (rc)
        return rc;
    xlcfg__xs_will_end(xen->xs);
    for (unsigned i = 0; i < names.count; i++)
        xlcfg__xs_will_read(xen->xs, "/local/domain/%s/%s", names.v[i],
                            is_uuid(text) ? "vm" : "name");
    rc = find_among(xen, &names, text, dom_r, err);
    if (!rc)
        found(xen, dom_r);
    xlcfg__xs_will_end(xen->xs);
    xlcfg__xs_names_dispose(&names);
    return rc == XLCFG_ERROR_INVAL ? rc : domain_error(rc, text, err);
}
