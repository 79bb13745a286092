/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers as documents. */
#include "ops/present.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

xlcfg_doc *xlcfg__present_domain(const char *driver,
                                 const struct xlcfg_domain *dom)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "uuid", xlcfg__doc_str(dom->uuid));
    xlcfg__members_add(&m, "name", xlcfg__doc_str(dom->name));
    xlcfg__members_add(&m, "domid", dom->domid < 0
                       ? xlcfg__doc_null() : xlcfg__doc_int(dom->domid));
    xlcfg__members_add(&m, "driver", xlcfg__doc_str(driver));
    xlcfg__members_add(&m, "state", xlcfg__doc_str(dom->state));
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__present_time(int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;
    char buf[32];

    if (!when || !gmtime_r(&t, &tm) ||
        !strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return xlcfg__doc_null();
    return xlcfg__doc_str(buf);
}

static xlcfg_doc *seen_in(const struct xlcfg_row *row)
{
    xlcfg__items it = { 0 };

    if (row->in_template)
        xlcfg__items_add(&it, xlcfg__doc_word("template"));
    if (row->intent)
        xlcfg__items_add(&it, xlcfg__doc_word("intent"));
    if (row->live != XLCFG_LIVE_ABSENT && row->live != XLCFG_LIVE_UNKNOWN)
        xlcfg__items_add(&it, xlcfg__doc_word("live"));
    return xlcfg__items_end(&it);
}

static const struct xlcfg__memory *
memory_of(const struct xlcfg__memories *mem, size_t i, const char *key)
{
    /* the rows are in the answer's order as far as they were made of it */
    if (i < mem->count && !strcmp(mem->v[i].key, key))
        return &mem->v[i];
    for (size_t j = 0; j < mem->count; j++)
        if (!strcmp(mem->v[j].key, key))
            return &mem->v[j];
    return NULL;
}

static const char *source_of(const struct xlcfg_row *row)
{
    switch (row->cell->body) {
    case XLCFG_BODY_NONE:
        return row->in_template ? "template" : row->live_body ? "live"
            : row->intent ? "intent" : "live";
    case XLCFG_BODY_TEMPLATE:
        return "template";
    case XLCFG_BODY_FIELDS:
        return row->as_stored ? "template" : "template+live";
    case XLCFG_BODY_LIVE:
        return "live";
    case XLCFG_BODY_INTENT:
        return "intent";
    case XLCFG_BODIES:
        break;
    }
    return "live";
}

static const char *reason_of(const struct xlcfg_row *row)
{
    if (row->reason)
        return row->reason;
    return row->state == XLCFG_STATE_ATTACHED ? NULL : row->cell->words;
}

/* Most devices are there since the same moment. */
struct moment {
    int64_t when;
    xlcfg_doc *text;            /* NULL: none yet */
};

static xlcfg_doc *since(struct moment *last, int64_t when)
{
    if (!last->text || last->when != when) {
        xlcfg_doc_free(last->text);
        *last = (struct moment){ when, xlcfg__present_time(when) };
    }
    return xlcfg_doc_ref(last->text);
}

static xlcfg_doc *device(const struct xlcfg_row *row,
                         const struct xlcfg__memory *mem,
                         struct moment *last)
{
    bool in = xlcfg__row_in_config(row);
    xlcfg__members m = { 0 };
    char hash[65];

    xlcfg__members_add(&m, "key", xlcfg__doc_str(row->key));
    xlcfg__members_add(&m, "kind",
                       xlcfg__doc_word(xlcfg__kinds[row->kind].name));
    xlcfg__members_add(&m, "incarnation",
                       xlcfg__doc_int(mem ? mem->incarnation : 1));
    xlcfg__members_add(&m, "state",
                       xlcfg__doc_word(xlcfg__state_name(row->state)));
    xlcfg__members_add(&m, "reason", xlcfg__doc_str(reason_of(row)));
    xlcfg__members_add(&m, "since", since(last, mem ? mem->since : 0));
    xlcfg__members_add(&m, "attempts",
                       xlcfg__doc_int(mem ? mem->attempts : 0));
    xlcfg__members_add(&m, "address", row->address
                       ? xlcfg_doc_ref(row->address) : xlcfg__doc_null());
    xlcfg__members_add(&m, "in_config", xlcfg__doc_bool(in));
    xlcfg__members_add(&m, "seen_in", seen_in(row));
    xlcfg__members_add(&m, "path", !in ? xlcfg__doc_null()
                       : xlcfg__doc_strf("/%s/%u",
                                         xlcfg__kinds[row->kind].array,
                                         row->index));
    if (in) {
        if (xlcfg_doc_hash(row->body, hash, NULL))
            m.failed = true;
        else
            xlcfg__members_add(&m, "hash", xlcfg__doc_str(hash));
    }
    xlcfg__members_add(&m, "source", xlcfg__doc_word(source_of(row)));
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__present_get(const char *driver,
                              const struct xlcfg_domain *dom,
                              const struct xlcfg_answer *answer,
                              const struct xlcfg__memories *mem,
                              const char *hash, const char *address_hash)
{
    xlcfg__members m = { 0 };
    xlcfg__items devices = { 0 };
    struct moment last = { 0 };

    for (size_t i = 0; i < answer->count; i++)
        xlcfg__items_add(&devices,
                         device(&answer->rows[i],
                                memory_of(mem, i, answer->rows[i].key),
                                &last));
    xlcfg_doc_free(last.text);
    xlcfg__members_add(&m, "domain", xlcfg__present_domain(driver, dom));
    xlcfg__members_add(&m, "version", xlcfg__doc_null());
    xlcfg__members_add(&m, "hash", xlcfg__doc_str(hash));
    xlcfg__members_add(&m, "address_hash", xlcfg__doc_str(address_hash));
    xlcfg__members_add(&m, "complete", xlcfg__doc_bool(answer->complete));
    xlcfg__members_add(&m, "unknown", xlcfg_doc_ref(answer->unknown));
    xlcfg__members_add(&m, "config", xlcfg_doc_ref(answer->config));
    xlcfg__members_add(&m, "devices", xlcfg__items_end(&devices));
    return xlcfg__members_end(&m);
}

static int hash_and_free(xlcfg_doc *doc, char hex_r[65], xlcfg_error *err)
{
    int rc;

    if (!doc)
        return xlcfg__nomem(err);
    rc = xlcfg_doc_hash(doc, hex_r, err);
    xlcfg_doc_free(doc);
    return rc;
}

int xlcfg__address_hash(const struct xlcfg_answer *answer, char hex_r[65],
                        xlcfg_error *err)
{
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < answer->count; i++) {
        const struct xlcfg_row *row = &answer->rows[i];

        if (xlcfg__row_in_config(row) && row->address)
            xlcfg__members_add(&m, row->key, xlcfg_doc_ref(row->address));
    }
    return hash_and_free(xlcfg__members_end(&m), hex_r, err);
}

int xlcfg__answer_digest(const char *driver, const struct xlcfg_domain *dom,
                         const struct xlcfg_answer *answer, char hex_r[65],
                         xlcfg_error *err)
{
    xlcfg__members m = { 0 }, states = { 0 };

    for (size_t i = 0; i < answer->count; i++) {
        const struct xlcfg_row *row = &answer->rows[i];

        /* a detached row is a leftover of the template: no fact of ours */
        if (row->state != XLCFG_STATE_DETACHED)
            xlcfg__members_add(&states, row->key,
                               xlcfg__doc_word(xlcfg__state_name(row->state)));
    }
    xlcfg__members_add(&m, "domain", xlcfg__present_domain(driver, dom));
    xlcfg__members_add(&m, "config", xlcfg_doc_ref(answer->config));
    xlcfg__members_add(&m, "states", xlcfg__members_end(&states));
    return hash_and_free(xlcfg__members_end(&m), hex_r, err);
}
