/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device keys, and the arithmetic of Xen's disk names. */
#include "core/key.h"
#include "core/number.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits at *p as a number up to max; -1 if none or too big. */
static long digits(const char **p, long max)
{
    long n = 0;

    if (!isdigit((unsigned char)**p))
        return -1;
    for (; isdigit((unsigned char)**p); (*p)++) {
        n = n * 10 + (**p - '0');
        if (n > max)
            return -1;
    }
    return n;
}

/* Letters at *p as a disk index (a = 0, z = 25, aa = 26); -1 if none. */
static long letters(const char **p)
{
    long n = 0;
    int count = 0;

    for (; **p >= 'a' && **p <= 'z'; (*p)++) {
        n = n * 26 + (**p - 'a' + 1);
        if (++count > 5)
            return -1;
    }
    return count ? n - 1 : -1;
}

static int xvd_number(long disk, long part)
{
    if (disk < 0 || disk > (1 << 20) - 1 || part < 0 || part > 255)
        return -1;
    if (disk <= 15 && part <= 15)
        return (int)(202 << 8 | disk << 4 | part);
    return (int)(1 << 28 | disk << 8 | part);
}

static int plain_number(const char *s)
{
    char *end;
    unsigned long n;

    if (!isdigit((unsigned char)*s))
        return -1;
    n = strtoul(s, &end, 0);
    return *end || n > 0x7fffffff ? -1 : (int)n;
}

int xlcfg__vdev_number(const char *vdev)
{
    const char *p = vdev;
    bool xvd = !strncmp(p, "xvd", 3), hd = !strncmp(p, "hd", 2);
    bool sd = !strncmp(p, "sd", 2);
    long disk, part = 0;

    if (*p == 'd' && isdigit((unsigned char)p[1])) {
        p++;
        disk = digits(&p, (1 << 20) - 1);
        if (*p == 'p') {
            p++;
            part = digits(&p, 255);
        }
        return *p ? -1 : xvd_number(disk, part);
    }
    if (!xvd && !hd && !sd)
        return plain_number(vdev);
    p += xvd ? 3 : 2;
    disk = letters(&p);
    if (disk < 0)
        return -1;
    if (*p)
        part = digits(&p, xvd ? 255 : hd ? 63 : 15);
    if (*p || part < 0)
        return -1;
    if (xvd)
        return xvd_number(disk, part);
    if (hd)
        return disk > 3 ? -1 :
            (int)((disk < 2 ? 3 : 22) << 8 | (disk & 1) << 6 | part);
    return disk > 15 ? -1 : (int)(8 << 8 | disk << 4 | part);
}

static size_t put_letters(long disk, char *buf, size_t size)
{
    char rev[8];
    size_t n = 0, out = 0;

    for (disk++; disk > 0 && n < sizeof(rev); disk = (disk - 1) / 26)
        rev[n++] = (char)('a' + (disk - 1) % 26);
    while (n && out + 1 < size)
        buf[out++] = rev[--n];
    buf[out] = '\0';
    return out;
}

void xlcfg__vdev_name(int devid, char *buf, size_t size)
{
    static const struct {
        int major, shift, disks;
        const char *prefix;
        int first;
    } rows[] = {
        { 202, 4, 16, "xvd", 0 }, { 8, 4, 16, "sd", 0 },
        { 3, 6, 2, "hd", 0 }, { 22, 6, 2, "hd", 2 },
    };
    char name[16];

    buf[0] = '\0';
    if (devid < 0)
        return;
    if (devid >> 28 == 1) {
        put_letters(devid >> 8 & 0xfffff, name, sizeof(name));
        if (devid & 0xff)
            snprintf(buf, size, "xvd%s%d", name, devid & 0xff);
        else
            snprintf(buf, size, "xvd%s", name);
        return;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int disk = (devid & 0xff) >> rows[i].shift;
        int part = devid & ((1 << rows[i].shift) - 1);

        if (devid >> 8 != rows[i].major || disk >= rows[i].disks)
            continue;
        put_letters(disk + rows[i].first, name, sizeof(name));
        if (part)
            snprintf(buf, size, "%s%s%d", rows[i].prefix, name, part);
        else
            snprintf(buf, size, "%s%s", rows[i].prefix, name);
    }
}

