/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An OVF package: a folder with an envelope, its disks, and a manifest.  It is
 * made in a folder of its own beside, and renamed when all of it is on the
 * disk: FOLDER is there whole or not at all.
 *
 *     xlcfg__package_begin(folder, &p, err);
 *     xlcfg__package_disk(p, "disk1.raw", "/dev/vg/a", "raw", &how, ...);
 *     xlcfg__package_text(p, "guest.ovf", text, len, err);
 *     xlcfg__package_end(p, "guest.mf", err);
 */
#ifndef XLCFG_STORE_PACKAGE_H
#define XLCFG_STORE_PACKAGE_H

#include "core/err.h"

typedef struct xlcfg__package xlcfg__package;

/* Asked between pieces, with bytes of this file; not 0: stop. */
struct xlcfg__progress {
    int (*step)(void *arg, const char *what, uint64_t done, uint64_t all);
    void *arg;
};

/* INVAL: FOLDER is there and is no empty folder.  STORE: cannot be made. */
int xlcfg__package_begin(const char *folder, xlcfg__package **p_r,
                         xlcfg_error *err);
/*
 * A copy of a file or block device, with holes for what is zero.  format: of
 * libxl's or libvirt's; NULL: raw.  REFUSED: it is neither, it needs another
 * file (a backing one), it was written to meanwhile, or step said stop.
 */
int xlcfg__package_disk(xlcfg__package *p, const char *name,
                        const char *from, const char *format,
                        const struct xlcfg__progress *how, uint64_t *size_r,
                        xlcfg_error *err);
int xlcfg__package_text(xlcfg__package *p, const char *name,
                        const char *text, size_t len, xlcfg_error *err);
/* The manifest, and all of it in its place.  p is gone in any case; what is
 * not in its place is removed. */
int xlcfg__package_end(xlcfg__package *p, const char *manifest,
                       xlcfg_error *err);
void xlcfg__package_drop(xlcfg__package *p);    /* NULL accepted */

/*
 * Is the package of this envelope as it was made?  text: what was read of
 * it; disks: [{"href", "path"}] of files beside it, by their full names.
 * Without a manifest only that none leads out of the folder by a symbolic
 * link.  notes_r: texts of what could not be compared.
 * INVAL: it leads out, or is not as the manifest says.  PARSE, NI: of the
 * manifest.  STORE: cannot be read.  REFUSED: step said stop.
 */
int xlcfg__package_check(const char *path, const char *text, size_t len,
                         const xlcfg_doc *disks,
                         const struct xlcfg__progress *how,
                         xlcfg_doc **notes_r, xlcfg_error *err);

#endif
