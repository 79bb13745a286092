/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plugging on Xen.  libxl attaches, for scripts are its trade.  An unplug is
 * asked for here, by online 0 and state 5 in one transaction, and libxl only
 * clears away what the guest has let go of: its own removal would force after
 * ten seconds.
 */
#include "driver/xen_plug.h"
#include "driver/xen_child.h"
#include "driver/xen_look.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenstore.h>
#include <xentoollog.h>

/* libxl waits 10 s for a backend and 40 s for its script. */
#define LIBXL_MS 65000
#define STEP_MS 50

/* ---- the kinds: libxl's functions, one shape ---- */


struct kind {
    enum xlcfg_kind kind;
    int (*add)(libxl_ctx *ctx, uint32_t domid, const char *json);
    int (*remove)(libxl_ctx *ctx, uint32_t domid, const char *json);
    int (*destroy)(libxl_ctx *ctx, uint32_t domid, const char *json);
};

#define BAD_BODY 1              /* no number of libxl's */

#define CALL(k, name, call)                                             \
    static int k##_##name(libxl_ctx *ctx, uint32_t domid,               \
                          const char *json)                             \
    {                                                                   \
        libxl_device_##k dev;                                           \
        int rc;                                                         \
                                                                        \
        libxl_device_##k##_init(&dev);                                  \
        rc = libxl_device_##k##_from_json(ctx, &dev, json) ? BAD_BODY   \
            : libxl_device_##k##_##call(ctx, domid, &dev, NULL);        \
        libxl_device_##k##_dispose(&dev);                               \
        return rc;                                                      \
    }
#define CALLS(k, removal) \
    CALL(k, add, add) CALL(k, remove, removal) CALL(k, destroy, destroy)

CALLS(disk, safe_remove)
CALLS(nic, remove)
CALLS(vtpm, remove)
CALLS(vdispl, remove)
CALLS(vsnd, remove)

static const struct kind kinds[] = {
    { XLCFG_KIND_DISK, disk_add, disk_remove, disk_destroy },
    { XLCFG_KIND_NIC, nic_add, nic_remove, nic_destroy },
    { XLCFG_KIND_VTPM, vtpm_add, vtpm_remove, vtpm_destroy },
    { XLCFG_KIND_VDISPL, vdispl_add, vdispl_remove, vdispl_destroy },
    { XLCFG_KIND_VSND, vsnd_add, vsnd_remove, vsnd_destroy },
};

static const struct kind *kind_row(enum xlcfg_kind kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

bool xlcfg__xen_can(void *handle, enum xlcfg_kind kind,
                    enum xlcfg_action act, char *reason, size_t size)
{
    (void)handle;
    if (act != XLCFG_ACT_ATTACH && act != XLCFG_ACT_DETACH) {
        snprintf(reason, size, "%s: not done by the Xen driver",
                 xlcfg__action_name(act));
        return false;
    }
    if (kind == XLCFG_KINDS || kind_row(kind))
        return true;
    snprintf(reason, size, "%s of a %s: not done by the Xen driver; it "
             "plugs disk, nic, vtpm, vdispl, vsnd", xlcfg__action_name(act),
             xlcfg__kinds[kind].name);
    return false;
}

/* ---- libxl, in the child ---- */

struct job {
    const struct kind *row;
    int (*call)(libxl_ctx *ctx, uint32_t domid, const char *json);
    uint32_t domid;
    char *json;
    char back[XLCFG__XS_PATH_MAX];      /* "": there is none */
    char path[2][XLCFG__XS_PATH_MAX];   /* L-dir, frontend; "": none */
    unsigned wait_ms;
};

struct words {                  /* what libxl complains of */
    xentoollog_logger base;
    char text[900];
    size_t len;
};

static void take_words(xentoollog_logger *logger, xentoollog_level level,
                       int errnoval, const char *context,
                       const char *format, va_list ap)
    __attribute__((format(printf, 5, 0)));

static void take_words(xentoollog_logger *logger, xentoollog_level level,
                       int errnoval, const char *context,
                       const char *format, va_list ap)
{
    struct words *w = (struct words *)logger;
    size_t room = sizeof(w->text) - w->len;
    int n;

    (void)context;
    if (level < XTL_ERROR || room < 32)
        return;
    if (w->len)
        w->len += (size_t)snprintf(w->text + w->len, room, "; ");
    room = sizeof(w->text) - w->len;
    n = vsnprintf(w->text + w->len, room, format, ap);
    w->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    room = sizeof(w->text) - w->len;
    if (errnoval > 0 && room > 1) {
        n = snprintf(w->text + w->len, room, ": %s", strerror(errnoval));
        w->len += (size_t)n < room ? (size_t)n : room - 1;
    }
}

static void keep(xentoollog_logger *logger)
{
    (void)logger;
}

static int code_of(int rc)
{
    switch (rc) {
    case ERROR_DEVICE_EXISTS:
    case ERROR_DOMAIN_NOTFOUND:
    case ERROR_NOMEM:
        return rc;              /* the numbers are the same */
    case BAD_BODY:
        return XLCFG_ERROR_INVAL;
    default:
        return XLCFG_ERROR_REFUSED;
    }
}

static int call_libxl(void *arg, xlcfg_error *err)
{
    struct job *job = arg;
    struct words words = {
        .base = { .vmessage = take_words, .destroy = keep },
    };
    libxl_ctx *ctx;
    int rc;

    if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &words.base))
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, "libxl",
                          "cannot open: %s", words.text);
    rc = job->call(ctx, job->domid, job->json);
    if (rc == BAD_BODY)
        rc = xlcfg__err(err, code_of(rc), "libxl",
                        "it does not read this body: %s",
                        words.len ? words.text : "it gives no reason");
    else if (rc)
        rc = xlcfg__err(err, code_of(rc), "libxl", "%s (its error %d)",
                        words.len ? words.text : "it gives no reason", rc);
    libxl_ctx_free(ctx);
    return rc;
}

