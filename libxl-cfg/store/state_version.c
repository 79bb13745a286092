/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: what a version text stands for. */
#include "store/state_i.h"

#include <stdlib.h>
#include <string.h>

int xlcfg__state_by_version(xlcfg__state *st, const char *driver,
                            const char *uuid, const char *version,
                            xlcfg_doc **doc_r, xlcfg_error *err)
{
    size_t len = strlen(st->instance);
    xlcfg_doc *doc = NULL;
    sqlite3_stmt *stmt;
    int rc;

    if (strncmp(version, st->instance, len) || version[len] != '.')
        return xlcfg__err(err, XLCFG_ERROR_TOO_OLD, version,
                          "it is of another store");
    rc = xlcfg__state_query(st, XLCFG__SQL_BY_VERSION, &stmt, err, "itt",
                            (int64_t)strtoll(version + len + 1, NULL, 10),
                            driver, uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        rc = xlcfg__state_doc(st, stmt, 0, &doc, err);
    xlcfg__state_done(stmt);
    if (rc < 0)
        return rc;
    if (!doc)
        return xlcfg__err(err, XLCFG_ERROR_TOO_OLD, version,
                          "history does not hold it");
    *doc_r = doc;
    return 0;
}
