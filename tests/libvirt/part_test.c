/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text by its parts says what the whole says: each file of a folder; texts
 * of which one device is another; and a definition beside what runs, of which
 * most is the same but for the words that a start adds, and some is not.
 */
#include "driver/virt_i.h"
#include "claim.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct read {
    struct xlcfg__virt_sense sense;
    xmlDocPtr tree;
    xlcfg_error err;
    int rc;
};

static void forget(struct read *r)
{
    xlcfg__virt_sense_dispose(&r->sense);
    xmlFreeDoc(r->tree);
}

/* old, live: NULL for nothing. */
static struct read take(const char *xml, const struct read *old,
                        const char *live_xml, const struct read *live)
{
    struct xlcfg__virt_beside beside = { .xml = live_xml };
    struct read r = { .err = XLCFG_ERROR_INIT };

    if (live) {
        beside.tree = live->tree;
        beside.parts = live->sense.parts;
    }
    r.rc = xlcfg__virt_take_apart(xml, old ? old->sense.parts : NULL,
                                  live_xml ? &beside : NULL, &r.sense,
                                  &r.tree, &r.err);
    return r;
}

static bool same(const struct read *a, const struct read *b)
{
    if (a->rc || b->rc)
        return a->rc == b->rc && !strcmp(a->err.where, b->err.where) &&
            !strcmp(a->err.message, b->err.message);
    return xlcfg__doc_equal(a->sense.config, b->sense.config) &&
        xlcfg__doc_equal(a->sense.addresses, b->sense.addresses);
}

/* Devices of which the body is the very same: they were not read anew. */
static size_t shared(const struct read *a, const struct read *b,
                     const char *array)
{
    const xlcfg_doc *x = xlcfg_doc_get(a->sense.config, array);
    const xlcfg_doc *y = xlcfg_doc_get(b->sense.config, array);
    size_t n = 0;

    for (size_t i = 0; i < xlcfg_doc_count(x); i++)
        for (size_t k = 0; k < xlcfg_doc_count(y); k++)
            n += xlcfg_doc_at(x, i) == xlcfg_doc_at(y, k);
    return n;
}

/* ---- texts ---- */

static const char *const drives[] = {
    "    <disk type='file' device='disk'>\n"
    "      <driver name='qemu' type='raw'/>\n"
    "      <source file='/a'%s/>\n%s"
    "      <target dev='vda' bus='virtio'/>\n%s"
    "      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' "
    "function='0x0'/>\n"
    "    </disk>\n",
    "    <disk type='file' device='disk'>\n"
    "      <driver name='qemu' type='qcow2'/>\n"
    "      <source file='/b: &apos; index=&apos;3&apos;'%s/>\n%s"
    "      <target dev='vdb' bus='virtio'/>\n"
    "      <serial>x&gt;y</serial>\n%s"
    "    </disk>\n",
};

#define NIC "    <interface type='bridge'>\n" \
    "      <mac address='52:54:00:00:00:01'/>\n" \
    "      <source bridge='br0'/>\n%s" \
    "      <model type='virtio'/>\n%s" \
    "    </interface>\n"
#define SOUND "    <sound model='ich6'/>\n"

/* "Domain" of devices; id: it runs. */
static char *domain(bool runs, const char *devices)
{
    char *xml;

    if (asprintf(&xml, "<domain type='qemu'%s>\n  <name>g</name>\n"
                 "  <memory unit='KiB'>8192</memory>\n"
                 "  <os><type>hvm</type></os>\n"
                 "  <devices>\n%s  </devices>\n</domain>\n",
                 runs ? " id='4'" : "", devices) < 0)
        exit(9);
    return xml;
}

static char *both(const char *one, const char *two)
{
    char *text;

    if (asprintf(&text, "%s%s", one, two) < 0)
        exit(9);
    return text;
}

