/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values tried on libxl, and what it expects in words. */
#include "driver/xen_plug_take.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool xlcfg__search_enter(struct xlcfg__search *s, const char *name, size_t at)
{
    if (s->depth == XLCFG__SEARCH_DEPTH)
        return false;
    s->path[s->depth].name = name;
    s->path[s->depth++].at = at;
    return true;
}

/* The configuration that holds this value alone, where it stands. */
static xlcfg_doc *alone(const struct xlcfg__search *s, const xlcfg_doc *value)
{
    xlcfg_doc *doc = xlcfg_doc_ref(value);

    for (size_t i = s->depth; i-- > 0;) {
        xlcfg__members m = { 0 };
        xlcfg__items it = { 0 };

        if (s->path[i].name) {
            xlcfg__members_add(&m, s->path[i].name, doc);
            doc = xlcfg__members_end(&m);
        } else {
            xlcfg__items_add(&it, doc);
            doc = xlcfg__items_end(&it);
        }
    }
    return doc;
}

/* Is there anything at the path?  An array has the one element there. */
static bool is_there(const struct xlcfg__search *s, const xlcfg_doc *doc)
{
    for (size_t i = 0; i < s->depth; i++)
        doc = s->path[i].name ? xlcfg_doc_get(doc, s->path[i].name)
                              : xlcfg_doc_at(doc, 0);
    return doc;
}

enum xlcfg__taken xlcfg__search_take(struct xlcfg__search *s,
                                     const xlcfg_doc *value)
{
    xlcfg_doc *doc = alone(s, value), *got = NULL;
    enum xlcfg__taken taken = XLCFG__NOT_READ;
    libxl_domain_config config;
    char *json = NULL, *text = NULL;

    libxl_domain_config_init(&config);
    if (!doc || xlcfg_doc_print(doc, 0, &json, NULL, NULL)) {
        s->failed = true;
    } else if (!libxl_domain_config_from_json(s->ctx, &config, json)) {
        text = libxl_domain_config_to_json(s->ctx, &config);
        if (!text || xlcfg_doc_parse(text, strlen(text), &got, NULL))
            s->failed = true;
        taken = got && is_there(s, got) ? XLCFG__TAKEN : XLCFG__LEFT_OUT;
    }
    libxl_domain_config_dispose(&config);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(got);
    free(json);
    free(text);
    return taken;
}

/* The same of a value that is written here. */
static enum xlcfg__taken try_text(struct xlcfg__search *s, const char *json)
{
    enum xlcfg__taken taken;
    xlcfg_doc *doc = NULL;

    if (xlcfg_doc_parse(json, strlen(json), &doc, NULL)) {
        s->failed = true;
        return XLCFG__LEFT_OUT;
    }
    taken = xlcfg__search_take(s, doc);
    xlcfg_doc_free(doc);
    return taken;
}

static enum xlcfg__taken try_word(struct xlcfg__search *s, const char *word)
{
    char json[80];

    snprintf(json, sizeof(json), "\"%s\"", word);
    return try_text(s, json);
}

/* ---- of what type ---- */

bool xlcfg__search_type(struct xlcfg__search *s, enum xlcfg_doc_type *type_r)
{
    static const struct {
        enum xlcfg_doc_type type;
        const char *tries[3];   /* one of them is not the default */
    } types[] = {
        { XLCFG_DOC_NUMBER, { "7", "9" } },
        { XLCFG_DOC_BOOL, { "true", "false" } },
        { XLCFG_DOC_STRING, { "\"?\"" } },
        { XLCFG_DOC_ARRAY, { "[{}]", "[7]", "[\"?\"]" } },
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        for (size_t k = 0; k < 3 && types[i].tries[k]; k++)
            /* a word that it refuses is one where it wants a word */
            if (try_text(s, types[i].tries[k]) != XLCFG__LEFT_OUT) {
                *type_r = types[i].type;
                return !s->failed;
            }
    return false;
}

/* ---- in words ---- */

static void expect_number(struct xlcfg__search *s, char *text, size_t size)
{
    static const char *const most[] = {
        "4294967295", "2147483647", "65535", "255",
    };
    /* where -1 is its default it does not print it, and takes no other */
    bool below = try_text(s, "-1") != XLCFG__LEFT_OUT;

    if (try_text(s, "4294967296") == XLCFG__NOT_READ)
        for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++)
            if (try_text(s, most[i]) != XLCFG__NOT_READ) {
                snprintf(text, size, "expected a number from %s to %s",
                         below ? "0" : "-1", most[i]);
                return;
            }
    snprintf(text, size, "expected a whole number%s",
             below ? " from 0 on" : "");
}

