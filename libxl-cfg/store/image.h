/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk's image, opened to be copied. */
#ifndef XLCFG_STORE_IMAGE_H
#define XLCFG_STORE_IMAGE_H

#include "core/err.h"

#include <sys/stat.h>

/*
 * For reading: a regular file or block device that is the whole disk.
 * REFUSED: it is neither, cannot be opened, or its format lets it need
 * another file, and it does, or that cannot be told.  bytes_r: its length.
 */
int xlcfg__image_open(const char *path, const char *format, int *fd_r,
                      uint64_t *bytes_r, struct stat *sb_r,
                      xlcfg_error *err);

#endif