/* ---- the nodes of one device ---- */

static bool exists(struct xlcfg__xs *xs, const char *path)
{
    struct xlcfg__xs_names names;
    int r = xlcfg__xs_list(xs, &names, "%s", path);

    xlcfg__xs_names_dispose(&names);
    return !r;
}

/* A backend that no L-dir names: dom0's, and it names our frontend. */
static void find_leaked(struct xlcfg__xs *xs, struct job *job,
                        const struct xlcfg__xen_front *f, unsigned devid)
{
    for (int i = 0; i < 4 && f->backends[i] && !job->back[0]; i++) {
        struct xlcfg__xs_value v;
        char back[128];

        snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%u/%u",
                 f->backends[i], job->domid, devid);
        xlcfg__xs_read(xs, &v, "%s/frontend", back);
        if (!strcmp(xlcfg__xs_text(&v), job->path[1]))
            strcpy(job->back, back);
        xlcfg__xs_value_dispose(&v, 1);
    }
}

/* The number a body's device has below /libxl; -1: none. */
static int devid_of(enum xlcfg_kind kind, const xlcfg_doc *body)
{
    const char *vdev = xlcfg__doc_getstr(body, "vdev");

    if (kind == XLCFG_KIND_DISK)
        return vdev ? xlcfg__vdev_number(vdev) : -1;
    return (int)xlcfg__doc_to_int(xlcfg_doc_get(body, "devid"), -1);
}

/* Fill the paths, and json from what is there now; NOMEM. */
static int find_nodes(struct xlcfg__xen *xen, enum xlcfg_kind kind,
                      unsigned devid, struct job *job)
{
    const struct xlcfg__xen_front *f;
    struct xlcfg__xen_dev dev;
    xlcfg_doc *body;
    int r = 0, rc = 0;

    for (f = xlcfg__xen_fronts; f->name; f++) {
        if (f->kind != kind)
            continue;
        snprintf(job->path[0], sizeof(job->path[0]),
                 "/libxl/%u/device/%s/%u", job->domid, f->name, devid);
        snprintf(job->path[1], sizeof(job->path[1]),
                 "/local/domain/%u/device/%s/%u", job->domid, f->name,
                 devid);
        if (exists(xen->xs, job->path[0]))
            break;
        find_leaked(xen->xs, job, f, devid);
        if (job->back[0] || exists(xen->xs, job->path[1]))
            return 0;
    }
    if (!f->name) {
        job->path[0][0] = job->path[1][0] = '\0';
        return 0;
    }
    r = xlcfg__xen_dev_read(xen->xs, f, job->domid, devid, &dev);
    if (!r && *dev.bekind) {
        strcpy(job->back, dev.backend);
        body = xlcfg__xen_body(&dev, NULL);
        if (!body || xlcfg_doc_print(body, 0, &job->json, NULL, NULL))
            rc = XLCFG_ERROR_NOMEM;
        xlcfg_doc_free(body);
    }
    xlcfg__xen_dev_dispose(&dev);
    return r == ENOMEM ? XLCFG_ERROR_NOMEM : rc;
}