/* libxl's words for one type, if it reads them all here. */
static size_t words_read(struct xlcfg__search *s,
                         const libxl_enum_string_table *table)
{
    size_t n = 0;

    for (; table[n].s; n++)
        if (try_word(s, table[n].s) == XLCFG__NOT_READ)
            return 0;
    return n;
}

static const libxl_enum_string_table *words_here(struct xlcfg__search *s)
{
    static const libxl_enum_string_table *const tables[] = {
        libxl_action_on_shutdown_string_table,
        libxl_altp2m_mode_string_table, libxl_bios_type_string_table,
        libxl_channel_connection_string_table,
        libxl_device_model_version_string_table,
        libxl_disk_backend_string_table, libxl_disk_format_string_table,
        libxl_disk_specification_string_table,
        libxl_disk_transport_string_table, libxl_domain_type_string_table,
        libxl_gfx_passthru_kind_string_table, libxl_gic_version_string_table,
        libxl_hdtype_string_table, libxl_nic_type_string_table,
        libxl_passthrough_string_table,
        libxl_rdm_reserve_policy_string_table,
        libxl_rdm_reserve_strategy_string_table,
        libxl_scheduler_string_table, libxl_tee_type_string_table,
        libxl_timer_mode_string_table, libxl_tsc_mode_string_table,
        libxl_usbctrl_type_string_table, libxl_usbdev_type_string_table,
        libxl_vendor_device_string_table,
        libxl_vga_interface_type_string_table,
        libxl_viridian_enlightenment_string_table,
        libxl_vkb_backend_string_table, libxl_vsnd_pcm_format_string_table,
        libxl_vsnd_stream_type_string_table, libxl_vuart_type_string_table,
    };
    const libxl_enum_string_table *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        size_t n = words_read(s, tables[i]);

        if (n > most) {
            most = n;
            best = tables[i];
        }
    }
    return best;
}

static void expect_one_of(const libxl_enum_string_table *table, char *text,
                          size_t size)
{
    size_t len = (size_t)snprintf(text, size, "expected one of ");

    for (size_t i = 0; table[i].s && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s",
                                i ? ", " : "", table[i].s);
}

static void expect_word(struct xlcfg__search *s, char *text, size_t size)
{
    const libxl_enum_string_table *table;

    if (try_word(s, "?") != XLCFG__NOT_READ)
        snprintf(text, size, "expected a text");
    else if (try_word(s, "00:16:3e:00:00:01") != XLCFG__NOT_READ)
        snprintf(text, size, "expected a MAC address, such as "
                 "00:16:3e:00:00:01");
    else if (try_word(s, "11111111-2222-3333-4444-555555555555") !=
             XLCFG__NOT_READ)
        snprintf(text, size, "expected a uuid");
    else if (try_word(s, "True") != XLCFG__NOT_READ)
        snprintf(text, size, "expected \"True\", \"False\" or "
                 "\"<default>\"");
    else if ((table = words_here(s)))
        expect_one_of(table, text, size);
    else
        snprintf(text, size, "expected another text: libxl does not read "
                 "this one");
}

void xlcfg__search_expected(struct xlcfg__search *s, enum xlcfg_doc_type type,
                            const xlcfg_doc *given, char *text, size_t size)
{
    switch (type == XLCFG_DOC_NULL ? xlcfg_doc_kind(given) : type) {
    case XLCFG_DOC_NUMBER:
        expect_number(s, text, size);
        return;
    case XLCFG_DOC_STRING:
        expect_word(s, text, size);
        return;
    case XLCFG_DOC_BOOL:
        snprintf(text, size, "expected true or false");
        return;
    case XLCFG_DOC_ARRAY:
        snprintf(text, size, "expected a list%s",
                 xlcfg_doc_kind(given) == XLCFG_DOC_ARRAY
                 ? " of other values" : "");
        return;
    case XLCFG_DOC_NULL: case XLCFG_DOC_OBJECT:
        break;
    }
    snprintf(text, size, "libxl does not read this value");
}
