/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hashes: SHA-256 over canonical text. */
#include "core/hash.h"
#include "core/json.h"

#include <nettle/sha2.h>

static void finish(struct sha256_ctx *sha, char hex_r[65])
{
    static const char digit[] = "0123456789abcdef";
    uint8_t sum[SHA256_DIGEST_SIZE];

    sha256_digest(sha, sizeof(sum), sum);
    for (size_t i = 0; i < sizeof(sum); i++) {
        hex_r[2 * i] = digit[sum[i] >> 4];
        hex_r[2 * i + 1] = digit[sum[i] & 15];
    }
    hex_r[64] = '\0';
}

static void take_piece(void *arg, const char *text, size_t len)
{
    sha256_update(arg, len, (const uint8_t *)text);
}

void xlcfg__hash_bytes(const void *data, size_t len, char hex_r[65])
{
    struct sha256_ctx sha;

    sha256_init(&sha);
    sha256_update(&sha, len, data);
    finish(&sha, hex_r);
}

int xlcfg_doc_hash(const xlcfg_doc *doc, char hex_r[65], xlcfg_error *err)
{
    struct sha256_ctx sha;
    int rc;

    sha256_init(&sha);
    rc = xlcfg__json_emit(doc, XLCFG_PRINT_CANONICAL, take_piece, &sha, err);
    if (rc)
        return rc;
    finish(&sha, hex_r);
    return 0;
}
