/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hashes: SHA-256 over canonical text. */
#include "core/hash.h"
#include "core/json.h"

#include <nettle/sha2.h>

void xlcfg__hash_bytes(const void *data, size_t len, char hex_r[65])
{
    static const char digit[] = "0123456789abcdef";
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;

    sha256_init(&sha);
    sha256_update(&sha, len, data);
    sha256_digest(&sha, sizeof(sum), sum);
    for (size_t i = 0; i < sizeof(sum); i++) {
        hex_r[2 * i] = digit[sum[i] >> 4];
        hex_r[2 * i + 1] = digit[sum[i] & 15];
    }
    hex_r[64] = '\0';
}

static int take_hash(void *arg, const char *text, size_t len)
{
    xlcfg__hash_bytes(text, len, arg);
    return 0;
}

int xlcfg_doc_hash(const xlcfg_doc *doc, char hex_r[65], xlcfg_error *err)
{
    return xlcfg__json_emit(doc, XLCFG_PRINT_CANONICAL, take_hash, hex_r,
                            err);
}
