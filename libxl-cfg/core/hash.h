/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests of bytes, as hex; the one file behind it knows nettle. */
#ifndef XLCFG_CORE_HASH_H
#define XLCFG_CORE_HASH_H

#include "libxl_cfg.h"

/* SHA-256. */
void xlcfg__hash_bytes(const void *data, size_t len, char hex_r[65]);

/* xlcfg_doc_hash of a domain's configuration, in which a c_info.domid that
 * asks for no number does not count. */
int xlcfg__config_hash(const xlcfg_doc *config, char hex_r[65],
                       xlcfg_error *err);

/* What comes in pieces, by one of the algorithms of manifests: SHA1, SHA256,
 * SHA512. */
#define XLCFG__DIGEST_HEX 129           /* the longest, and its end */
typedef struct xlcfg__digest xlcfg__digest;

bool xlcfg__digest_is_known(const char *algorithm);
/* NULL: out of memory, or not known. */
xlcfg__digest *xlcfg__digest_new(const char *algorithm);
void xlcfg__digest_add(xlcfg__digest *d, const void *data, size_t len);
/* In small letters; it begins anew after that. */
void xlcfg__digest_end(xlcfg__digest *d, char hex_r[XLCFG__DIGEST_HEX]);
void xlcfg__digest_free(xlcfg__digest *d);      /* NULL accepted */

#endif
