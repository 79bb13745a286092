/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The template in libxl's own userdata file,
 * DIR/userdata-d.<domid>.<uuid>.libxl-json, safe beside a plain xl.
 *
 * Reading takes no lock: the file is only ever replaced by rename, and the
 * reader asks afterwards with _stamp whether it was replaced meanwhile.
 */
#ifndef XLCFG_STORE_TEMPLATE_H
#define XLCFG_STORE_TEMPLATE_H

#include "core/doc.h"
#include "store/lock.h"

struct xlcfg__stamp {           /* which file it was; all 0: none */
    uint64_t dev, ino, size;
    int64_t sec, nsec;
};

/*
 * NOTFOUND: there is none.  PARSE: there is one that is damaged, or it was
 * left by an earlier boot of this host (`started`: seconds since the epoch
 * when the domain started, 0 unknown).  STORE: cannot be read.
 * stamp_r is filled also on failure.
 */
int xlcfg__template_read(const char *dir, int64_t domid, const char *uuid,
                         int64_t started, xlcfg_doc **doc_r,
                         struct xlcfg__stamp *stamp_r, xlcfg_error *err);
void xlcfg__template_stamp(const char *dir, int64_t domid, const char *uuid,
                           struct xlcfg__stamp *stamp_r);
/*
 * Replace it.  The caller holds the lock.  Written to libxl's own temporary
 * name, with the NUL at its end, 0600; nothing stays behind on failure.
 * Whole for whoever reads it; not synced, for no domain outlives its host.
 */
int xlcfg__template_write(const char *dir, int64_t domid, const char *uuid,
                          const xlcfg_doc *doc, xlcfg_error *err);
/* Remove the temporary file that a killed writer left, libxl's or ours.  The
 * caller holds the lock.  STORE: it cannot be removed. */
int xlcfg__template_tidy(const char *dir, int64_t domid, const char *uuid,
                         xlcfg_error *err);
/* libxl's userdata lock of this domain. */
int xlcfg__template_lock(const char *dir, int64_t domid, const char *uuid,
                         unsigned wait_ms, xlcfg__lock **lock_r,
                         xlcfg_error *err);

#endif
