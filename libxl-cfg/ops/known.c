/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a caller says that it knows, of whom a listing is to be compared. */
#include "ops/ctx.h"

#include <stdio.h>

int xlcfg__known(const xlcfg_doc *known, xlcfg_doc **map_r, xlcfg_error *err)
{
    const xlcfg_doc *rows = xlcfg_doc_get(known, "domains");
    xlcfg__members m = { 0 };

    if (xlcfg_doc_kind(known) != XLCFG_DOC_OBJECT ||
        (rows && xlcfg_doc_kind(rows) != XLCFG_DOC_ARRAY))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "known",
                          "expected an earlier listing, or an object of "
                          "uuid and version or hash");
    for (size_t i = 0; i < xlcfg_doc_count(rows ? rows : known); i++) {
        const xlcfg_doc *row = rows ? xlcfg_doc_at(rows, i) : NULL;
        const char *uuid, *text;

        uuid = row ? xlcfg__doc_getstr(row, "uuid")
                   : xlcfg_doc_name(known, i);
        text = row ? xlcfg__doc_getstr(row, "version")
                   : xlcfg_doc_string(xlcfg_doc_at(known, i));
        if (row && uuid && !text)
            text = "";          /* it had no version: it differs */
        if (!uuid || !text) {
            char where[64];

            snprintf(where, sizeof(where), "/domains/%zu", i);
            xlcfg__members_dispose(&m);
            return xlcfg__err(err, XLCFG_ERROR_INVAL,
                              row ? where : uuid, row
                              ? "expected a row with uuid and version"
                              : "expected a version or a hash");
        }
        xlcfg__members_set(&m, uuid, xlcfg__doc_str(text));
    }
    *map_r = xlcfg__members_end(&m);
    return *map_r ? 0 : xlcfg__nomem(err);
}
