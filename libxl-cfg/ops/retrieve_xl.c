/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The true configuration as libxl's own type. */
#include "libxl_cfg_xl.h"
#include "core/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libxl's reader answers with its own numbers; the text is ours. */
static int read_into(libxl_ctx *xl, const xlcfg_doc *config,
                     libxl_domain_config *out, xlcfg_error *err)
{
    char *text;
    int rc, r;

    rc = xlcfg_doc_print(config, 0, &text, NULL, err);
    if (rc)
        return rc;
    r = libxl_domain_config_from_json(xl, out, text);
    free(text);
    if (r) {
        libxl_domain_config_dispose(out);
        libxl_domain_config_init(out);
        return xlcfg__err(err, XLCFG_ERROR_PARSE, "config",
                          "libxl does not read it (its error %d)", r);
    }
    return 0;
}

int xlcfg_retrieve_domain_configuration(xlcfg_ctx *cfg, libxl_ctx *xl,
                                        uint32_t domid,
                                        libxl_domain_config *config,
                                        xlcfg_error *err)
{
    const char *driver;
    xlcfg_doc *doc;
    char id[16];
    int rc;

    libxl_domain_config_init(config);
    if (!xl)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "xl",
                          "expected a libxl context");
    snprintf(id, sizeof(id), "%u", domid);
    rc = xlcfg_domain_get(cfg, id, NULL, &doc, err);
    if (rc)
        return rc;
    driver = xlcfg_doc_string(xlcfg_doc_pointer(doc, "/domain/driver"));
    if (!driver || strcmp(driver, "xen"))
        rc = xlcfg__err(err, XLCFG_ERROR_NI, driver,
                        "expected a context opened on xen:///");
    else
        rc = read_into(xl, xlcfg_doc_get(doc, "config"), config, err);
    xlcfg_doc_free(doc);
    return rc;
}