static char *drive(int which, const char *index, const char *behind,
                   const char *alias)
{
    char *text;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (asprintf(&text, drives[which], index, behind, alias) < 0)
        exit(9);
#pragma GCC diagnostic pop
    return text;
}

static char *nic(const char *target, const char *alias)
{
    char *text;

    if (asprintf(&text, NIC, target, alias) < 0)
        exit(9);
    return text;
}

/* ---- another text ---- */

/* `now`, where `then` was understood: as the whole, and known of it `known`
 * disks. */
static void after(bool runs, const char *then, const char *now, size_t known,
                  const char *what)
{
    char *a = domain(runs, then), *b = domain(runs, now);
    struct read old = take(a, NULL, NULL, NULL);
    struct read whole = take(b, NULL, NULL, NULL);
    struct read parts = take(b, &old, NULL, NULL);

    claim(!old.rc && old.sense.parts, "%s: the first is cut", what);
    claim(same(&whole, &parts), "%s: as the whole", what);
    if (!parts.rc)
        claim(shared(&old, &parts, "disks") == known,
              "%s: %zu disks were known", what, known);
    forget(&old);
    forget(&whole);
    forget(&parts);
    free(a);
    free(b);
}

static void changes(void)
{
    char *a = drive(0, "", "", ""), *b = drive(1, "", "", "");
    char *c = drive(0, " startupPolicy='optional'", "", "");
    char *ab = both(a, b), *ba = both(b, a), *cb = both(c, b);
    char *aa = both(a, a), *absound = both(ab, SOUND);
    char *named = drive(0, "", "", "      <alias name='ua-x'/>\n");
    char *twice = drive(1, "", "", "      <alias name='ua-x'/>\n");
    char *nt = both(named, twice), *nb = both(named, b);
    static const char typeless[] = "    <disk type='file' device='cdrom'>\n"
        "      <target dev='sda' bus='sata'/>\n    </disk>\n";
    static const char nameless[] = "    <disk type='file' device='disk'>\n"
        "      <source file='/c'/>\n    </disk>\n";
    char *an = both(a, nameless), *at = both(a, typeless);

    after(true, ab, ab, 2, "nothing");
    after(true, ab, absound, 2, "a sound card more");
    after(true, absound, ab, 2, "one less");
    after(true, ab, ba, 2, "the other way round");
    after(true, ab, a, 1, "a disk less");
    after(true, a, ab, 1, "a disk more");
    after(true, ab, cb, 1, "a disk that is another");
    after(false, ab, cb, 1, "the same of a definition");
    after(true, a, aa, 0, "a disk twice");
    after(true, nb, nt, 0, "an alias twice");
    after(true, a, an, 0, "a disk without a name");
    after(true, at, at, 2, "an empty drive that runs");
    after(false, at, at, 1, "one of a definition is read each time");
    free(a); free(b); free(c); free(ab); free(ba); free(cb); free(aa);
    free(absound); free(named); free(twice); free(nt); free(nb); free(an);
    free(at);
}

/* Disks from..to of many. */
static char *disks(int from, int to)
{
    char *text = strdup(""), *more, *one;

    for (int i = from; i < to; i++) {
        if (asprintf(&one, "    <disk type='file' device='disk'>\n"
                     "      <source file='/%d'/>\n"
                     "      <target dev='sd%c%c' bus='scsi'/>\n"
                     "    </disk>\n", i, 'a' + i / 26, 'a' + i % 26) < 0)
            exit(9);
        more = both(text, one);
        free(text);
        free(one);
        text = more;
    }
    return text;
}

/* Many that go at once are a new text; fewer are not. */
static void many(void)
{
    char *all = disks(0, 300), *most = disks(50, 300), *some = disks(100, 300);
    char *middle = disks(0, 200), *tail = disks(240, 300);
    char *less = both(middle, tail), *turned = both(tail, middle);

    after(true, all, all, 300, "many disks");
    after(true, all, most, 250, "fifty of them gone");
    after(true, most, all, 250, "fifty of them come");
    after(true, all, some, 0, "a hundred of them gone");
    after(true, all, less, 260, "forty in the middle gone");
    after(true, less, turned, 200, "the end of them in front");
    free(all); free(most); free(some); free(middle); free(tail); free(less);
    free(turned);
}

