/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File locks, by libxl's protocol: create, flock, and make sure that the
 * file locked is still the one the path names; unlink before letting go.
 * The kernel drops the lock of a dead owner.
 */
#ifndef XLCFG_STORE_LOCK_H
#define XLCFG_STORE_LOCK_H

#include "core/err.h"

typedef struct xlcfg__lock xlcfg__lock;

/* LOCK_FAIL: still held by another after wait_ms.  STORE: cannot be made. */
int xlcfg__lock_take(const char *path, unsigned wait_ms,
                     xlcfg__lock **lock_r, xlcfg_error *err);
/* Its descriptor: the lock is held as long as any copy of it is open. */
int xlcfg__lock_fd(const xlcfg__lock *lock);
void xlcfg__lock_drop(xlcfg__lock *lock);       /* NULL accepted */

/*
 * Remove the files DIR/PREFIX*.lock that nobody holds: what was left by
 * owners that were killed.  Safe at any time beside others.  STORE: the
 * folder cannot be read; one that is not there has none.
 */
int xlcfg__lock_sweep(const char *dir, const char *prefix, xlcfg_error *err);

#endif
