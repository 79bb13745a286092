/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting until a device is in a state.
 *
 * That a device is not in an answer means that it is detached only where the
 * answer knows of all such devices: a kind that could not be listed is not
 * one that has none.  Such an answer is not waited on alone, for no event
 * tells that a look has become complete; it is asked for again.
 */
#include "ops/hub.h"

#include <limits.h>
#include <poll.h>
#include <string.h>

#define AGAIN_MS 5000           /* as often as a watch looks at all */

struct wait {
    xlcfg_ctx *ctx;
    xlcfg_watch *watch;
    const char *dom, *key, *state;
    enum xlcfg_kind kind;
    unsigned timeout_ms;
    int64_t until;
    bool unsure;                /* of the newest answer */
};

/* Is this the name that the key is asked for by, written another way? */
static bool is_called(const xlcfg_doc *whole, const xlcfg_doc *dev,
                      enum xlcfg_kind kind, const char *key)
{
    const char *its = xlcfg__doc_getstr(dev, "key");
    const char *path = xlcfg__doc_getstr(dev, "path");
    struct xlcfg_ident id;

    if (!its || xlcfg__key_kind(its) != kind)
        return false;
    if (xlcfg__key_same(its, key))
        return true;
    if (!path)
        return false;
    xlcfg__key_of(kind, xlcfg_doc_pointer(xlcfg_doc_get(whole, "config"),
                                          path), &id);
    return id.alt[0] && xlcfg__key_same(id.alt, key);
}

static const xlcfg_doc *device_of(const xlcfg_doc *whole,
                                  const struct wait *wt)
{
    const xlcfg_doc *devices = xlcfg_doc_get(whole, "devices");
    const xlcfg_doc *found = NULL;

    for (size_t i = 0; i < xlcfg_doc_count(devices); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(devices, i);
        const char *its = xlcfg__doc_getstr(dev, "key");

        if (its && !strcmp(its, wt->key))
            return dev;
        if (!found && is_called(whole, dev, wt->kind, wt->key))
            found = dev;
    }
    return found;
}

/* Does this note say that devices of the kind may have been missed?  Those
 * of one member (/b_info/...) and of the template do not. */
static bool hides(const char *note, enum xlcfg_kind kind)
{
    static const char *const all[] = {
        "live view:", "devices:", "one moment:", "/libxl/", "/local/domain/",
    };
    const char *array = xlcfg__kinds[kind].array;
    size_t len = strlen(array);

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (!strncmp(note, all[i], strlen(all[i])))
            return true;
    return note[0] == '/' && !strncmp(note + 1, array, len) &&
        (note[1 + len] == ':' || note[1 + len] == '/');
}

static bool may_hide(const xlcfg_doc *whole, enum xlcfg_kind kind)
{
    const xlcfg_doc *notes = xlcfg_doc_get(whole, "unknown");

    if (xlcfg_doc_get(whole, "last_seen"))
        return true;
    for (size_t i = 0; i < xlcfg_doc_count(notes); i++)
        if (hides(xlcfg_doc_string(xlcfg_doc_at(notes, i)), kind))
            return true;
    return false;
}

static bool has_state(const xlcfg_doc *whole, struct wait *wt)
{
    const xlcfg_doc *dev;

    /* bookmarks, of which there are none here, tell of no device */
    if (!xlcfg_doc_get(whole, "devices"))
        return false;
    dev = device_of(whole, wt);
    wt->unsure = !dev && may_hide(whole, wt->kind);
    if (dev || wt->unsure)
        return dev && !strcmp(xlcfg__doc_getstr(dev, "state"), wt->state);
    return !strcmp("detached", wt->state);
}

/* {"version", "device"}, the device as in get, or just that it is detached.
 * Takes whole. */