/* Hex digits at *p, up to most of them, and the end character behind. */
static bool hex_part(const char **p, int most, char end, unsigned *n_r)
{
    unsigned n = 0;
    int count = 0;

    for (; isxdigit((unsigned char)**p) && count < most; count++, (*p)++)
        n = n << 4 | (unsigned)(isdigit((unsigned char)**p) ? **p - '0'
                                : tolower((unsigned char)**p) - 'a' + 10);
    if (!count || **p != end)
        return false;
    if (end)
        (*p)++;
    *n_r = n;
    return true;
}

bool xlcfg__bdf_parse(const char *s, unsigned part[4])
{
    const char *p = s;

    part[0] = 0;
    if (strchr(s, ':') != strrchr(s, ':') &&
        !hex_part(&p, 4, ':', &part[0]))
        return false;
    return hex_part(&p, 2, ':', &part[1]) &&
        hex_part(&p, 2, '.', &part[2]) &&
        hex_part(&p, 1, '\0', &part[3]) && part[2] < 32 && part[3] < 8;
}

/* A small number member in range; def when absent, -1 when it is no good. */
static int64_t number(const xlcfg_doc *body, const char *name, int64_t max,
                      int64_t def)
{
    const xlcfg_doc *v = xlcfg_doc_get(body, name);
    int64_t n;

    if (!v)
        return def;
    return xlcfg__doc_is_int(v, 0, max, &n) ? n : -1;
}

/* s to p; the end, where a NUL is. */
static char *put(char *p, const char *s)
{
    size_t len = strlen(s);

    memcpy(p, s, len + 1);
    return p + len;
}

static char *put_number(char *p, int64_t n)
{
    char digits[20];
    size_t count = 0;

    for (; n || !count; n /= 10)
        digits[count++] = (char)('0' + n % 10);
    while (count)
        *p++ = digits[--count];
    *p = '\0';
    return p;
}

static void by_devid(const char *kind, const xlcfg_doc *body,
                     struct xlcfg_ident *id)
{
    int64_t devid = number(body, "devid", INT32_MAX, -1);

    if (devid >= 0)
        put_number(put(put(id->key, kind), "/"), devid);
}

static void of_disk(const xlcfg_doc *body, struct xlcfg_ident *id)
{
    const char *vdev = xlcfg__doc_getstr(body, "vdev");
    int devid;

    if (!vdev || !*vdev || strlen(vdev) > 128)
        return;
    put(put(id->key, "disk/"), vdev);
    devid = xlcfg__vdev_number(vdev);
    if (devid >= 0)
        put_number(put(id->match, "disk/#"), devid);
}

