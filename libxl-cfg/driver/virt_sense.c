/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a text means: whole, or what of it was not understood before. */
#include "driver/virt_i.h"
#include "driver/virt_xml.h"

static int try(const char *xml, struct xlcfg__virt_parts *parts,
               const struct xlcfg__virt_beside *live,
               struct xlcfg__virt_sense *sense, xmlDocPtr *tree_r,
               xlcfg_error *err)
{
    int rc;

    rc = xlcfg__virt_parse_parts(xml, parts, tree_r, err);
    if (rc)
        return rc;
    xlcfg_doc_free(sense->plain);
    sense->plain = NULL;
    rc = live ? xlcfg__virt_liken(*tree_r, live, &sense->plain, err) : 0;
    if (!rc)
        rc = xlcfg__virt_from_tree(*tree_r, &sense->config,
                                   &sense->addresses, err);
    if (rc) {
        xmlFreeDoc(*tree_r);
        *tree_r = NULL;
    }
    return rc;
}

/* What is wrong is found, and said, in the whole text. */
int xlcfg__virt_take_apart(const char *xml,
                           const struct xlcfg__virt_parts *old,
                           const struct xlcfg__virt_beside *live,
                           struct xlcfg__virt_sense *sense,
                           xmlDocPtr *tree_r, xlcfg_error *err)
{
    struct xlcfg__virt_parts *parts = xlcfg__virt_cut(xml);
    int rc;

    if (parts && live && live->parts)
        xlcfg__virt_parts_liken(parts, live->parts);
    if (parts)
        xlcfg__virt_parts_recall(parts, old);
    rc = try(xml, parts, live, sense, tree_r, parts ? NULL : err);
    if (rc && parts) {
        xlcfg__virt_parts_free(parts);
        parts = NULL;
        rc = try(xml, NULL, live, sense, tree_r, err);
    }
    sense->parts = parts;
    return rc;
}
