/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Acts that were cut off, on real QEMU guests.  Of creations after the guest
 * was made, one whose processors never ran goes on, any other is left as it is.
 * An attach of which libvirt has done all but what it keeps is done to the
 * end. */
#include "driver/driver.h"
#include "host.h"
#include "store/state.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct host host;

static int nobody(void *arg, int64_t id, xlcfg_error *err)
{
    (void)arg; (void)id; (void)err;
    return 0;
}

/* As xlcfg and libvirtd leave it when both are killed in a create: recorded,
 * its owner dead, the guest made, and paused unless it ran once. */
static virDomainPtr half_created(xlcfg_ctx *ctx, const char *name, bool ran)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg__creation c = { .flags = XLCFG_CREATE_START };
    xlcfg_doc *doc = NULL;
    xlcfg__state *st = NULL;
    virDomainPtr d = host_guest(&host, name, "q35", "", true);
    bool ok;

    if (!d)
        return NULL;
    ok = !virDomainGetUUIDString(d, c.uuid) && !virDomainDestroy(d) &&
        !virDomainCreateWithFlags(d, VIR_DOMAIN_START_PAUSED) &&
        (!ran || (!virDomainResume(d) && !virDomainSuspend(d)));
    c.name = (char *)name;
    ok = ok && !xlcfg_domain_live(ctx, name, &doc, &err) &&
        !xlcfg__state_open(host.state, true, 5000, &st, &err);
    c.config = (xlcfg_doc *)xlcfg_doc_get(doc, "config");
    ok = ok && !xlcfg__state_creation_begin(st, "libvirt", &c, nobody, NULL,
                                            &err);
    claim(ok, "%s: its creation is open, it is paused %s", name, err.message);
    xlcfg__state_close(st);
    xlcfg_doc_free(doc);
    return d;
}

static void cut_off(const char *name, bool ran)
{
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = ctx ? half_created(ctx, name, ran) : NULL;
    int state = -1, reason = 0;
    xlcfg_doc *doc = NULL;
    xlcfg_error err = XLCFG_ERROR_INIT;

    if (!d)
        return;
    claim(!xlcfg_settle(ctx, name, true, &doc, &err) &&
          !virDomainGetState(d, &state, &reason, 0) &&
          state == VIR_DOMAIN_PAUSED, "%s: a dry run lets nothing run %s",
          name, err.message);
    xlcfg_doc_free(doc);
    claim(!host_settle(ctx, name), "%s: settled", name);
    claim(!virDomainGetState(d, &state, &reason, 0) &&
          state == (ran ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING),
          "%s: %s", name, ran ? "it had run: it stays paused"
          : "it had never run: it runs");
    doc = NULL;
    claim(!xlcfg_settle(ctx, name, false, &doc, &err) &&
          !xlcfg_doc_count(xlcfg_doc_get(doc, "steps")),
          "%s: settled twice is settled", name);
    xlcfg_doc_free(doc);
    xlcfg_ctx_close(ctx);
    host_drop(d);
}

/* ---- attaches ---- */

/* The text of vdb's <address>; "": there is no vdb, or it has none. */
static void address_of(virDomainPtr d, unsigned flags, char text_r[200])
{
    char *xml = host_xml(d, flags);
    const char *disk = xml ? strstr(xml, "<target dev='vdb'") : NULL;
    const char *from = disk ? strstr(disk, "<address ") : NULL;

    snprintf(text_r, 200, "%.*s", from ? (int)strcspn(from, ">") : 0,
             from ? from : "");
    free(xml);
}

/* It runs, and what is kept has it at the same address, or has it not. */
static bool kept_as_it_runs(virDomainPtr d, bool want)
{
    char live[200], kept[200];

    address_of(d, 0, live);
    address_of(d, VIR_DOMAIN_XML_INACTIVE, kept);
    return live[0] && !strcmp(kept, want ? live : "");
}

/* As libvirtd leaves it when it is killed between the two, and xlcfg's intent
 * with it: open, its owner dead. */
static bool half_attached(xlcfg_ctx *ctx, virDomainPtr d, const char *name)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char path[160], text[400], uuid[VIR_UUID_STRING_BUFLEN];
    struct xlcfg__condition cond = { NULL };
    struct xlcfg_intent in = {
        .op = XLCFG_OP_ATTACH, .phase = XLCFG_PHASE_ACTING,
        .kind = XLCFG_KIND_DISK, .key = (char *)"disk/vdb",
        .match = (char *)"disk/vdb", .since = 1, .attempts = 1,
    };
    xlcfg_doc *body = NULL, *doc = NULL;
    xlcfg__state *st = NULL;
    bool ok;

    if (!host_image(&host, "half", path))
        return false;
    snprintf(text, sizeof(text), "{\"vdev\":\"vdb\",\"pdev_path\":\"%s\","
             "\"format\":\"raw\",\"backend\":\"qdisk\",\"readwrite\":1}",
             path);
    ok = !xlcfg_doc_parse(text, strlen(text), &body, &err) &&
        !xlcfg_device_attach(ctx, name, "disk", body, NULL, &doc, &err);
    claim(ok && kept_as_it_runs(d, true), "%s: a disk %s", name, err.message);
    snprintf(text, sizeof(text), "<disk type='file' device='disk'><source "
             "file='%s'/><target dev='vdb' bus='virtio'/></disk>", path);
    ok = ok && !virDomainDetachDeviceFlags(d, text,
                                           VIR_DOMAIN_AFFECT_CONFIG) &&
        !virDomainGetUUIDString(d, uuid) &&
        !xlcfg__state_open(host.state, true, 5000, &st, &err);
    in.after = body;
    ok = ok && !xlcfg__state_intent_begin(st, "libvirt", uuid, &in, &cond,
                                          nobody, NULL, &err);
    claim(ok && kept_as_it_runs(d, false),
          "%s: which runs alone, its attach open %s", name, err.message);
    xlcfg__state_close(st);
    xlcfg_doc_free(body);
    xlcfg_doc_free(doc);
    return ok;
}

static void attach_cut_off(const char *name)
{
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = ctx ? host_guest(&host, name, "q35", "", true) : NULL;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;

    if (d && half_attached(ctx, d, name)) {
        claim(!xlcfg_settle(ctx, name, true, &doc, &err) &&
              kept_as_it_runs(d, false), "%s: a dry run does nothing %s",
              name, err.message);
        xlcfg_doc_free(doc);
        claim(!host_settle(ctx, name) && kept_as_it_runs(d, true),
              "%s: settled, it is kept as it runs", name);
    }
    if (d)
        host_drop(d);
    xlcfg_ctx_close(ctx);
}

int main(void)
{
    if (!host_begin(&host))
        return claims();
    if (host_join(&host)) {
        cut_off("cut-off", false);
        cut_off("cut-off-later", true);
        attach_cut_off("cut-off-attach");
    }
    host_end(&host);
    return claims();
}