static void of_nic(const xlcfg_doc *body, struct xlcfg_ident *id)
{
    const char *mac = xlcfg__doc_getstr(body, "mac");

    by_devid("nic", body, id);
    if (!mac || strlen(mac) != 17 || !strcmp(mac, "00:00:00:00:00:00"))
        return;
    put(put(id->alt, "nic/"), mac);
    for (char *p = id->alt; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

static void of_pci(const xlcfg_doc *body, struct xlcfg_ident *id)
{
    const char *name = xlcfg__doc_getstr(body, "name");
    int64_t dom = number(body, "domain", 0xffff, 0);
    int64_t bus = number(body, "bus", 0xff, 0);
    int64_t dev = number(body, "dev", 31, 0);
    int64_t func = number(body, "func", 7, 0);

    if (name && *name && strlen(name) <= 128)
        snprintf(id->alt, sizeof(id->alt), "pci/name/%s", name);
    if (dom < 0 || bus < 0 || dev < 0 || func < 0)
        return;
    /* 0000:00:00.0 is the host bridge: only ever "not given" */
    if (dom || bus || dev || func)
        snprintf(id->key, sizeof(id->key), "pci/%04x:%02x:%02x.%x",
                 (unsigned)dom, (unsigned)bus, (unsigned)dev,
                 (unsigned)func);
}

static void of_usbdev(const xlcfg_doc *body, struct xlcfg_ident *id)
{
    const xlcfg_doc *host = xlcfg_doc_get(body, "type.hostdev");
    int64_t ctrl = number(body, "ctrl", INT32_MAX, -1);
    int64_t port = number(body, "port", 255, -1);
    int64_t bus = number(host, "hostbus", 255, 0);
    int64_t addr = number(host, "hostaddr", 255, 0);

    if (ctrl >= 0 && port > 0)
        snprintf(id->key, sizeof(id->key), "usbdev/%" PRId64 ".%" PRId64,
                 ctrl, port);
    if (bus > 0 && addr > 0)
        snprintf(id->alt, sizeof(id->alt), "usbdev/host/%d.%d", (int)bus,
                 (int)addr);
}

static void of_text(const char *kind, const xlcfg_doc *body,
                    const char *name, struct xlcfg_ident *id)
{
    const char *s = xlcfg__doc_getstr(body, name);

    if (s && *s && strlen(s) <= 128)
        snprintf(id->key, sizeof(id->key), "%s/%s", kind, s);
}

/*
 * A template numbers channels from 0 or not at all, and the machine's first
 * is console 1: what both know is the name, which every channel has.
 */
static void of_channel(const xlcfg_doc *body, struct xlcfg_ident *id)
{
    const char *name = xlcfg__doc_getstr(body, "name");

    by_devid("channel", body, id);
    if (name && *name && strlen(name) <= 128)
        snprintf(id->match, sizeof(id->match), "channel/name/%s", name);
    if (!id->key[0])
        strcpy(id->key, id->match);
}

static void of_rdm(const xlcfg_doc *body, struct xlcfg_ident *id)
{
    const xlcfg_doc *start = xlcfg_doc_get(body, "start");
    char text[XLCFG__NUMBER_ROOM] = "0";
    size_t len = 1;

    if (start && start->type != XLCFG_DOC_NUMBER)
        return;
    if (start)
        len = xlcfg__number_text(start->text, start->count, text);
    if (len <= 32)
        snprintf(id->key, sizeof(id->key), "rdm/%.*s", (int)len, text);
}

void xlcfg__key_of(enum xlcfg_kind kind, const xlcfg_doc *body,
                   struct xlcfg_ident *id)
{
    id->key[0] = id->match[0] = id->alt[0] = '\0';
    switch (kind) {
    case XLCFG_KIND_DISK:
        of_disk(body, id);
        break;
    case XLCFG_KIND_NIC:
        of_nic(body, id);
        break;
    case XLCFG_KIND_PCI:
        of_pci(body, id);
        break;
    case XLCFG_KIND_USBDEV:
        of_usbdev(body, id);
        break;
    case XLCFG_KIND_CHANNEL:
        of_channel(body, id);
        break;
    case XLCFG_KIND_RDM:
        of_rdm(body, id);
        break;
    case XLCFG_KIND_DTDEV:
        of_text("dtdev", body, "path", id);
        break;
    case XLCFG_KIND_VFB: case XLCFG_KIND_VKB: case XLCFG_KIND_VIRTIO:
    case XLCFG_KIND_VTPM: case XLCFG_KIND_P9: case XLCFG_KIND_PVCALLSIF:
    case XLCFG_KIND_VDISPL: case XLCFG_KIND_VSND: case XLCFG_KIND_USBCTRL:
        by_devid(xlcfg__kinds[kind].name, body, id);
        break;
    case XLCFG_KINDS:
        break;
    }
    if (!id->key[0])
        strcpy(id->key, id->alt);
    if (!id->match[0])
        strcpy(id->match, id->key);
}

enum xlcfg_kind xlcfg__key_kind(const char *key)
{
    const char *slash = strchr(key, '/');

    for (int k = 0; slash && slash[1] && k < XLCFG_KINDS; k++)
        if (strlen(xlcfg__kinds[k].name) == (size_t)(slash - key) &&
            !strncmp(key, xlcfg__kinds[k].name, (size_t)(slash - key)))
            return (enum xlcfg_kind)k;
    return XLCFG_KINDS;
}

static bool is_number(const char *s)
{
    return *s && !s[strspn(s, "0123456789")];
}

/* Two numbers with a dot between them. */
static bool is_pair(const char *s)
{
    size_t n = strspn(s, "0123456789");

    return n && s[n] == '.' && is_number(s + n + 1);
}

static bool begins_with_mac(const char *s)
{
    for (int i = 0; i < 17; i++)
        if (i % 3 == 2 ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
            return false;
    return true;
}

bool xlcfg__is_mac(const char *s)
{
    return begins_with_mac(s) && !s[17];
}

/* A MAC; that of a second card is followed by which it is. */
static bool is_card(const char *s)
{
    return begins_with_mac(s) &&
        (!s[17] || (s[17] == '.' && is_number(s + 18)));
}

bool xlcfg__key_is_possible(const char *key)
{
    enum xlcfg_kind kind = xlcfg__key_kind(key);
    const char *name = kind == XLCFG_KINDS ? NULL : strchr(key, '/') + 1;
    unsigned part[4];

    switch (kind) {
    case XLCFG_KIND_NIC:
        return is_number(name) || is_card(name);
    case XLCFG_KIND_PCI:
        return xlcfg__bdf_parse(name, part) || !strncmp(name, "name/", 5);
    case XLCFG_KIND_USBDEV:
        return is_pair(name) || (!strncmp(name, "host/", 5) &&
                                 is_pair(name + 5));
    case XLCFG_KIND_DISK: case XLCFG_KIND_CHANNEL: case XLCFG_KIND_DTDEV:
    case XLCFG_KIND_RDM:
        return true;
    case XLCFG_KIND_VFB: case XLCFG_KIND_VKB: case XLCFG_KIND_VIRTIO:
    case XLCFG_KIND_VTPM: case XLCFG_KIND_P9: case XLCFG_KIND_PVCALLSIF:
    case XLCFG_KIND_VDISPL: case XLCFG_KIND_VSND: case XLCFG_KIND_USBCTRL:
        return is_number(name);
    case XLCFG_KINDS:
        break;
    }
    return false;
}

/* Past the zeros that a number may begin with. */
static const char *bare(const char *number)
{
    while (*number == '0' && number[1])
        number++;
    return number;
}

bool xlcfg__key_same(const char *a, const char *b)
{
    enum xlcfg_kind kind = xlcfg__key_kind(a);
    unsigned x[4], y[4];
    int number;

    if (!strcmp(a, b))
        return true;
    if (kind == XLCFG_KINDS || kind != xlcfg__key_kind(b))
        return false;
    a = strchr(a, '/') + 1;
    b = strchr(b, '/') + 1;
    if (kind == XLCFG_KIND_DISK) {
        number = xlcfg__vdev_number(a);
        return number >= 0 && number == xlcfg__vdev_number(b);
    }
    if (kind == XLCFG_KIND_PCI)
        return xlcfg__bdf_parse(a, x) && xlcfg__bdf_parse(b, y) &&
            !memcmp(x, y, sizeof(x));
    if (is_number(a) && is_number(b))
        return !strcmp(bare(a), bare(b));
    return kind == XLCFG_KIND_NIC && !strcasecmp(a, b);
}