static int outcome(xlcfg_doc *whole, const struct wait *wt,
                   xlcfg_doc **doc_r, xlcfg_error *err)
{
    const xlcfg_doc *dev = device_of(whole, wt);
    xlcfg__members m = { 0 }, none = { 0 };

    if (!dev) {
        xlcfg__members_add(&none, "key", xlcfg__doc_str(wt->key));
        xlcfg__members_add(&none, "state", xlcfg__doc_str("detached"));
    }
    xlcfg__members_add(&m, "version",
                       xlcfg_doc_ref(xlcfg_doc_get(whole, "version")));
    xlcfg__members_add(&m, "device", dev ? xlcfg_doc_ref(dev)
                                         : xlcfg__members_end(&none));
    *doc_r = xlcfg__members_end(&m);
    xlcfg_doc_free(whole);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

static int gone(const char *dom, xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_DOMAIN_NOTFOUND, dom,
                      "the domain is gone");
}

/* Sleeps until there may be another event; 1: it is time to ask again. */
static int sleep_on(const struct wait *wt, int64_t again, xlcfg_error *err)
{
    struct pollfd fd = { .fd = xlcfg_watch_fd(wt->watch), .events = POLLIN };
    int64_t now = xlcfg__now_ms(), left = 60000;

    if (wt->timeout_ms != UINT_MAX && wt->until - now < left)
        left = wt->until - now;
    if (left <= 0)
        return xlcfg__err(err, XLCFG_ERROR_TIMEDOUT, wt->key,
                          wt->unsure ? "not known to be %s within %u ms"
                          : "not %s within %u ms", wt->state,
                          wt->timeout_ms);
    if (wt->unsure && now >= again)
        return 1;
    if (wt->unsure && again - now < left)
        left = again - now;
    (void)poll(&fd, 1, (int)left);
    return 0;
}

/* 1: ask again. */
static int await(struct wait *wt, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int64_t again = xlcfg__now_ms() + AGAIN_MS;

    for (;;) {
        xlcfg_doc *doc = NULL;
        const char *event;
        int rc;

        rc = xlcfg_watch_next(wt->watch, &doc, err);
        if (rc < 0)
            return rc;
        if (!rc && has_state(doc, wt))
            return outcome(doc, wt, doc_r, err);
        event = xlcfg__doc_getstr(doc, "event");
        if (event && !strcmp(event, "gone"))
            rc = gone(wt->dom, err);
        xlcfg_doc_free(doc);
        if (rc == 1)
            rc = sleep_on(wt, again, err);
        if (rc)
            return rc;
    }
}

/* As it is now; what comes later comes as an event. */
static int as_it_is(struct wait *wt, xlcfg_doc **doc_r, xlcfg_error *err)
{
    const char *now, *uuid = wt->watch->uuid;
    xlcfg_doc *doc = NULL;
    int rc;

    rc = xlcfg_domain_get(wt->ctx, uuid, NULL, &doc, err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        rc = xlcfg_domain_get_version(wt->ctx, uuid, wt->watch->token, &doc,
                                      err);
    if (rc)
        return rc;
    if (has_state(doc, wt))
        return outcome(doc, wt, doc_r, err);
    now = xlcfg_doc_string(xlcfg_doc_pointer(doc, "/domain/state"));
    rc = now && !strcmp(now, "gone") ? gone(wt->dom, err) : 1;
    xlcfg_doc_free(doc);
    return rc;
}

int xlcfg_wait(xlcfg_ctx *ctx, const char *dom, const char *key,
               const char *state, unsigned timeout_ms, xlcfg_doc **doc_r,
               xlcfg_error *err)
{
    struct wait wt = {
        .ctx = ctx, .dom = dom, .key = key, .state = state,
        .kind = xlcfg__key_kind(key), .timeout_ms = timeout_ms,
    };
    int rc;

    if (xlcfg__state_by_name(state) == XLCFG_STATES)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, state,
                          "no such device state");
    /* of what is mistyped "it is not there" would be no answer */
    if (!xlcfg__key_is_possible(key))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, key,
                          "expected a device key such as disk/xvda, nic/0 or "
                          "pci/0000:03:00.0");
    rc = xlcfg_watch_open(ctx, dom, NULL, NULL, &wt.watch, err);
    if (rc)
        return rc;
    wt.until = xlcfg__now_ms() + timeout_ms;
    do {
        rc = as_it_is(&wt, doc_r, err);
        if (rc == 1)
            rc = await(&wt, doc_r, err);
    } while (rc == 1);
    xlcfg_watch_close(wt.watch);
    return rc;
}
