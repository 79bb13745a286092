/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OVF: what get answers, packed; and what somebody packed, as a config. */
#include "core/hash.h"
#include "core/ovf.h"
#include "ops/ctx.h"
#include "ops/ovf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* {key: bytes} of the disks whose size can be told. */
static xlcfg_doc *capacities(xlcfg_ctx *ctx, const struct xlcfg_domain *dom,
                             const xlcfg_doc *get)
{
    const xlcfg_doc *list = xlcfg_doc_get(get, "devices");
    const xlcfg_doc *config = xlcfg_doc_get(get, "config");
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(list, i);
        const char *key = xlcfg__doc_getstr(dev, "key");
        const char *path = xlcfg__doc_getstr(dev, "path");
        uint64_t bytes;

        if (!key || !path || strncmp(key, "disk/", 5) ||
            ctx->conn->drv.capacity(ctx->conn->handle, dom,
                                    xlcfg_doc_pointer(config, path), &bytes,
                                    NULL))
            continue;           /* the envelope does not say it then */
        xlcfg__members_add(&m, key, xlcfg__doc_uint(bytes));
    }
    return xlcfg__members_end(&m);
}

int xlcfg__ovf_get(xlcfg_ctx *ctx, const char *dom, bool secrets,
                   xlcfg_doc **get_r, xlcfg_error *err)
{
    xlcfg_doc *get, *shown, *told;
    int rc;

    rc = xlcfg_domain_get(ctx, dom, NULL, &get, err);
    if (!rc && secrets)
        *get_r = get;
    if (rc || secrets)
        return rc;
    rc = xlcfg_doc_redact(get, &shown, err);
    if (!rc) {
        /* The hash is of what is there, not of what is told of it. */
        told = xlcfg__doc_equal(get, shown) ? xlcfg_doc_ref(shown)
            : xlcfg__doc_without(shown, "hash");
        xlcfg_doc_free(shown);
        rc = told ? 0 : xlcfg__nomem(err);
        if (!rc)
            *get_r = told;
    }
    xlcfg_doc_free(get);
    return rc;
}

int xlcfg__ovf_envelope(xlcfg_ctx *ctx, const char *dom, const xlcfg_doc *get,
                    const xlcfg_doc *copies, char **text_r, xlcfg_error *err)
{
    struct xlcfg_domain who = { .domid = -1, .state = "unknown" };
    xlcfg_doc *sizes = NULL;
    int rc;

    rc = ctx->conn->drv.find(ctx->conn->handle, dom, &who, err);
    if (!rc) {
        sizes = capacities(ctx, &who, get);
        rc = sizes ? xlcfg__ovf_write(get, sizes, copies, text_r, err)
            : xlcfg__nomem(err);
    }
    xlcfg__domain_dispose(&who);
    xlcfg_doc_free(sizes);
    return rc;
}

int xlcfg_domain_ovf(xlcfg_ctx *ctx, const char *dom, bool secrets,
                     char **ovf_r, xlcfg_error *err)
{
    xlcfg_doc *get;
    int rc;

    rc = xlcfg__ovf_get(ctx, dom, secrets, &get, err);
    if (rc)
        return rc;
    rc = xlcfg__ovf_envelope(ctx, dom, get, NULL, ovf_r, err);
    xlcfg_doc_free(get);
    return rc;
}

/* The name of the first element, past all that may stand before it. */
bool xlcfg_is_ovf(const char *text, size_t len)
{
    const char *end = text + len, *p = text, *name;

    while ((p = memchr(p, '<', (size_t)(end - p)))) {
        if (++p == end)
            return false;
        if (end - p > 3 && !memcmp(p, "!--", 3)) {
            p = memmem(p, (size_t)(end - p), "-->", 3);
            if (!p)
                return false;
        } else if (*p != '?' && *p != '!') {
            break;
        }
    }
    if (!p)
        return false;
    for (name = p; p < end && !strchr(" \t\r\n/>", *p) && *p; p++)
        if (*p == ':')
            name = p + 1;
    return p - name == 8 && !memcmp(name, "Envelope", 8);
}

/* What was copied with the envelope is used from there. */
static int use_copies(xlcfg_doc **doc, xlcfg_error *err)
{
    const char *source = xlcfg__doc_getstr(*doc, "source");
    const xlcfg_doc *disks = xlcfg_doc_get(*doc, "disks");
    xlcfg__members m = { 0 };
    xlcfg_doc *more;

    if (strcmp(source, "libxl-cfg") || !xlcfg_doc_count(disks))
        return 0;
    xlcfg__members_copy(&m, *doc);
    xlcfg__members_set(&m, "config", xlcfg__ovf_rebase(
        xlcfg_doc_get(*doc, "config"), disks));
    more = xlcfg__members_end(&m);
    if (!more)
        return xlcfg__nomem(err);
    xlcfg_doc_free(*doc);
    *doc = more;
    return 0;
}

/* Was it changed after it was written? */
static int check_hash(xlcfg_doc **doc, xlcfg_error *err)
{
    const char *said = xlcfg__doc_getstr(*doc, "hash");
    xlcfg__members m = { 0 };
    xlcfg_doc *more;
    char hex[65];
    bool same;
    int rc;

    if (!said)
        return 0;
    rc = xlcfg__config_hash(xlcfg_doc_get(*doc, "config"), hex, err);
    if (rc)
        return rc;
    same = !strcmp(said, hex);
    xlcfg__members_copy(&m, *doc);
    xlcfg__members_set(&m, "unchanged", xlcfg__doc_bool(same));
    more = xlcfg__members_end(&m);
    if (!more)
        return xlcfg__nomem(err);
    xlcfg_doc_free(*doc);
    *doc = more;
    return 0;
}

int xlcfg_ovf_parse(const char *text, size_t len, const char *folder,
                    xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_doc *doc;
    int rc;

    xlcfg__ready();
    rc = xlcfg__ovf_read(text, len, folder, &doc, err);
    if (rc)
        return rc;
    rc = check_hash(&doc, err);
    if (!rc)
        rc = use_copies(&doc, err);
    if (rc) {
        xlcfg_doc_free(doc);
        return rc;
    }
    *doc_r = doc;
    return 0;
}
