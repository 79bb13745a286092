/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same text is not taken apart again, and many domains are looked at at
 * once: each change is seen all the same, and by whom it was made does not
 * matter.  On libvirt's own test driver, which all of a process share.
 */
#include "libxl_cfg.h"
#include "claim.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URI "test:///default"
#define GUESTS 12

/* d: it is to be the same domain; may be NULL. */
static char *xml_of(const char *name, virDomainPtr d, const char *extra)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    char *text;

    if (d && virDomainGetUUIDString(d, uuid) < 0)
        claim(false, "%s has no uuid", name);
    if (asprintf(&text, "<domain type='test'><name>%s</name>%s%s%s"
                 "<memory unit='KiB'>8192</memory>"
                 "<currentMemory unit='KiB'>4096</currentMemory>"
                 "<os><type>hvm</type></os><devices>"
                 "<disk type='file' device='disk'><source file='/d'/>"
                 "<target dev='vda' bus='virtio'/></disk>%s</devices>"
                 "</domain>", name, d ? "<uuid>" : "", uuid,
                 d ? "</uuid>" : "", extra) < 0)
        exit(9);
    return text;
}

static virDomainPtr make(virConnectPtr conn, const char *name, bool keep)
{
    char *xml = xml_of(name, NULL, "");
    virDomainPtr d = keep ? virDomainDefineXML(conn, xml)
        : virDomainCreateXML(conn, xml, 0);

    free(xml);
    if (d && keep && virDomainCreate(d) < 0)
        claim(false, "%s: %s", name, virGetLastErrorMessage());
    return d;
}

static xlcfg_ctx *open_ctx(const char *state)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx = NULL;

    opt.state_dir = state;
    opt.deadline_ms = 60000;
    if (xlcfg_ctx_open(URI, &opt, &ctx, &err))
        claim(false, "open: %s", err.message);
    return ctx;
}

static xlcfg_doc *get(xlcfg_ctx *ctx, const char *name)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;

    if (xlcfg_domain_get(ctx, name, NULL, &doc, &err))
        claim(false, "get %s: %s", name, err.message);
    return doc;
}

/* Text at a pointer of what get says. */
static void says(xlcfg_ctx *ctx, const char *name, const char *ptr,
                 const char *want, const char *why)
{
    xlcfg_doc *doc = get(ctx, name);
    const xlcfg_doc *at = xlcfg_doc_pointer(doc, ptr);
    const char *have = xlcfg_doc_kind(at) == XLCFG_DOC_BOOL
        ? xlcfg_doc_is_true(at) ? "true" : "false" : xlcfg_doc_string(at);

    claim(have && !strcmp(have, want), "%s: %s %s is %s, found %s", why,
          name, ptr, want, have ? have : "nothing");
    xlcfg_doc_free(doc);
}

static char *version_of(xlcfg_ctx *ctx, const char *name)
{
    xlcfg_doc *doc = get(ctx, name);
    const char *text = xlcfg_doc_string(xlcfg_doc_get(doc, "version"));
    char *copy = strdup(text ? text : "");

    xlcfg_doc_free(doc);
    return copy;
}

#define TARGET "/config/b_info/target_memkb"

static void changes_are_seen(virConnectPtr conn, xlcfg_ctx *ctx)
{
    virDomainPtr d = make(conn, "one", true);
    char *xml = xml_of("one", d, "<disk type='file' device='disk'>"
                       "<source file='/e'/><target dev='vdb' "
                       "bus='virtio'/></disk>");
    virDomainPtr again;

    says(ctx, "one", TARGET, "4096", "at first");
    says(ctx, "one", TARGET, "4096", "the same again");
    claim(!virDomainSetMemory(d, 2048), "its memory is changed");
    says(ctx, "one", TARGET, "2048", "what runs was changed");
    says(ctx, "one", "/domain/state", "running", "before it is paused");
    virDomainSuspend(d);
    says(ctx, "one", "/domain/state", "paused", "the XML is the same");
    virDomainResume(d);
    says(ctx, "one", "/domain/state", "running", "and again");
    again = virDomainDefineXML(conn, xml);
    claim(again != NULL, "defined anew, with one disk more");
    says(ctx, "one", "/devices/1/key", "disk/vdb", "what is kept was changed");
    if (again)
        virDomainFree(again);
    free(xml);
    virDomainDestroy(d);
    says(ctx, "one", "/domain/state", "stopped", "after its end");
    virDomainUndefine(d);
    virDomainFree(d);
}

static void transient_becomes_kept(virConnectPtr conn, xlcfg_ctx *ctx)
{
    virDomainPtr d = make(conn, "brief", false), kept;
    char *xml = d ? virDomainGetXMLDesc(d, 0) : NULL;

    says(ctx, "brief", "/complete", "false", "nothing is kept of it");
    says(ctx, "brief", "/complete", "false", "the same again");
    kept = xml ? virDomainDefineXML(conn, xml) : NULL;
    claim(kept != NULL, "what runs is kept from now on");
    says(ctx, "brief", "/complete", "true", "the same texts");
    if (kept) {
        virDomainUndefine(kept);
        virDomainFree(kept);
    }
    says(ctx, "brief", "/complete", "false", "and not kept any more");
    free(xml);
    if (d) {
        virDomainDestroy(d);
        virDomainFree(d);
    }
}

