/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a text was understood as.  libvirt is asked each time; but a text that
 * is the same to the byte means what it meant, and is not taken apart again.
 */
#include "driver/virt_i.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 128                /* two of each domain */

struct row {
    char uuid[37];
    bool kept;                  /* the definition, not what runs */
    unsigned long used;
    char *text;
    xlcfg_doc *config, *addresses;
};

struct xlcfg__virt_memo {
    struct row rows[ROWS];
    unsigned long turn;
};

static void row_free(struct row *row)
{
    free(row->text);
    xlcfg_doc_free(row->config);
    xlcfg_doc_free(row->addresses);
    *row = (struct row){ .text = NULL };
}

struct xlcfg__virt_memo *xlcfg__virt_memo_new(void)
{
    return calloc(1, sizeof(struct xlcfg__virt_memo));
}

void xlcfg__virt_memo_free(struct xlcfg__virt_memo *memo)
{
    for (size_t i = 0; memo && i < ROWS; i++)
        row_free(&memo->rows[i]);
    free(memo);
}

static struct row *row_of(struct xlcfg__virt_memo *memo, const char *uuid,
                          bool kept)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct row *row = &memo->rows[i];

        if (row->text && row->kept == kept && !strcmp(row->uuid, uuid))
            return row;
    }
    return NULL;
}

bool xlcfg__virt_recall(struct xlcfg__virt_memo *memo, const char *uuid,
                        bool kept, const char *text, xlcfg_doc **config_r,
                        xlcfg_doc **addresses_r)
{
    struct row *row = row_of(memo, uuid, kept);

    if (!row || strcmp(row->text, text))
        return false;
    row->used = ++memo->turn;
    *config_r = xlcfg_doc_ref(row->config);
    if (addresses_r)
        *addresses_r = xlcfg_doc_ref(row->addresses);
    return true;
}

void xlcfg__virt_learn(struct xlcfg__virt_memo *memo, const char *uuid,
                       bool kept, char *text, const xlcfg_doc *config,
                       const xlcfg_doc *addresses)
{
    struct row *row = row_of(memo, uuid, kept);

    /* the one that was asked for longest ago makes room */
    for (size_t i = 0; !row && i < ROWS; i++)
        if (!memo->rows[i].text)
            row = &memo->rows[i];
    if (!row) {
        row = &memo->rows[0];
        for (size_t i = 1; i < ROWS; i++)
            if (memo->rows[i].used < row->used)
                row = &memo->rows[i];
    }
    row_free(row);
    *row = (struct row){
        .kept = kept, .used = ++memo->turn, .text = text,
        .config = xlcfg_doc_ref(config),
        .addresses = addresses ? xlcfg_doc_ref(addresses) : NULL,
    };
    strncpy(row->uuid, uuid, sizeof(row->uuid) - 1);
}
