/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256 over bytes, as hex; the one file behind it knows nettle. */
#ifndef XLCFG_CORE_HASH_H
#define XLCFG_CORE_HASH_H

#include "libxl_cfg.h"

void xlcfg__hash_bytes(const void *data, size_t len, char hex_r[65]);

#endif
