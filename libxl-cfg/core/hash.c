/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hashes: SHA-256 over canonical text; and digests of files. */
#include "core/doc.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/json.h"

#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void put_hex(const uint8_t *sum, size_t len, char *hex_r)
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        hex_r[2 * i] = digit[sum[i] >> 4];
        hex_r[2 * i + 1] = digit[sum[i] & 15];
    }
    hex_r[2 * len] = '\0';
}

static void finish(struct sha256_ctx *sha, char hex_r[65])
{
    uint8_t sum[SHA256_DIGEST_SIZE];

    sha256_digest(sha, sizeof(sum), sum);
    put_hex(sum, sizeof(sum), hex_r);
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

/* Numbers by which no number is asked for; of a restored domain libxl notes
 * the second. */
static bool asks_for_none(const xlcfg_doc *domid)
{
    const char *text = xlcfg_doc_kind(domid) == XLCFG_DOC_NUMBER
        ? xlcfg_doc_string(domid) : NULL;

    return text && (!strcmp(text, "0") || !strcmp(text, "4294967295"));
}

int xlcfg__config_hash(const xlcfg_doc *config, char hex_r[65],
                       xlcfg_error *err)
{
    const xlcfg_doc *info = xlcfg_doc_get(config, "c_info");
    xlcfg_doc *less, *whole;
    int rc;

    if (!asks_for_none(xlcfg_doc_get(info, "domid")))
        return xlcfg_doc_hash(config, hex_r, err);
    less = xlcfg__doc_without(info, "domid");
    whole = less ? xlcfg__doc_with(config, "c_info", less) : NULL;
    rc = whole ? xlcfg_doc_hash(whole, hex_r, err) : xlcfg__nomem(err);
    xlcfg_doc_free(whole);
    return rc;
}

/* ---- by name, in pieces ---- */

struct xlcfg__digest {
    const struct nettle_hash *hash;
    max_align_t state[];
};

static const struct {
    const char *name;
    const struct nettle_hash *hash;
} algorithms[] = {
    { "SHA1", &nettle_sha1 }, { "SHA256", &nettle_sha256 },
    { "SHA512", &nettle_sha512 },
};

static const struct nettle_hash *by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (!strcmp(name, algorithms[i].name))
            return algorithms[i].hash;
    return NULL;
}

bool xlcfg__digest_is_known(const char *algorithm)
{
    return by_name(algorithm) != NULL;
}

xlcfg__digest *xlcfg__digest_new(const char *algorithm)
{
    const struct nettle_hash *hash = by_name(algorithm);
    xlcfg__digest *d = hash ? malloc(sizeof(*d) + hash->context_size) : NULL;

    if (d) {
        d->hash = hash;
        hash->init(d->state);
    }
    return d;
}

void xlcfg__digest_add(xlcfg__digest *d, const void *data, size_t len)
{
    d->hash->update(d->state, len, data);
}

void xlcfg__digest_end(xlcfg__digest *d, char hex_r[XLCFG__DIGEST_HEX])
{
    uint8_t sum[SHA512_DIGEST_SIZE];

    d->hash->digest(d->state, d->hash->digest_size, sum);
    put_hex(sum, d->hash->digest_size, hex_r);
}

void xlcfg__digest_free(xlcfg__digest *d)
{
    free(d);
}