/* What another context recorded meanwhile is not gone back behind. */
static void others_record(virConnectPtr conn, xlcfg_ctx *ctx,
                          const char *state)
{
    virDomainPtr d = make(conn, "two", true);
    xlcfg_ctx *other = open_ctx(state);
    char *first = version_of(ctx, "two"), *second, *third;

    virDomainSetMemory(d, 2048);
    second = version_of(other, "two");
    virDomainSetMemory(d, 4096);
    third = version_of(ctx, "two");
    claim(strcmp(first, second) < 0 && strcmp(second, third) < 0,
          "there and back is two versions more: %s, %s, %s", first, second,
          third);
    free(first);
    free(second);
    free(third);
    xlcfg_ctx_close(other);
    virDomainDestroy(d);
    virDomainUndefine(d);
    virDomainFree(d);
}

static int64_t domid_of(xlcfg_ctx *ctx, const char *name)
{
    xlcfg_doc *doc = get(ctx, name);
    const xlcfg_doc *at = xlcfg_doc_pointer(doc, "/domain/domid");
    const char *text = xlcfg_doc_string(at);
    int64_t n = text ? strtoll(text, NULL, 10) : -1;

    xlcfg_doc_free(doc);
    return n;
}

static void not_found(xlcfg_ctx *ctx, const char *name, const char *why)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int rc = xlcfg_domain_get(ctx, name, NULL, &doc, &err);

    claim(rc == XLCFG_ERROR_DOMAIN_NOTFOUND, "%s: no %s (%d: %s)", why, name,
          rc, err.message);
    xlcfg_doc_free(doc);
}

/* Who was found before is found by what it is now. */
static void names_move(virConnectPtr conn, xlcfg_ctx *ctx)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "", other[VIR_UUID_STRING_BUFLEN];
    virDomainPtr d = make(conn, "old", true), second;
    int64_t first = domid_of(ctx, "old");

    virDomainGetUUIDString(d, uuid);
    says(ctx, uuid, "/domain/name", "old", "by its uuid");
    virDomainDestroy(d);
    says(ctx, "old", "/domain/state", "stopped", "it has ended");
    claim(domid_of(ctx, "old") == -1, "and has no number");
    virDomainCreate(d);
    claim(domid_of(ctx, "old") == (int64_t)virDomainGetID(d) && first > 0 &&
          domid_of(ctx, "old") > first, "a run later it has that one's");
    virDomainDestroy(d);
    virDomainCreate(d);
    claim(domid_of(ctx, "old") == (int64_t)virDomainGetID(d),
          "two runs later, not asked between them");
    virDomainDestroy(d);
    claim(!virDomainRename(d, "new", 0), "it is renamed");
    not_found(ctx, "old", "by the name it had");
    says(ctx, "new", "/domain/uuid", uuid, "by the name it has");
    says(ctx, uuid, "/domain/name", "new", "by its uuid");
    claim(!virDomainRename(d, "newer", 0), "and again");
    second = make(conn, "new", true);
    virDomainGetUUIDString(second, other);
    says(ctx, "new", "/domain/uuid", other, "its name is another's");
    says(ctx, uuid, "/domain/name", "newer", "by its uuid");
    virDomainDestroy(second);
    virDomainUndefine(second);
    virDomainFree(second);
    not_found(ctx, "new", "that one is gone");
    virDomainUndefine(d);
    virDomainFree(d);
    not_found(ctx, uuid, "so is it");
    d = make(conn, "new", true);
    virDomainGetUUIDString(d, uuid);
    says(ctx, "new", "/domain/uuid", uuid, "a third one of that name");
    virDomainDestroy(d);
    virDomainUndefine(d);
    virDomainFree(d);
}

static const xlcfg_doc *row_of(const xlcfg_doc *list, const char *name)
{
    const xlcfg_doc *rows = xlcfg_doc_get(list, "domains");

    for (size_t i = 0; i < xlcfg_doc_count(rows); i++) {
        const xlcfg_doc *row = xlcfg_doc_at(rows, i);

        if (!strcmp(xlcfg_doc_string(xlcfg_doc_get(row, "name")), name))
            return row;
    }
    return NULL;
}

