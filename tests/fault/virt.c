/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every call of libvirt's, or allocations of the library, fail once while a
 * disk is attached to, changed in, or taken out of a real QEMU guest: the n-th
 * of the act, for each n.  A call fails before it is made, or its answer is
 * lost after it was.  Whatever the act came to, settle ends it, what runs,
 * what is kept and the answer agree, success is only said after the fact, and
 * the next one does it.
 *
 *     virt URI FOLDER calls | memory STRIDE      every STRIDE-th allocation
 *
 * FOLDER is for images and for the state; see `hosted`.
 */
#define XLCFG__VIR_BARE
#include "driver/virt_lib.h"
#include "../libvirt/host.h"
#include "allocations.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME "faulty"
#define PATIENCE 100            /* settles, with a nap between them */

static atomic_long taken, deny_at, made, fail_at;
static atomic_bool hit;
static bool answer_lost;        /* after the call was made */
static _Thread_local bool struck;       /* and asks why */

/* ---- libvirt's calls ---- */

static struct xlcfg__vir real;

static bool fails(void)
{
    if (!fail_at || atomic_fetch_add(&made, 1) + 1 != fail_at)
        return false;
    hit = struck = true;
    return true;
}

#define ASK(type, name, types, names) \
    static type fail_##name types \
    { \
        return fails() ? NULL : real.name names; \
    }
#define CALL(name, types, names) \
    static int fail_##name types \
    { \
        if (!fails()) \
            return real.name names; \
        if (answer_lost) \
            (void)real.name names; \
        return -1; \
    }

ASK(virDomainPtr, virDomainLookupByUUIDString,
     (virConnectPtr c, const char *uuid), (c, uuid))
ASK(virDomainPtr, virDomainLookupByName,
     (virConnectPtr c, const char *name), (c, name))
CALL(virDomainGetState,
     (virDomainPtr d, int *state, int *reason, unsigned flags),
     (d, state, reason, flags))
CALL(virDomainGetControlInfo,
     (virDomainPtr d, virDomainControlInfoPtr info, unsigned flags),
     (d, info, flags))
ASK(char *, virDomainGetXMLDesc, (virDomainPtr d, unsigned flags),
     (d, flags))
CALL(virDomainIsPersistent, (virDomainPtr d), (d))
CALL(virDomainAttachDeviceFlags,
     (virDomainPtr d, const char *xml, unsigned flags), (d, xml, flags))
CALL(virDomainDetachDeviceFlags,
     (virDomainPtr d, const char *xml, unsigned flags), (d, xml, flags))
CALL(virDomainDetachDeviceAlias,
     (virDomainPtr d, const char *alias, unsigned flags), (d, alias, flags))
CALL(virDomainUpdateDeviceFlags,
     (virDomainPtr d, const char *xml, unsigned flags), (d, xml, flags))
CALL(virDomainQemuMonitorCommand,
     (virDomainPtr d, const char *command, char **said, unsigned flags),
     (d, command, said, flags))

/* Not made at all: a callback that stays would be called for ever. */
static int fail_virConnectDomainEventRegisterAny(
    virConnectPtr c, virDomainPtr d, int id,
    virConnectDomainEventGenericCallback cb, void *opaque,
    virFreeCallback done)
{
    return fails() ? -1
        : real.virConnectDomainEventRegisterAny(c, d, id, cb, opaque, done);
}

/* What a call that was made to fail died of. */
static virErrorPtr fail_virSaveLastError(void)
{
    virErrorPtr e;

    if (!struck)
        return real.virSaveLastError();
    struck = false;
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->code = answer_lost ? VIR_ERR_RPC : VIR_ERR_INTERNAL_ERROR;
    e->domain = answer_lost ? VIR_FROM_RPC : VIR_FROM_QEMU;
    e->level = VIR_ERR_ERROR;
    e->message = strdup("made to fail");
    return e;
}

static void arm(void)
{
    real = xlcfg__vir;
#define PUT(name) xlcfg__vir.name = fail_##name
    PUT(virDomainLookupByUUIDString);
    PUT(virDomainLookupByName);
    PUT(virDomainGetState);
    PUT(virDomainGetControlInfo);
    PUT(virDomainGetXMLDesc);
    PUT(virDomainIsPersistent);
    PUT(virDomainAttachDeviceFlags);
    PUT(virDomainDetachDeviceFlags);
    PUT(virDomainDetachDeviceAlias);
    PUT(virDomainUpdateDeviceFlags);
    PUT(virDomainQemuMonitorCommand);
    PUT(virConnectDomainEventRegisterAny);
    PUT(virSaveLastError);
}

