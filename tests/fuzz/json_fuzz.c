/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as JSON: what is taken prints to a text that is taken again,
 * as an equal document of equal hash.
 */
#include "core/doc.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void again(const xlcfg_doc *doc, unsigned flags, const char hash[65])
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text, *text2, hash2[65];
    size_t len, len2;
    xlcfg_doc *doc2;

    must(xlcfg_doc_print(doc, flags, &text, &len, &err) == 0);
    must(strlen(text) == len);
    must(xlcfg_doc_parse(text, len, &doc2, &err) == 0);
    must(xlcfg_doc_print(doc2, flags, &text2, &len2, &err) == 0);
    must(len == len2 && !memcmp(text, text2, len));
    must(xlcfg_doc_hash(doc2, hash2, &err) == 0 && !strcmp(hash, hash2));
    must(xlcfg__doc_equal(doc, doc2) && xlcfg__doc_equal(doc2, doc));
    free(text);
    free(text2);
    xlcfg_doc_free(doc2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    char hash[65];
    int rc;

    rc = xlcfg_doc_parse((const char *)data, size, &doc, &err);
    if (rc) {
        must(rc == XLCFG_ERROR_PARSE && err.code == rc && err.message[0]);
        return 0;
    }
    must(xlcfg_doc_hash(doc, hash, &err) == 0 && strlen(hash) == 64);
    again(doc, 0, hash);
    again(doc, XLCFG_PRINT_PRETTY, hash);
    again(doc, XLCFG_PRINT_CANONICAL, hash);
    xlcfg_doc_free(doc);
    return 0;
}