/* One transaction by `fill`; 0 or an errno. */
static int transact(struct xs_handle *h, const struct job *job,
                    bool (*fill)(struct xs_handle *h, xs_transaction_t t,
                                 const struct job *job))
{
    for (int tries = 0; tries < 100; tries++) {
        xs_transaction_t t = xs_transaction_start(h);
        bool ok;
        int why;

        if (t == XBT_NULL)
            return errno;
        ok = fill(h, t, job);
        why = errno;
        if (xs_transaction_end(h, t, !ok) && ok)
            return 0;
        if (!ok)
            return why ? why : EIO;
        if (errno != EAGAIN)
            return errno;
    }
    return EAGAIN;
}

static bool remove_node(struct xs_handle *h, xs_transaction_t t,
                        const char *path)
{
    return !*path || xs_rm(h, t, path) || errno == ENOENT;
}

static bool remove_nodes(struct xs_handle *h, xs_transaction_t t,
                         const struct job *job)
{
    return remove_node(h, t, job->path[1]) &&
        remove_node(h, t, job->path[0]) && remove_node(h, t, job->back);
}

/* The state, '0' for none there; also whether the unplug was asked for. */
static char read_state(struct xs_handle *h, xs_transaction_t t,
                       const struct job *job)
{
    char path[XLCFG__XS_PATH_MAX + 8];
    char *text, state;
    unsigned len;

    snprintf(path, sizeof(path), "%s/state", job->back);
    text = xs_read(h, t, path, &len);
    state = text && len == 1 ? *text : text || errno != ENOENT ? '?' : '0';
    free(text);
    return state;
}

static bool ask(struct xs_handle *h, xs_transaction_t t,
                const struct job *job)
{
    char path[XLCFG__XS_PATH_MAX + 8];
    char state = read_state(h, t, job);

    if (state == '0')
        return true;            /* writing would make it anew */
    snprintf(path, sizeof(path), "%s/online", job->back);
    if (!xs_write(h, t, path, "0", 1))
        return false;
    snprintf(path, sizeof(path), "%s/state", job->back);
    return state == '6' || xs_write(h, t, path, "5", 1);
}

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int unreachable(xlcfg_error *err, const char *where, int why)
{
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, where, "xenstore: %s",
                      strerror(why));
}

/* Ask, and wait for the guest; then libxl clears away. */
static int let_go(void *arg, xlcfg_error *err)
{
    static const struct timespec step = { 0, STEP_MS * 1000000 };
    struct job *job = arg;
    int64_t end = now_ms() + job->wait_ms;
    struct xs_handle *h = xs_open(0);
    char state;
    int r;

    if (!h)
        return unreachable(err, NULL, errno);
    r = transact(h, job, ask);
    if (r) {
        xs_close(h);
        return unreachable(err, job->back, r);
    }
    for (;;) {
        state = read_state(h, XBT_NULL, job);
        if (state == '6' || state == '0' || now_ms() >= end)
            break;
        nanosleep(&step, NULL);
    }
    xs_close(h);
    if (state != '6' && state != '0')
        return xlcfg__err(err, XLCFG_ERROR_PENDING, job->back,
                          "the guest has not let go of it: its backend is "
                          "in state %c, not 6", state);
    return call_libxl(job, err);
}

static int remove_rest(void *arg, xlcfg_error *err)
{
    struct xs_handle *h = xs_open(0);
    int r;

    if (!h)
        return unreachable(err, NULL, errno);
    r = transact(h, arg, remove_nodes);
    xs_close(h);
    return r ? unreachable(err, ((struct job *)arg)->path[0], r) : 0;
}

/* ---- the driver's calls ---- */

static bool is_free(const struct xlcfg_view *live, const char *match)
{
    for (size_t i = 0; i < live->count; i++)
        if (!strcmp(live->devs[i].match, match) &&
            live->devs[i].live != XLCFG_LIVE_ABSENT)
            return false;
    return true;
}

int xlcfg__xen_prepare(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       const struct xlcfg_view *live, xlcfg_doc **body_r,
                       xlcfg_error *err)
{
    char match[64];
    int n = 0;

    (void)handle; (void)dom;
    if (devid_of(kind, body) >= 0) {
        *body_r = xlcfg_doc_ref(body);
        return 0;
    }
    if (kind == XLCFG_KIND_DISK)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/vdev",
                          "expected the disk's name, such as xvdb");
    if (!live->sees[kind])
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, NULL,
                          "which numbers are free cannot be seen");
    do
        snprintf(match, sizeof(match), "%s/%d", xlcfg__kinds[kind].name,
                 n++);
    while (!is_free(live, match));
    *body_r = xlcfg__doc_with(body, "devid", xlcfg__doc_int(n - 1));
    return *body_r ? 0 : xlcfg__nomem(err);
}