/* What ran and what is another domain's text are not mixed up. */
static void runs_or_not(void)
{
    char *devices = drive(0, " index='2'", "", "");
    char *live = domain(true, devices), *kept = domain(false, devices);
    struct read ran = take(live, NULL, NULL, NULL);
    struct read whole = take(kept, NULL, NULL, NULL);
    struct read parts = take(kept, &ran, NULL, NULL);

    claim(same(&whole, &parts) && !shared(&ran, &parts, "disks"),
          "an index that somebody wrote stays");
    forget(&ran);
    forget(&whole);
    forget(&parts);
    free(devices);
    free(live);
    free(kept);
}

/* Texts that are taken as a whole: nothing of them is known again. */
static void uncut(void)
{
    static const struct {
        const char *what, *head, *devices, *tail;
    } rows[] = {
        { "a comment", "<domain><!-- -->", "", "</domain>" },
        { "a section", "<domain>", "<![CDATA[<devices>]]>", "</domain>" },
        { "an instruction", "<?xml version='1.0'?><domain>", "",
          "</domain>" },
        { "another namespace", "<domain xmlns='http://a'>", "", "</domain>" },
        { "devices of another", "<domain>", " xmlns='http://a'",
          "</domain>" },
        { "no devices", "<domain>", NULL, "</domain>" },
        { "no domain", "<network>", "", "</network>" },
        { "an id that libvirt does not write so", "<domain id =\"4\">", "",
          "</domain>" },
        { "no end", "<domain>", "", "</domain" },
        { "too many ends", "<domain>", "", "</domain></domain>" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xlcfg__virt_parts *parts;
        char *xml;

        if (asprintf(&xml, rows[i].devices ? "%s<devices%s></devices>%s"
                     : "%s%s%s", rows[i].head,
                     rows[i].devices ? rows[i].devices : "",
                     rows[i].tail) < 0)
            exit(9);
        if (rows[i].devices && strchr(rows[i].devices, '[')) {
            free(xml);
            xml = strdup("<domain><devices><![CDATA[<x>]]></devices>"
                         "</domain>");
        }
        parts = xlcfg__virt_cut(xml);
        claim(!parts, "%s: not cut", rows[i].what);
        xlcfg__virt_parts_free(parts);
        free(xml);
    }
}

/* ---- a definition beside what runs ---- */

/* Is this disk, or nic, of a definition known by what runs? */
static void beside(const char *live, const char *kept, const char *array,
                   bool known, const char *what)
{
    char *a = domain(true, live), *b = domain(false, kept);
    struct read runs = take(a, NULL, NULL, NULL);
    struct read whole = take(b, NULL, a, NULL);
    struct read parts = take(b, NULL, a, &runs);

    claim(!whole.rc && same(&whole, &parts), "%s: as the whole", what);
    claim(shared(&runs, &parts, array) == known, "%s: %s", what,
          known ? "known" : "read");
    forget(&runs);
    forget(&whole);
    forget(&parts);
    free(a);
    free(b);
}

static void drive_beside(const char *const live[3], const char *const kept[3],
                         bool known, const char *what)
{
    for (int i = 0; i < 2; i++) {
        char *a = drive(i, live[0], live[1], live[2]);
        char *b = drive(i, kept[0], kept[1], kept[2]);

        beside(a, b, "disks", known, what);
        free(a);
        free(b);
    }
}

#define ALIAS "      <alias name='virtio-disk0'/>\n"
#define MINE "      <alias name='ua-a'/>\n"
#define STORE "      <backingStore/>\n"
#define CHAIN "      <backingStore type='file'>\n" \
    "        <source file='/base'/>\n      </backingStore>\n"

static void definitions(void)
{
    static const char *const plain[] = { "", "", "" };
    static const char *const started[] = { " index='12'", STORE, ALIAS };
    static const char *const aliased[] = { "", "", MINE };
    static const char *const mine[] = { " index='1'", STORE, MINE };
    static const char *const chain[] = { " index='1'", CHAIN, ALIAS };
    static const char *const wished[] = { "", STORE, "" };
    static const char *const indexed[] = { " index='12'", "", "" };
    static const char *const policy[] = { " startupPolicy='optional'", "",
                                          "" };
    char *vnet = nic("      <target dev='vnet7'/>\n",
                     "      <alias name='net0'/>\n");
    char *tap = nic("      <target dev='tap7'/>\n",
                    "      <alias name='net0'/>\n");
    char *bare = nic("", ""), *made = nic("      <target dev='vnet7'/>\n", "");

    drive_beside(plain, plain, true, "a disk that is the same");
    drive_beside(started, plain, true, "a disk that was started");
    drive_beside(mine, aliased, true, "one with an alias");
    drive_beside(mine, plain, false, "one that has an alias now");
    drive_beside(plain, aliased, false, "one whose alias is to come");
    drive_beside(chain, plain, false, "a disk on another");
    drive_beside(wished, wished, false, "no disk behind it, as was wished");
    drive_beside(indexed, indexed, false, "an index that was wished");
    drive_beside(started, policy, false, "one that is to be another");
    drive_beside(policy, plain, false, "one that was another");
    beside(vnet, bare, "nics", true, "a nic that was started");
    beside(vnet, made, "nics", true, "one whose name was made before");
    beside(tap, bare, "nics", false, "a nic that has a name now");
    free(vnet); free(tap); free(bare); free(made);
}

/* An empty drive, of which a daemon that was started anew knows no format. */
static void empty_drives(void)
{
#define DRIVE(type) "    <disk type='file' device='cdrom'>\n" \
    "      <driver name='qemu'" type "/>\n" \
    "      <target dev='sda' bus='sata'/>\n    </disk>\n"
    beside(DRIVE(""), DRIVE(" type='qcow2'"), "disks", false,
           "a drive that forgot");
    beside(DRIVE(" type='raw'"), DRIVE(" type='qcow2'"), "disks", false,
           "a drive that did not");
    beside(DRIVE(" type='raw'"), DRIVE(" type='raw'"), "disks", false,
           "a drive of the usual kind");
}

/* ---- files ---- */

static char *slurp(const char *folder, const char *name)
{
    char *path, *text = NULL;
    size_t size = 0;
    ssize_t n = -1;
    FILE *f;

    if (asprintf(&path, "%s/%s", folder, name) < 0)
        exit(9);
    f = fopen(path, "r");
    if (f) {
        n = getdelim(&text, &size, '\0', f);
        fclose(f);
    }
    claim(n > 0, "%s is read", path);
    free(path);
    return n > 0 ? text : NULL;
}

static void files(const char *folder)
{
    struct dirent **all;
    int count = scandir(folder, &all, NULL, alphasort);

    claim(count > 2, "files in %s", folder);
    for (int i = 0; i < count; i++) {
        char *xml = all[i]->d_name[0] == '.' ? NULL
            : slurp(folder, all[i]->d_name);
        struct read whole, parts;

        if (xml) {
            whole = take(xml, NULL, NULL, NULL);
            parts = take(xml, &whole, NULL, NULL);
            claim(!whole.rc && same(&whole, &parts), "%s by its parts",
                  all[i]->d_name);
            forget(&whole);
            forget(&parts);
        }
        free(xml);
        free(all[i]);
    }
    free(all);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: part_test FOLDER\n");
        return 2;
    }
    files(argv[1]);
    changes();
    many();
    runs_or_not();
    uncut();
    definitions();
    empty_drives();
    return claims();
}
