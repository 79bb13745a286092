/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that comes from outside: JSON, or the driver's XML; by its content. */
#include "ops/ctx.h"

#include <string.h>

static bool is_xml(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && strchr(" \t\r\n", text[i]) && text[i])
        i++;
    /* a byte order mark may stand before it */
    if (len - i > 3 && !memcmp(text + i, "\xef\xbb\xbf", 3))
        i += 3;
    return i < len && text[i] == '<';
}

static int json(const char *text, size_t len, const char *what,
                xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_doc *doc;
    int rc;

    rc = xlcfg_doc_parse(text, len, &doc, err);
    if (rc)
        return rc;
    if (xlcfg_doc_kind(doc) != XLCFG_DOC_OBJECT) {
        xlcfg_doc_free(doc);
        return xlcfg__err(err, XLCFG_ERROR_PARSE, "",
                          "expected an object: %s", what);
    }
    *doc_r = doc;
    return 0;
}

int xlcfg_device_parse(xlcfg_ctx *ctx, const char *text, size_t len,
                       const char **kind_r, xlcfg_doc **body_r,
                       xlcfg_error *err)
{
    enum xlcfg_kind kind;
    int rc;

    if (!is_xml(text, len)) {
        rc = json(text, len, "the body of a device", body_r, err);
        if (!rc)
            *kind_r = NULL;
        return rc;
    }
    rc = ctx->conn->drv.device_from_xml(ctx->conn->handle, text, len, &kind,
                                        body_r, err);
    if (!rc)
        *kind_r = xlcfg__kinds[kind].name;
    return rc;
}

int xlcfg_config_parse(xlcfg_ctx *ctx, const char *text, size_t len,
                       xlcfg_doc **config_r, xlcfg_error *err)
{
    if (!is_xml(text, len))
        return json(text, len, "a domain configuration", config_r, err);
    return ctx->conn->drv.from_xml(ctx->conn->handle, text, len, config_r,
                                   err);
}

int xlcfg_config_xml(xlcfg_ctx *ctx, const xlcfg_doc *config, char **xml_r,
                     xlcfg_error *err)
{
    return ctx->conn->drv.to_xml(ctx->conn->handle, config, xml_r, err);
}