/* Each row is what get says, to the byte. */
static void rows_are_right(xlcfg_ctx *ctx, size_t count, const char *when)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *list = NULL;
    int differ = 0;

    if (xlcfg_domain_list(ctx, true, &list, &err))
        claim(false, "list: %s", err.message);
    claim(xlcfg_doc_count(xlcfg_doc_get(list, "domains")) == count,
          "%s: %zu domains", when, count);
    for (int i = 0; i < GUESTS; i++) {
        static const char *const parts[] = { "config", "devices", "domain",
                                             "version", "hash" };
        char name[16];
        const xlcfg_doc *row;
        xlcfg_doc *doc;

        snprintf(name, sizeof(name), "many%d", i);
        row = row_of(list, name);
        doc = row ? get(ctx, name) : NULL;
        for (size_t k = 0; doc && k < sizeof(parts) / sizeof(*parts); k++) {
            char one[65], other[65];

            differ += xlcfg_doc_hash(xlcfg_doc_get(row, parts[k]), one,
                                     &err) ||
                xlcfg_doc_hash(xlcfg_doc_get(doc, parts[k]), other, &err) ||
                strcmp(one, other);
        }
        xlcfg_doc_free(doc);
    }
    claim(!differ, "%s: rows are what get says", when);
    xlcfg_doc_free(list);
}

static void many(virConnectPtr conn, xlcfg_ctx *ctx)
{
    virDomainPtr d[GUESTS];
    char name[16];

    for (int i = 0; i < GUESTS; i++) {
        snprintf(name, sizeof(name), "many%d", i);
        d[i] = make(conn, name, i % 4 != 3);
    }
    rows_are_right(ctx, GUESTS + 1, "at first");
    rows_are_right(ctx, GUESTS + 1, "again");
    for (int i = 0; i < GUESTS; i += 2)
        virDomainSetMemory(d[i], 2048);
    virDomainSuspend(d[1]);
    rows_are_right(ctx, GUESTS + 1, "half of them changed");
    virDomainDestroy(d[3]);
    virDomainDestroy(d[4]);
    rows_are_right(ctx, GUESTS, "two have ended, one of them is kept");
    for (int i = 0; i < GUESTS; i++) {
        virDomainDestroy(d[i]);
        virDomainUndefine(d[i]);
        virDomainFree(d[i]);
    }
    rows_are_right(ctx, 1, "all are gone");
}

/* The next event, or NULL. */
static xlcfg_doc *next(xlcfg_watch *w, xlcfg_error *err)
{
    struct pollfd fd = { .fd = xlcfg_watch_fd(w), .events = POLLIN };
    xlcfg_doc *doc = NULL;
    int rc;

    while ((rc = xlcfg_watch_next(w, &doc, err)) == 1)
        if (poll(&fd, 1, 60000) != 1)
            return NULL;
    return rc ? NULL : doc;
}

/* Who looks at all but once an hour is told by libvirt which to look at. */
static void hinted(virConnectPtr conn, const char *state)
{
    xlcfg_watch_options opt = XLCFG_WATCH_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    virDomainPtr d = make(conn, "hinted", true);
    xlcfg_ctx *ctx = open_ctx(state);
    xlcfg_watch *w = NULL;

    opt.sweep_ms = 3600000;
    xlcfg_doc_free(get(ctx, "hinted"));
    if (claim(!xlcfg_watch_open(ctx, NULL, NULL, &opt, &w, &err), "watch: %s",
              err.message)) {
        xlcfg_doc *doc;
        const char *x;

        claim(!virDomainSetMetadata(d, VIR_DOMAIN_METADATA_TITLE, "other",
                                    NULL, NULL, VIR_DOMAIN_AFFECT_LIVE),
              "a title: %s", virGetLastErrorMessage());
        doc = next(w, &err);
        x = xlcfg_doc_string(xlcfg_doc_pointer(doc, "/config/x-libvirt"));
        claim(x && strstr(x, "<title>other</title>"),
              "a title is told of at once: %s", doc ? "another event"
              : err.message);
        xlcfg_doc_free(doc);
        xlcfg_watch_close(w);
    }
    xlcfg_ctx_close(ctx);
    virDomainDestroy(d);
    virDomainUndefine(d);
    virDomainFree(d);
}

static void be_silent(void *arg, virErrorPtr e)
{
    (void)arg; (void)e;
}

int main(void)
{
    char state[] = "/tmp/xlcfg-same-XXXXXX", command[64];
    virConnectPtr conn;
    xlcfg_ctx *ctx;

    virSetErrorFunc(NULL, be_silent);
    if (!claim(mkdtemp(state) != NULL, "a folder"))
        return 1;
    ctx = open_ctx(state);
    conn = virConnectOpen(URI);
    if (claim(ctx && conn, URI)) {
        changes_are_seen(conn, ctx);
        transient_becomes_kept(conn, ctx);
        others_record(conn, ctx, state);
        names_move(conn, ctx);
        many(conn, ctx);
        hinted(conn, state);
    }
    xlcfg_ctx_close(ctx);
    if (conn)
        virConnectClose(conn);
    snprintf(command, sizeof(command), "rm -rf %s", state);
    claim(!system(command), "the folder is gone");
    return claims();
}
