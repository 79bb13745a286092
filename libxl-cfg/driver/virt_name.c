/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a new device is called: by the guest, by its own hardware, and by
 * libvirt, with an alias that is kept ("ua-..."). */
#include "driver/virt_i.h"
#include "core/key.h"
#include "driver/virt_body.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define ALIAS_MAX 128
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static bool has_target(xmlDocPtr doc, const char *name)
{
    for (xmlNodePtr n = xlcfg__virt_first(doc); n; n = n->next)
        if (xlcfg__xml_is(n, "disk") &&
            xlcfg__xml_has(n, "target@dev", name))
            return true;
    return false;
}

static bool choose_target(const struct xlcfg__virt_place *at, xmlNodePtr dev)
{
    static const struct {
        const char *prefix, *bus;
    } rows[] = {
        { "vd", "virtio" }, { "sd", "scsi" }, { "hd", "ide" },
        { "fd", "fdc" },
    };
    char *name = xlcfg__xml_get(dev, "target@dev");
    char text[8];
    bool ok = true;

    for (char c = 'a'; !name && ok && c <= 'z'; c++) {
        snprintf(text, sizeof(text), "vd%c", c);
        if (has_target(at->live, text) || has_target(at->kept, text))
            continue;
        ok = xlcfg__xml_set(dev, "target@dev", text);
        name = xlcfg__xml_get(dev, "target@dev");
    }
    for (size_t i = 0; name && ok && i < COUNT(rows); i++)
        if (!strncmp(name, rows[i].prefix, 2) &&
            !xlcfg__xml_has(dev, "target@bus", rows[i].bus)) {
            char *bus = xlcfg__xml_get(dev, "target@bus");

            ok = bus || xlcfg__xml_set(dev, "target@bus", rows[i].bus);
            xmlFree(bus);
        }
    xmlFree(name);
    return ok;
}

static bool choose_mac(xmlNodePtr dev)
{
    unsigned char r[3];
    char *mac = xlcfg__xml_get(dev, "mac@address");
    char text[24];

    if (mac) {
        xmlFree(mac);
        return true;
    }
    if (getrandom(r, sizeof(r), 0) != sizeof(r))
        return false;
    snprintf(text, sizeof(text), "52:54:00:%02x:%02x:%02x", r[0], r[1],
             r[2]);
    return xlcfg__xml_set(dev, "mac@address", text);
}

static int who(enum xlcfg_kind kind, xmlNodePtr dev, struct xlcfg_ident *id,
               xlcfg_error *err)
{
    xlcfg_doc *body;
    int rc;

    rc = xlcfg__virt_body(kind, dev, 0, &body, err);
    if (rc)
        return rc;
    xlcfg__key_of(kind, body, id);
    xlcfg_doc_free(body);
    return 0;
}

/* "ua-disk-vdb": from the key, so that one who finds the alias in QEMU alone
 * knows whose it is. */
static int choose_alias(const struct xlcfg__virt_place *at,
                        enum xlcfg_kind kind, xmlNodePtr dev,
                        xlcfg_error *err)
{
    char alias[ALIAS_MAX], *given = xlcfg__xml_get(dev, "alias@name");
    struct xlcfg_ident id;
    size_t len;
    int rc;

    if (given) {
        xmlFree(given);
        return 0;
    }
    rc = who(kind, dev, &id, err);
    if (rc)
        return rc;
    len = (size_t)snprintf(alias, sizeof(alias) - 8, "ua-%.100s", id.key);
    for (char *p = alias; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            *p = '-';
    for (int n = 2; xlcfg__virt_by_alias(at->live, alias) ||
         (at->kept && xlcfg__virt_by_alias(at->kept, alias)); n++)
        snprintf(alias + len, sizeof(alias) - len, "-%d", n);
    return xlcfg__xml_set(dev, "alias@name", alias) ? 0
        : xlcfg__nomem(err);
}

int xlcfg__virt_settle_in(struct xlcfg__virt_place *at,
                          enum xlcfg_kind kind, xmlNodePtr dev,
                          xlcfg_error *err)
{
    struct xlcfg_ident id;
    int rc;

    if ((kind == XLCFG_KIND_DISK && !choose_target(at, dev)) ||
        (kind == XLCFG_KIND_NIC && !choose_mac(dev)))
        return xlcfg__nomem(err);
    rc = who(kind, dev, &id, err);
    if (rc)
        return rc;
    at->own = at->book ? xlcfg__addresses_own(at->book, kind, &id) : NULL;
    rc = xlcfg__virt_choose_address(at, kind, dev, err);
    return rc ? rc : choose_alias(at, kind, dev, err);
}
