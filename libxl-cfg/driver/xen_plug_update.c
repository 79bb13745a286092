/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing a plugged device: libxl knows one change, another medium in a
 * cdrom drive (or none).  It ejects, then inserts, and writes its template
 * at the end; the entry there becomes the whole body it was called with.
 */
#include "driver/xen_plug.h"
#include "driver/xen_plug_config.h"
#include "driver/xen_plug_kind.h"
#include "driver/xen_plug_node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_medium(const char *name)
{
    return !strcmp(name, "pdev_path") || !strcmp(name, "format");
}

/* The first member of a that is another in b, besides the medium; NULL:
 * there is none. */
static const char *other_member(const xlcfg_doc *a, const xlcfg_doc *b)
{
    for (size_t i = 0; i < xlcfg_doc_count(a); i++) {
        const char *name = a->members[i].name->text;
        const xlcfg_doc *was = a->members[i].value;
        const xlcfg_doc *now = xlcfg_doc_get(b, name);

        if (is_medium(name) || (xlcfg__xen_is_silence(was) &&
                                xlcfg__xen_is_silence(now)))
            continue;
        if (!now || !xlcfg__doc_equal(was, now))
            return name;
    }
    return NULL;
}

static int check_drive(const xlcfg_doc *before, const xlcfg_doc *after,
                       xlcfg_error *err)
{
    const char *name = other_member(before, after);
    char where[128];

    if (!name)
        name = other_member(after, before);
    if (name) {
        snprintf(where, sizeof(where), "/%.100s", name);
        return xlcfg__err(err, XLCFG_ERROR_NI, where,
                          "libxl cannot change this of a disk that is "
                          "plugged: only pdev_path and format of a cdrom "
                          "drive");
    }
    if (!xlcfg__doc_to_int(xlcfg_doc_get(before, "is_cdrom"), 0))
        return xlcfg__err(err, XLCFG_ERROR_NI, "/pdev_path",
                          "libxl changes the medium of a cdrom drive alone, "
                          "and this disk is none");
    return 0;
}

/* The body libxl is to be called with: no path is the format "empty". */
static xlcfg_doc *with_medium(const xlcfg_doc *after)
{
    const char *path = xlcfg__doc_getstr(after, "pdev_path");
    const char *format = xlcfg__doc_getstr(after, "format");

    if (!path || !*path)
        return xlcfg__doc_with(after, "format", xlcfg__doc_str("empty"));
    if (!format || !strcmp(format, "empty"))
        return xlcfg__doc_with(after, "format", xlcfg__doc_str("raw"));
    return xlcfg_doc_ref(after);
}

/* Before anything is ejected. */
static int check_medium(const xlcfg_doc *after, xlcfg_error *err)
{
    const char *path = xlcfg__doc_getstr(after, "pdev_path");
    struct stat st;

    if (!path || *path != '/' || !stat(path, &st))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_REFUSED, "/pdev_path", "%.300s: %s",
                      path, strerror(errno));
}

int xlcfg__xen_check_update(void *handle, enum xlcfg_kind kind,
                            const xlcfg_doc *before, const xlcfg_doc *after,
                            xlcfg_error *err)
{
    char reason[256];
    int rc;

    if (!xlcfg__xen_can(handle, kind, XLCFG_ACT_UPDATE, reason,
                        sizeof(reason)))
        return xlcfg__err(err, XLCFG_ERROR_NI, xlcfg__kinds[kind].name,
                          "%s", reason);
    rc = check_drive(before, after, err);
    return rc ? rc : check_medium(after, err);
}

int xlcfg__xen_update(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *before,
                      const xlcfg_doc *after, xlcfg_error *err)
{
    const struct xlcfg__xen_order order = {
        .kind = kind, .verb = XLCFG__XEN_INSERT,
        .domid = (uint32_t)dom->domid,
    };
    struct xlcfg__xen *xen = handle;
    xlcfg_doc *body;
    int rc;

    rc = xlcfg__xen_check_update(handle, kind, before, after, err);
    if (rc)
        return rc;
    body = with_medium(after);
    rc = body ? xlcfg__xen_call_body(&xen->hand, &order, body, err)
              : xlcfg__nomem(err);
    xlcfg_doc_free(body);
    return rc;
}
