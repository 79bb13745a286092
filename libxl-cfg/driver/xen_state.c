/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a device is, from its backend.
 *
 * `online` 0 is an unplug.  States 5 and 6 with `online` 1 are a guest that
 * reboots.  A hotplug script's failure is in hotplug-status or, when it died
 * in between, in hotplug-error alone.
 */
#include "driver/xen_look.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STATE, ONLINE, STATUS, BACK_KEYS };

static const char *const back_keys[BACK_KEYS] = {
    "state", "online", "hotplug-status",
};

void xlcfg__verdict(struct xlcfg__verdict *v, enum xlcfg_live live,
                    const char *fmt, ...)
{
    va_list ap;

    v->live = live;
    va_start(ap, fmt);
    vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
    va_end(ap);
}

static void present(struct xlcfg__verdict *v)
{
    v->live = XLCFG_LIVE_PRESENT;
    v->reason[0] = '\0';
}

static const char *state_name(uint64_t state)
{
    static const char *const names[] = {
        "Unknown", "Initialising", "InitWait", "Initialised", "Connected",
        "Closing", "Closed", "Reconfiguring", "Reconfigured",
    };

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL;
}

/* Only these backends have a script that writes hotplug-status. */
static bool has_script(const struct xlcfg__xen_dev *dev)
{
    return !strcmp(dev->bekind, "vbd") || !strcmp(dev->bekind, "vbd3") ||
        !strcmp(dev->bekind, "vif");
}

bool xlcfg__xen_alive(const struct xlcfg__look *look, uint32_t domid)
{
    char name[16];

    snprintf(name, sizeof(name), "%u", domid);
    return xlcfg__xs_names_has(&look->alive, name);
}

static bool still_there(struct xlcfg__look *look,
                        const struct xlcfg__xen_dev *dev)
{
    struct xlcfg__xs_names names;
    int r;

    r = xlcfg__xs_list(look->xs, &names, "%s", dev->path);
    xlcfg__xs_names_dispose(&names);
    return r != ENOENT;
}

/* Neither state nor online: is there no backend, or half of one? */
static bool without_state(struct xlcfg__look *look,
                          const struct xlcfg__xen_dev *dev,
                          struct xlcfg__verdict *v)
{
    struct xlcfg__xs_names names;
    int r;

    r = xlcfg__xs_list(look->xs, &names, "%s", dev->backend);
    xlcfg__xs_names_dispose(&names);
    if (!r)
        xlcfg__verdict(v, XLCFG_LIVE_PARTIAL,
                       "its backend %s has neither state nor online",
                       dev->backend);
    else if (r != ENOENT)
        xlcfg__verdict(v, XLCFG_LIVE_UNKNOWN, "%s: cannot list: %s",
                       dev->backend, strerror(r));
    else if (xlcfg__xen_alive(look, dev->bedom))
        xlcfg__verdict(v, XLCFG_LIVE_LEAVING,
                       "backend already gone: removal half done");
    else
        xlcfg__verdict(v, XLCFG_LIVE_ORPHANED,
                       "backend domain %u is gone", dev->bedom);
    return still_there(look, dev);
}

/* The script's own words, when there are any. */
static void script_failed(const char *status,
                          const struct xlcfg__xs_value *error,
                          struct xlcfg__verdict *v)
{
    const char *words = xlcfg__xs_text(error);

    if (*status && *words)
        xlcfg__verdict(v, XLCFG_LIVE_FAILED, "hotplug-status %s: %s",
                       status, words);
    else if (*words)
        xlcfg__verdict(v, XLCFG_LIVE_FAILED, "hotplug-error: %s", words);
    else
        xlcfg__verdict(v, XLCFG_LIVE_FAILED, "hotplug-status %s", status);
}

/* True: the script has failed, and v says so. */
static bool judge_script(struct xlcfg__look *look,
                         const struct xlcfg__xen_dev *dev,
                         const char *status, struct xlcfg__verdict *v)
{
    struct xlcfg__xs_value error;
    bool failed;

    if (!strcmp(status, "connected"))
        return false;
    xlcfg__xs_read(look->xs, &error, "%s/hotplug-error", dev->backend);
    failed = !strcmp(status, "error") || !strcmp(status, "busy") ||
        error.error == EILSEQ || *xlcfg__xs_text(&error);
    if (failed && error.error == EILSEQ && !*status)
        status = "unreadable";
    if (failed)
        script_failed(status, &error, v);
    xlcfg__xs_value_dispose(&error, 1);
    return failed;
}

/*
 * Of a backend that is online.  In state 2 it waits for the guest's driver:
 * done for a kind without a script, and for QEMU's, which starts in 1.
 */
