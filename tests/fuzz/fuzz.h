/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz targets share: a claim that ends the run when it is false,
 * and what has to hold of every merged answer. */
#ifndef XLCFG_TESTS_FUZZ_H
#define XLCFG_TESTS_FUZZ_H

#include "core/merge.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define must(claim) \
    do { \
        if (!(claim)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                    #claim); \
            abort(); \
        } \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_check_answer(const struct xlcfg_answer *answer)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text, hash[65];
    xlcfg_doc *again;
    size_t len;

    for (size_t i = 0; i < answer->count; i++) {
        const struct xlcfg_row *row = &answer->rows[i];
        const xlcfg_doc *array;

        must(row->key && row->key[0] && row->cell);
        must(row->kind < XLCFG_KINDS && row->state < XLCFG_STATES);
        if (!xlcfg__row_in_config(row))
            continue;
        array = xlcfg_doc_get(answer->config, xlcfg__kinds[row->kind].array);
        must(xlcfg__doc_equal(xlcfg_doc_at(array, row->index), row->body));
    }
    must(!answer->complete || xlcfg_doc_count(answer->unknown) == 0);
    must(xlcfg_doc_print(answer->config, XLCFG_PRINT_CANONICAL, &text, &len,
                         &err) == 0);
    must(xlcfg_doc_parse(text, len, &again, &err) == 0);
    must(xlcfg_doc_hash(again, hash, &err) == 0);
    xlcfg_doc_free(again);
    free(text);
}

#endif
