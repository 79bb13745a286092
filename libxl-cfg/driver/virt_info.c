/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a domain is but its devices: c_info and b_info, and their elements. */
#include "driver/virt_info.h"
#include "driver/virt_tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Members of c_info and b_info that have an element of their own. */
static const struct scalar {
    const char *in, *field, *element;
    enum { TEXT, MEMORY, COUNT_OF } how;
} scalars[] = {
    { "c_info", "name", "name", TEXT },
    { "c_info", "uuid", "uuid", TEXT },
    { "b_info", "max_vcpus", "vcpu", COUNT_OF },
    { "b_info", "max_memkb", "memory", MEMORY },
    { "b_info", "target_memkb", "currentMemory", MEMORY },
};

#define SCALARS (sizeof(scalars) / sizeof(scalars[0]))

/* ---- numbers ---- */

/* How many bytes a unit of <memory> has; 0: no such unit. */
static uint64_t unit_bytes(const char *unit)
{
    static const char letters[] = "KMGTPE";
    const char *at = *unit ? strchr(letters, *unit & ~0x20) : NULL;
    uint64_t n = 1;

    if (!strcasecmp(unit, "b") || !strcasecmp(unit, "byte") ||
        !strcasecmp(unit, "bytes"))
        return 1;
    if (!at || (unit[1] && strcasecmp(unit + 1, "iB") &&
                strcasecmp(unit + 1, "B")))
        return 0;
    for (; at >= letters; at--)
        n *= unit[1] == 'B' || unit[1] == 'b' ? 1000 : 1024;
    return n;
}

static int read_scalar(const struct scalar *s, xmlNodePtr el,
                       xlcfg_doc **value_r, xlcfg_error *err)
{
    char *text = (char *)xmlNodeGetContent(el);
    char *unit = xlcfg__xml_get(el, "@unit");
    uint64_t bytes = s->how == MEMORY ? unit_bytes(unit ? unit : "KiB") : 1;
    char *end = text;
    unsigned long long n = 0;
    int rc;

    if (!text) {
        rc = xlcfg__nomem(err);
        goto out;
    }
    if (s->how == TEXT) {
        *value_r = xlcfg__doc_str(text);
        rc = *value_r ? 0 : xlcfg__nomem(err);
        goto out;
    }
    if (*text >= '0' && *text <= '9')
        n = strtoull(text, &end, 10);
    if (end == text || *end || !bytes || n > INT64_MAX / bytes) {
        rc = xlcfg__xml_bad(err, el, "expected a number%s",
                             s->how == MEMORY ? " and a unit such as KiB"
                             : "");
        goto out;
    }
    /* libvirt rounds up to whole KiB, and so does this */
    n = s->how == MEMORY ? (n * bytes + 1023) / 1024 : n;
    *value_r = xlcfg__doc_uint(n);
    rc = *value_r ? 0 : xlcfg__nomem(err);
out:
    xmlFree(unit);
    xmlFree(text);
    return rc;
}

/* ---- XML to configuration ---- */

int xlcfg__virt_read_info(xmlNodePtr domain, xlcfg__members *m,
                          xlcfg_error *err)
{
    xlcfg__members c = { 0 }, b = { 0 };
    int rc = 0;

    xlcfg__members_add(&c, "type", xlcfg__doc_str("hvm"));
    xlcfg__members_add(&b, "type", xlcfg__doc_str("hvm"));
    for (size_t i = 0; !rc && i < SCALARS; i++) {
        const struct scalar *s = &scalars[i];
        xmlNodePtr el = xlcfg__xml_child(domain, s->element);
        xlcfg_doc *value;

        if (!el)
            continue;
        rc = read_scalar(s, el, &value, err);
        if (!rc)
            xlcfg__members_add(*s->in == 'c' ? &c : &b, s->field, value);
    }
    if (!rc) {
        xlcfg__members_add(m, "c_info", xlcfg__members_end(&c));
        xlcfg__members_add(m, "b_info", xlcfg__members_end(&b));
    }
    xlcfg__members_dispose(&c);
    xlcfg__members_dispose(&b);
    return rc;
}

/* ---- configuration to XML ---- */