int xlcfg__xen_attach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err)
{
    struct job job = {
        .row = kind_row(kind), .domid = (uint32_t)dom->domid,
    };
    int rc;

    (void)handle;
    if (!job.row)
        return xlcfg__err(err, XLCFG_ERROR_NI, xlcfg__kinds[kind].name,
                          "cannot be attached here");
    rc = xlcfg_doc_print(body, 0, &job.json, NULL, err);
    if (rc)
        return rc;
    job.call = job.row->add;
    rc = xlcfg__xen_child(call_libxl, &job, LIBXL_MS, err);
    free(job.json);
    return rc;
}

int xlcfg__xen_detach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      unsigned flags, unsigned wait_ms, xlcfg_error *err)
{
    struct job job = {
        .row = kind_row(kind), .domid = (uint32_t)dom->domid,
        .wait_ms = wait_ms,
    };
    int devid = devid_of(kind, body);
    bool force = flags & XLCFG_DETACH_FORCE;
    unsigned most = wait_ms < UINT32_MAX - LIBXL_MS ? wait_ms + LIBXL_MS
                                                    : UINT32_MAX;
    int rc;

    if (!job.row || devid < 0)
        return xlcfg__err(err, XLCFG_ERROR_NI, xlcfg__kinds[kind].name,
                          "cannot be detached here");
    rc = find_nodes(handle, kind, (unsigned)devid, &job);
    if (rc)
        return xlcfg__nomem(err);
    job.call = force ? job.row->destroy : job.row->remove;
    if (!job.path[0][0])
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, NULL,
                        "there is no such device");
    else if (!job.json)
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, job.path[0],
                        "it is only half there: settle clears it away");
    else
        rc = xlcfg__xen_child(force ? call_libxl : let_go, &job, most, err);
    free(job.json);
    return rc;
}

static bool is_litter(struct xlcfg__xen *xen, const struct job *job,
                      const struct xlcfg_dev *dev)
{
    struct xlcfg__xs_value state;
    bool gone;

    switch (dev->live) {
    case XLCFG_LIVE_PARTIAL:
    case XLCFG_LIVE_COMING:
    case XLCFG_LIVE_FAILED:
    case XLCFG_LIVE_ORPHANED:
    case XLCFG_LIVE_LEAKED:
        return true;
    case XLCFG_LIVE_LEAVING:
        xlcfg__xs_read(xen->xs, &state, "%s/state", job->back);
        gone = xlcfg__xs_absent(&state) ||
            !strcmp(xlcfg__xs_text(&state), "6");
        xlcfg__xs_value_dispose(&state, 1);
        return gone;
    case XLCFG_LIVE_ABSENT:
    case XLCFG_LIVE_PRESENT:
    case XLCFG_LIVE_UNKNOWN:
    case XLCFG_LIVES:
        break;
    }
    return false;
}

static void note_steps(struct xlcfg__xen *xen, const struct job *job,
                       xlcfg__items *steps)
{
    const char *paths[] = { job->path[1], job->path[0], job->back };

    for (int i = 0; i < 3; i++)
        if (*paths[i] && exists(xen->xs, paths[i]))
            xlcfg__items_add(steps, xlcfg__doc_strf("remove %s", paths[i]));
}

int xlcfg__xen_clean(void *handle, const struct xlcfg_domain *dom,
                     const struct xlcfg_dev *dev, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err)
{
    struct job job = {
        .row = kind_row(dev->kind), .domid = (uint32_t)dom->domid,
    };
    int devid = devid_of(dev->kind, dev->body);
    int rc;

    if (!job.row || devid < 0)
        return xlcfg__err(err, XLCFG_ERROR_NI, dev->key,
                          "cannot be cleared away here");
    rc = find_nodes(handle, dev->kind, (unsigned)devid, &job);
    if (rc || dev->live == XLCFG_LIVE_ABSENT || !job.path[0][0]) {
        free(job.json);
        return rc ? xlcfg__nomem(err) : 0;
    }
    if (!is_litter(handle, &job, dev)) {
        free(job.json);
        return xlcfg__err(err, dev->live == XLCFG_LIVE_LEAVING
                          ? XLCFG_ERROR_PENDING : XLCFG_ERROR_INVAL,
                          dev->key, "it is %s: nothing was left behind",
                          xlcfg__live_name(dev->live));
    }
    note_steps(handle, &job, steps);
    job.call = job.row->destroy;
    /* libxl's own way runs the script that frees what the host gave; what it
     * leaves, whatever it answers, goes after it */
    if (!dry_run && job.json)
        (void)xlcfg__xen_child(call_libxl, &job, LIBXL_MS, NULL);
    rc = dry_run ? 0 : xlcfg__xen_child(remove_rest, &job, LIBXL_MS, err);
    free(job.json);
    if (!rc && steps->failed)
        return xlcfg__nomem(err);
    return rc;
}