/* ---- memory ---- */

static bool denied(void)
{
    if (!deny_at || atomic_fetch_add(&taken, 1) + 1 != deny_at)
        return false;
    hit = true;
    return true;
}

/* ---- the acts ---- */

static struct host host;
static char disk[160], media[2][160];

enum act { ATTACH, UPDATE, DETACH, ACTS };
static const char *const acts[ACTS] = { "attach", "update", "detach" };

static xlcfg_doc *body_of(const char *vdev, const char *path)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    char text[400];
    long at = deny_at;          /* this is no allocation of the act */

    deny_at = 0;
    snprintf(text, sizeof(text), "{\"vdev\": \"%s\", \"pdev_path\": \"%s\", "
             "\"format\": \"raw\"}", vdev, path);
    if (xlcfg_doc_parse(text, strlen(text), &doc, &err))
        claim(false, "a body: %s", err.message);
    deny_at = at;
    return doc;
}

/* Forward, or the way back. */
static int act_on(xlcfg_ctx *ctx, enum act a, bool back, xlcfg_error *err)
{
    xlcfg_doc *body, *doc = NULL;
    int rc;

    if (a == UPDATE) {
        body = body_of("sdc", media[!back]);
        rc = xlcfg_device_update(ctx, NAME, "disk/sdc", body, NULL, &doc,
                                 err);
    } else if ((a == ATTACH) != back) {
        body = body_of("vdb", disk);
        rc = xlcfg_device_attach(ctx, NAME, "disk", body, NULL, &doc, err);
    } else {
        body = NULL;
        rc = xlcfg_device_detach(ctx, NAME, "disk/vdb", NULL, &doc, err);
    }
    xlcfg_doc_free(body);
    if (!rc)
        xlcfg_doc_free(doc);
    return rc;
}

typedef int ask(xlcfg_ctx *, const char *, xlcfg_doc **, xlcfg_error *);

static int ask_get(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                   xlcfg_error *err)
{
    return xlcfg_domain_get(ctx, dom, NULL, doc_r, err);
}

/* What an answer has: 0 as before the act, 1 as after it, -1 neither. */
static int side(xlcfg_ctx *ctx, enum act a, ask *question)
{
    const char *vdev = a == UPDATE ? "sdc" : "vdb", *path = NULL;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    const xlcfg_doc *list;
    int got;

    if (question(ctx, NAME, &doc, &err)) {
        printf("# %s: %s\n", err.where, err.message);
        return -1;
    }
    list = xlcfg_doc_pointer(doc, "/config/disks");
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *one = xlcfg_doc_at(list, i);
        const char *its = xlcfg_doc_string(xlcfg_doc_get(one, "vdev"));

        if (its && !strcmp(its, vdev))
            path = xlcfg_doc_string(xlcfg_doc_get(one, "pdev_path"));
    }
    if (a == UPDATE)
        got = !path ? -1 : !strcmp(path, media[0]) ? 0
            : !strcmp(path, media[1]) ? 1 : -1;
    else
        got = (path != NULL) == (a == ATTACH);
    xlcfg_doc_free(doc);
    return got;
}

static int fine, wrong;

static void need(bool true_, const char *what, enum act a, long n,
                 const xlcfg_error *err)
{
    if (true_) {
        fine++;
        return;
    }
    wrong++;
    claim(false, "%s: %s, failure %ld (%s%s%s)", acts[a], what, n,
          err->where, err->where[0] ? ": " : "", err->message);
}

/* Until nothing is open: the guest may take a moment to let go. */
static bool all_settled(xlcfg_ctx *ctx)
{
    static const struct timespec nap = { 0, 100000000 };
    int64_t open = 1;

    for (int i = 0; i < PATIENCE && open > 0; i++) {
        open = host_settle(ctx, NAME);
        if (open > 0)
            nanosleep(&nap, NULL);
    }
    return open == 0;
}