/* *changed_r is set when the element said something else. */
static int write_scalar(const struct scalar *s, xmlNodePtr domain,
                        const xlcfg_doc *want, bool *changed_r,
                        xlcfg_error *err)
{
    xmlNodePtr el = xlcfg__xml_child(domain, s->element);
    const char *text = xlcfg_doc_string(want);
    xlcfg_doc *have = NULL;
    bool same = false;
    int64_t n = 1;
    int rc;

    if (s->how == TEXT ? xlcfg_doc_kind(want) != XLCFG_DOC_STRING
        : !xlcfg__doc_is_int(want, 0, INT64_MAX, &n))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "expected a %s",
                          s->how == TEXT ? "string" : "number");
    if (!xlcfg__xml_holds(text))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "expected " XLCFG__XML_TEXT);
    if (el) {
        rc = read_scalar(s, el, &have, err);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_step(err, "x-libvirt");
        if (rc)
            return rc;
        same = xlcfg__doc_equal(have, want);
        xlcfg_doc_free(have);
    }
    if (same)
        return 0;
    *changed_r = true;
    if (n < 1)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "expected a number from 1 on");
    if (!xlcfg__xml_set(domain, s->element, text))
        return xlcfg__nomem(err);
    if (s->how == MEMORY &&
        !xlcfg__xml_set(xlcfg__xml_child(domain, s->element), "@unit",
                         "KiB"))
        return xlcfg__nomem(err);
    return 0;
}

/* Every virtual processor that there is, in its order: what libvirt means when
 * it says nothing. */
static bool is_all_vcpus(const xlcfg_doc *info, const xlcfg_doc *avail)
{
    int64_t most = xlcfg__doc_to_int(xlcfg_doc_get(info, "max_vcpus"), 1);
    size_t count = xlcfg_doc_count(avail);

    if (xlcfg_doc_kind(avail) != XLCFG_DOC_ARRAY || (int64_t)count != most)
        return false;
    for (size_t i = 0; i < count; i++)
        if (xlcfg__doc_to_int(xlcfg_doc_at(avail, i), -1) != (int64_t)i)
            return false;
    return true;
}

int xlcfg__virt_without_word(xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                      "domain XML has no word for this member");
}

/* It has its element, or is the type, or what libvirt would take anyway. */
static int write_info_member(const char *in, const xlcfg_doc *info, size_t i,
                             xmlNodePtr domain, bool *changed_r,
                             xlcfg_error *err)
{
    const char *name = xlcfg_doc_name(info, i);
    const xlcfg_doc *value = xlcfg_doc_at(info, i);
    const char *text = xlcfg_doc_string(value);

    for (const struct scalar *s = scalars; s < scalars + SCALARS; s++)
        if (!strcmp(s->in, in) && !strcmp(s->field, name))
            return write_scalar(s, domain, value, changed_r, err);
    if (!strcmp(name, "avail_vcpus"))
        return is_all_vcpus(info, value) ? 0
            : xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "expected every "
                         "virtual processor from 0 on, as many as max_vcpus "
                         "says");
    return !strcmp(name, "type") && text && !strcmp(text, "hvm") ? 0
        : xlcfg__virt_without_word(err);
}

/* libvirt would give it less, and say nothing. */
static int check_memory(const xlcfg_doc *info, xlcfg_error *err)
{
    int64_t target = xlcfg__doc_to_int(xlcfg_doc_get(info, "target_memkb"),
                                       0);
    int64_t most = xlcfg__doc_to_int(xlcfg_doc_get(info, "max_memkb"),
                                     INT64_MAX);

    if (target <= most)
        return 0;
    xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
               "expected no more than max_memkb, which is %lld",
               (long long)most);
    xlcfg__err_step(err, "target_memkb");
    return XLCFG_ERROR_INVAL;
}

int xlcfg__virt_write_info(const char *in, const xlcfg_doc *info,
                           xmlNodePtr domain, xlcfg_error *err)
{
    bool changed = false;
    int rc = 0;

    if (xlcfg_doc_kind(info) != XLCFG_DOC_OBJECT)
        rc = xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "expected an object");
    for (size_t i = 0; !rc && i < xlcfg_doc_count(info); i++) {
        rc = write_info_member(in, info, i, domain, &changed, err);
        if (rc == XLCFG_ERROR_INVAL)
            xlcfg__err_step(err, xlcfg_doc_name(info, i));
    }
    if (!rc && changed)
        rc = check_memory(info, err);
    if (rc == XLCFG_ERROR_INVAL)
        xlcfg__err_step(err, in);
    return rc;
}