static void judge_state(const struct xlcfg__xen_dev *dev, const char *text,
                        const char *status, struct xlcfg__verdict *v)
{
    bool local_script = has_script(dev) && !dev->bedom &&
        *xlcfg__xen_text(dev, "script");
    uint64_t state;

    if (!xlcfg__xs_number(text, 8, &state) || !state)
        xlcfg__verdict(v, XLCFG_LIVE_UNKNOWN,
                       "%s/state is '%.32s', expected 1 to 8", dev->backend,
                       text);
    else if (dev->front->kind == XLCFG_KIND_CHANNEL)
        present(v);             /* consoles stay in state 1 for ever */
    else if (state == 1)
        xlcfg__verdict(v, XLCFG_LIVE_COMING, "backend state 1 (%s)",
                       state_name(state));
    else if (state <= 3 && local_script && strcmp(status, "connected"))
        xlcfg__verdict(v, XLCFG_LIVE_COMING,
                       "backend state %u (%s), its hotplug script has not "
                       "finished", (unsigned)state, state_name(state));
    else
        present(v);
}

static bool judge_backend(struct xlcfg__look *look,
                          const struct xlcfg__xen_dev *dev,
                          const struct xlcfg__xs_value *back,
                          struct xlcfg__verdict *v)
{
    const char *status = xlcfg__xs_text(&back[STATUS]);
    uint64_t state = 0;
    const char *name;

    for (int i = 0; i < BACK_KEYS; i++)
        if (!back[i].text && !xlcfg__xs_absent(&back[i])) {
            xlcfg__verdict(v, XLCFG_LIVE_UNKNOWN, "%s/%s: %s", dev->backend,
                           back_keys[i], strerror(back[i].error));
            return true;
        }
    if (!back[STATE].text && !back[ONLINE].text)
        return without_state(look, dev, v);
    if (!back[STATE].text || !back[ONLINE].text) {
        xlcfg__verdict(v, XLCFG_LIVE_PARTIAL, "its backend %s has no %s",
                       dev->backend, back[STATE].text ? "online" : "state");
        return still_there(look, dev);
    }
    if (!strcmp(back[ONLINE].text, "0")) {
        xlcfg__xs_number(back[STATE].text, 8, &state);
        name = state_name(state);
        xlcfg__verdict(v, XLCFG_LIVE_LEAVING,
                       "its unplug was asked for, backend state %s (%s)",
                       back[STATE].text, name ? name : "?");
        return true;
    }
    if (strcmp(back[ONLINE].text, "1")) {
        xlcfg__verdict(v, XLCFG_LIVE_UNKNOWN, "%s/online is '%.32s', "
                       "expected 0 or 1", dev->backend, back[ONLINE].text);
        return true;
    }
    if (has_script(dev) && judge_script(look, dev, status, v))
        return true;
    judge_state(dev, back[STATE].text, status, v);
    return true;
}

void xlcfg__xen_will_judge(struct xlcfg__look *look,
                           const struct xlcfg__xen_dev *dev)
{
    int keys = has_script(dev) ? BACK_KEYS : STATUS;

    for (int i = 0; i < keys && *dev->bekind; i++)
        xlcfg__xs_will_read(look->xs, "%s/%s", dev->backend, back_keys[i]);
}

bool xlcfg__xen_judge(struct xlcfg__look *look,
                      const struct xlcfg__xen_dev *dev,
                      struct xlcfg__verdict *v)
{
    const struct xlcfg__xs_value *at = xlcfg__xen_value(dev, "backend");
    struct xlcfg__xs_value back[BACK_KEYS] = { { NULL, 0 } };
    bool there;

    if (!at && dev->front->kind == XLCFG_KIND_USBCTRL &&
        !strcmp(xlcfg__xen_usb_type(dev), "devicemodel")) {
        present(v);             /* QEMU's own: it has no backend */
        return true;
    }
    if (at && !at->text && !xlcfg__xs_absent(at)) {
        xlcfg__verdict(v, XLCFG_LIVE_UNKNOWN, "%s/backend: %s", dev->path,
                       strerror(at->error));
        return true;
    }
    if (!at || !at->text || !*dev->bekind) {
        xlcfg__verdict(v, XLCFG_LIVE_PARTIAL, at && at->text
                       ? "%s/backend is not the path of its backend"
                       : "%s has no backend", dev->path);
        return still_there(look, dev);
    }
    back[STATUS].error = ENOENT;
    xlcfg__xs_read_many(look->xs, dev->backend, back_keys,
                        has_script(dev) ? BACK_KEYS : STATUS, back);
    there = judge_backend(look, dev, back, v);
    xlcfg__xs_value_dispose(back, BACK_KEYS);
    return there;
}