static void settled(xlcfg_ctx *ctx, enum act a, long n, int rc,
                    const xlcfg_error *why)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int live;

    need(all_settled(ctx), "settle ends it", a, n, why);
    need(!xlcfg_settle(ctx, NAME, false, &doc, &err) &&
         !xlcfg_doc_count(xlcfg_doc_get(doc, "steps")),
         "and again does nothing", a, n, &err);
    xlcfg_doc_free(doc);
    live = side(ctx, a, xlcfg_domain_live);
    need(live >= 0, "the guest is on one side of it", a, n, why);
    need(rc || live == 1, "success is said after the fact", a, n, why);
    need(side(ctx, a, ask_get) == live, "the answer has what runs", a, n,
         why);
    /* a medium is changed in what runs first, and need not reach the rest */
    need(side(ctx, a, xlcfg_domain_template) == live || (a == UPDATE && rc),
         "what is kept is what runs", a, n, why);
}

/* One act with its n-th failing; false: it has fewer. */
static bool one(enum act a, long n, bool memory)
{
    xlcfg_error err = XLCFG_ERROR_INIT, why = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx = host_open(&host, false);
    bool was;
    int rc;

    if (!ctx)
        return false;
    hit = false;
    taken = made = 0;
    deny_at = memory ? n : 0;
    fail_at = memory ? 0 : n;
    rc = act_on(ctx, a, false, &why);
    deny_at = fail_at = 0;
    struck = false;
    was = hit;
    if (!was)
        need(!rc, "without a failure it is done", a, n, &why);
    need(!rc || why.message[0], "what fails says why", a, n, &why);
    settled(ctx, a, n, rc, &why);
    if (side(ctx, a, xlcfg_domain_live) == 0) {
        rc = act_on(ctx, a, false, &err);
        need(!rc, "the next one does it", a, n, &err);
        settled(ctx, a, n, rc, &err);
    }
    err = (xlcfg_error)XLCFG_ERROR_INIT;
    rc = act_on(ctx, a, true, &err);
    need(!rc, "and back", a, n, &err);
    xlcfg_ctx_close(ctx);
    return was && !rc;
}

static void walk(enum act a, bool memory, long stride)
{
    static const char *const hows[] = { "a call fails",
        "the answer of a call is lost", "an allocation fails" };
    long n = stride;

    fine = wrong = 0;
    while (one(a, n, memory))
        n += stride;
    claim(!wrong && n / stride > 10, "%s, %s: %ld failures, %d claims",
          acts[a], hows[memory ? 2 : answer_lost], n / stride - 1, fine);
}

static void guest(bool memory, long stride)
{
    char cdrom[500];
    virDomainPtr d;
    xlcfg_ctx *ctx;
    xlcfg_error err = XLCFG_ERROR_INIT;

    snprintf(cdrom, sizeof(cdrom), "<disk type='file' device='cdrom'>"
             "<driver name='qemu' type='raw'/><source file='%s'/>"
             "<target dev='sdc' bus='sata'/><readonly/></disk>", media[0]);
    d = host_guest(&host, NAME, "pc-q35-6.0", cdrom, true);
    if (!d)
        return;
    xlcfg_ctx_close(host_open(&host, false));   /* which loads libvirt */
    arm();
    for (int lost = 0; lost < (memory ? 1 : 2); lost++) {
        answer_lost = lost;
        walk(ATTACH, memory, stride);
        walk(UPDATE, memory, stride);
        ctx = host_open(&host, false);
        if (claim(ctx && !act_on(ctx, ATTACH, false, &err), "a disk %s",
                  err.message))
            walk(DETACH, memory, stride);
        if (ctx)
            (void)act_on(ctx, DETACH, false, &err);
        xlcfg_ctx_close(ctx);
    }
    xlcfg__vir = real;
    host_drop(d);
}

int main(int argc, char **argv)
{
    bool memory = argc == 5 && !strcmp(argv[3], "memory");
    long stride = memory ? atol(argv[4]) : 1;

    if ((!memory && (argc != 4 || strcmp(argv[3], "calls"))) || stride < 1) {
        fprintf(stderr, "usage: virt URI FOLDER calls | memory STRIDE\n");
        return 2;
    }
    snprintf(host.uri, sizeof(host.uri), "%s", argv[1]);
    snprintf(host.root, sizeof(host.root), "%s", argv[2]);
    snprintf(host.state, sizeof(host.state), "%s/state", argv[2]);
    host.conn = virConnectOpen(host.uri);
    if (claim(host.conn != NULL, "%s", host.uri) &&
        host_image(&host, "disk.img", disk) &&
        host_image(&host, "one.img", media[0]) &&
        host_image(&host, "two.img", media[1]))
        guest(memory, stride);
    if (host.conn)
        virConnectClose(host.conn);
    return claims();
}
