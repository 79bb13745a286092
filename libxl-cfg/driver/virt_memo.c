/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a text was understood as.  libvirt is asked each time; but a text that
 * is the same to the byte means what it meant, and is not taken apart again.
 */
#include "driver/virt_i.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 512                /* two of each domain */

struct row {
    struct xlcfg__virt_text text;       /* xml NULL: a free row */
    char uuid[37];
    unsigned long used;
    int64_t calm;
    char *seen;                 /* see xlcfg__virt_saw */
    struct xlcfg__virt_sense sense;
};

struct xlcfg__virt_memo {
    pthread_mutex_t lock;
    struct row rows[ROWS];
    unsigned long turn;
};

void xlcfg__virt_sense_dispose(struct xlcfg__virt_sense *sense)
{
    xlcfg_doc_free(sense->config);
    xlcfg_doc_free(sense->plain);
    xlcfg_doc_free(sense->addresses);
    xlcfg__virt_parts_free(sense->parts);
    *sense = (struct xlcfg__virt_sense){ .number = 0 };
}

static void hold(const struct xlcfg__virt_sense *sense)
{
    xlcfg_doc_ref(sense->config);
    xlcfg_doc_ref(sense->plain);
    xlcfg_doc_ref(sense->addresses);
    xlcfg__virt_parts_ref(sense->parts);
}

static void row_free(struct row *row)
{
    free(row->text.xml);
    row->text.xml = NULL;
    free(row->seen);
    row->seen = NULL;
    xlcfg__virt_sense_dispose(&row->sense);
}

struct xlcfg__virt_memo *xlcfg__virt_memo_new(void)
{
    struct xlcfg__virt_memo *memo = calloc(1, sizeof(*memo));

    if (memo)
        pthread_mutex_init(&memo->lock, NULL);
    return memo;
}

void xlcfg__virt_memo_free(struct xlcfg__virt_memo *memo)
{
    if (!memo)
        return;
    for (size_t i = 0; i < ROWS; i++)
        row_free(&memo->rows[i]);
    pthread_mutex_destroy(&memo->lock);
    free(memo);
}

static struct row *row_of(struct xlcfg__virt_memo *memo,
                          const struct xlcfg__virt_text *text)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct row *row = &memo->rows[i];

        if (row->text.xml && row->text.kept == text->kept &&
            !strcmp(row->uuid, text->uuid))
            return row;
    }
    return NULL;
}

bool xlcfg__virt_recall(struct xlcfg__virt_memo *memo,
                        const struct xlcfg__virt_text *text,
                        struct xlcfg__virt_sense *sense_r)
{
    struct row *row;
    bool same;

    pthread_mutex_lock(&memo->lock);
    row = row_of(memo, text);
    same = row && row->text.beside == text->beside &&
        !strcmp(row->text.xml, text->xml);
    if (same) {
        row->used = ++memo->turn;
        *sense_r = row->sense;
        hold(sense_r);
    }
    pthread_mutex_unlock(&memo->lock);
    return same;
}

/* The one of this domain; or the one that was asked for longest ago. */
static struct row *row_for(struct xlcfg__virt_memo *memo,
                           const struct xlcfg__virt_text *text)
{
    struct row *row = row_of(memo, text);

    for (size_t i = 0; !row && i < ROWS; i++)
        if (!memo->rows[i].text.xml)
            row = &memo->rows[i];
    if (row)
        return row;
    row = &memo->rows[0];
    for (size_t i = 1; i < ROWS; i++)
        if (memo->rows[i].used < row->used)
            row = &memo->rows[i];
    return row;
}

void xlcfg__virt_learn(struct xlcfg__virt_memo *memo,
                       const struct xlcfg__virt_text *text,
                       struct xlcfg__virt_sense *sense)
{
    struct row *row;

    pthread_mutex_lock(&memo->lock);
    row = row_for(memo, text);
    if (!row->text.xml || strcmp(row->uuid, text->uuid))
        row->calm = 0;
    row_free(row);
    row->text = *text;
    strncpy(row->uuid, text->uuid, sizeof(row->uuid) - 1);
    row->text.uuid = row->uuid;
    row->used = sense->number = ++memo->turn;
    row->sense = *sense;
    hold(sense);
    pthread_mutex_unlock(&memo->lock);
}

struct xlcfg__virt_parts *xlcfg__virt_last_parts(
    struct xlcfg__virt_memo *memo, const char *uuid)
{
    const struct xlcfg__virt_text text = { .uuid = uuid };
    struct xlcfg__virt_parts *parts;
    struct row *row;

    pthread_mutex_lock(&memo->lock);
    row = row_of(memo, &text);
    parts = row ? xlcfg__virt_parts_ref(row->sense.parts) : NULL;
    pthread_mutex_unlock(&memo->lock);
    return parts;
}

char *xlcfg__virt_last(struct xlcfg__virt_memo *memo, const char *uuid,
                       bool kept)
{
    const struct xlcfg__virt_text text = { .uuid = uuid, .kept = kept };
    struct row *row;
    char *xml;

    pthread_mutex_lock(&memo->lock);
    row = row_of(memo, &text);
    xml = row ? strdup(row->text.xml) : NULL;
    pthread_mutex_unlock(&memo->lock);
    return xml;
}

void xlcfg__virt_saw(struct xlcfg__virt_memo *memo, const char *uuid,
                     bool kept, char *xml)
{
    const struct xlcfg__virt_text text = { .uuid = uuid, .kept = kept };
    struct row *row;
    char *other = xml;

    pthread_mutex_lock(&memo->lock);
    row = row_of(memo, &text);
    if (row) {
        other = row->seen;
        row->seen = xml;
    }
    pthread_mutex_unlock(&memo->lock);
    free(other);
}

char *xlcfg__virt_seen(struct xlcfg__virt_memo *memo, const char *uuid,
                       bool kept)
{
    const struct xlcfg__virt_text text = { .uuid = uuid, .kept = kept };
    struct row *row;
    char *xml = NULL;

    pthread_mutex_lock(&memo->lock);
    row = row_of(memo, &text);
    if (row) {
        xml = row->seen;
        row->seen = NULL;
    }
    pthread_mutex_unlock(&memo->lock);
    return xml;
}

int64_t xlcfg__virt_calm(struct xlcfg__virt_memo *memo, const char *uuid)
{
    const struct xlcfg__virt_text text = { .uuid = uuid };
    struct row *row;
    int64_t when;

    pthread_mutex_lock(&memo->lock);
    row = row_of(memo, &text);
    when = row ? row->calm : 0;
    pthread_mutex_unlock(&memo->lock);
    return when;
}

void xlcfg__virt_is_calm(struct xlcfg__virt_memo *memo, const char *uuid,
                         int64_t when)
{
    const struct xlcfg__virt_text text = { .uuid = uuid };
    struct row *row;

    pthread_mutex_lock(&memo->lock);
    row = row_of(memo, &text);
    if (row)
        row->calm = when;
    pthread_mutex_unlock(&memo->lock);
}
