/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Creations that were cut off after the guest was made, on real QEMU guests:
 * one whose processors never ran goes on, any other is left as it is. */
#include "driver/driver.h"
#include "host.h"
#include "store/state.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

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

int main(void)
{
    if (!host_begin(&host))
        return claims();
    if (host_join(&host)) {
        cut_off("cut-off", false);
        cut_off("cut-off-later", true);
    }
    host_end(&host);
    return claims();
}
