/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Through libvirt, paired with its bare calls in the same run, turn by turn:
 *
 *     virt URI STATE one NAME OTHER   one guest's XML, and retrieve: of a text
 *                                     that was understood before, of one that
 *                                     is parsed and merged, by a context that
 *                                     has seen no more than the other guest
 *                                     (new) or none (first), and after a
 *                                     change
 *     virt URI STATE all              list and XML of all, and list --long
 *     virt URI STATE plug NAME IMAGE  a disk into a guest that lets go, and out
 */
#include "libxl_cfg.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 201
#define FIRSTS 15               /* of a new context, which knows nothing yet */
#define CHANGES 31

struct bench {
    const char *uri, *state;
    virConnectPtr conn;
    xlcfg_ctx *ctx;
};

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *v, int count)
{
    qsort(v, (size_t)count, sizeof(*v), by_size);
    return v[count / 2];
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static xlcfg_ctx *open_ctx(const struct bench *b)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx;

    opt.state_dir = b->state;
    opt.deadline_ms = 20000;
    if (xlcfg_ctx_open(b->uri, &opt, &ctx, &err))
        die(b->uri, err.message);
    return ctx;
}

/* ---- what is compared ---- */

static const char *name, *other;        /* NULL: all of them; none */

static void bare(const struct bench *b, virDomainPtr d)
{
    virDomainPtr *all;
    int count;

    if (d) {
        free(virDomainGetXMLDesc(d, 0));
        return;
    }
    count = virConnectListAllDomains(b->conn, &all, 0);
    if (count < 0)
        die("list", virGetLastErrorMessage());
    for (int i = 0; i < count; i++) {
        free(virDomainGetXMLDesc(all[i], 0));
        virDomainFree(all[i]);
    }
    free(all);
}

static void get(xlcfg_ctx *ctx, const char *dom)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;

    if (dom ? xlcfg_domain_get(ctx, dom, NULL, &doc, &err)
        : xlcfg_domain_list(ctx, true, &doc, &err))
        die(dom ? dom : "list", err.message);
    xlcfg_doc_free(doc);
}

static void ours(xlcfg_ctx *ctx)
{
    get(ctx, name);
}

/* What of that libxml2 takes for both texts, of a guest that is kept. */
static double parsed(virDomainPtr d)
{
    static double t[FIRSTS];
    char *live = virDomainGetXMLDesc(d, 0);
    char *kept = virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE);
    double from;

    if (!live || !kept)
        die(name, virGetLastErrorMessage());
    for (int i = 0; i < FIRSTS; i++) {
        from = now_us();
        xmlFreeDoc(xmlReadMemory(live, (int)strlen(live), NULL, NULL, 0));
        xmlFreeDoc(xmlReadMemory(kept, (int)strlen(kept), NULL, NULL, 0));
        t[i] = now_us() - from;
    }
    free(live);
    free(kept);
    return median(t, FIRSTS);
}

/* What a first answer is made of: what runs, what is kept and what runs once
 * more, in this order, so that both are of one moment. */
static void three_texts(virDomainPtr d)
{
    free(virDomainGetXMLDesc(d, 0));
    free(virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE));
    free(virDomainGetXMLDesc(d, 0));
}

struct lanes {
    virDomainPtr *all;
    int count;
    atomic_int next;
};

static void *lane(void *arg)
{
    struct lanes *l = arg;
    int i;

    while ((i = atomic_fetch_add(&l->next, 1)) < l->count)
        three_texts(l->all[i]);
    return NULL;
}

/* The same of all, four at a time. */
static void three_of_all(const struct bench *b)
{
    struct lanes l = { .count = 0 };
    pthread_t threads[4];

    l.count = virConnectListAllDomains(b->conn, &l.all, 0);
    if (l.count < 0)
        die("list", virGetLastErrorMessage());
    atomic_init(&l.next, 0);
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, lane, &l))
            die("thread", "none to be had");
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < l.count; i++)
        virDomainFree(l.all[i]);
    free(l.all);
}

static double texts_alone(const struct bench *b, virDomainPtr d)
{
    static double t[FIRSTS];
    double from;

    for (int i = 0; i < FIRSTS; i++) {
        from = now_us();
        if (d)
            three_texts(d);
        else
            three_of_all(b);
        t[i] = now_us() - from;
    }
    return median(t, FIRSTS);
}

/* After each change of the guest's title, which both its texts have. */
static double changed(const struct bench *b, virDomainPtr d)
{
    static double t[CHANGES];
    char title[32];
    double from;

    for (int i = 0; i < CHANGES; i++) {
        snprintf(title, sizeof(title), "the %dth", i);
        if (virDomainSetMetadata(d, VIR_DOMAIN_METADATA_TITLE, title, NULL,
                                 NULL, VIR_DOMAIN_AFFECT_LIVE |
                                 VIR_DOMAIN_AFFECT_CONFIG) < 0)
            die("title", virGetLastErrorMessage());
        from = now_us();
        ours(b->ctx);
        t[i] = now_us() - from;
    }
    return median(t, CHANGES);
}

/* By a context that has not seen it, and before none or the other. */
static double unseen(const struct bench *b, const char *before)
{
    static double t[FIRSTS];
    double from;

    for (int i = 0; i < FIRSTS; i++) {
        xlcfg_ctx *ctx = open_ctx(b);

        if (before)
            get(ctx, before);
        from = now_us();
        ours(ctx);
        t[i] = now_us() - from;
        xlcfg_ctx_close(ctx);
    }
    return median(t, FIRSTS);
}

static void say(const char *what, double took, double bare_took)
{
    printf("  %-46s %7.0f us: %+7.0f us, %5.2f times\n", what, took,
           took - bare_took, took / bare_took);
}

static void compare(const struct bench *b)
{
    static double a[ROUNDS], o[ROUNDS];
    virDomainPtr d = name ? virDomainLookupByName(b->conn, name) : NULL;
    double from, x;

    if (name && !d)
        die(name, virGetLastErrorMessage());
    ours(b->ctx);               /* what is new is recorded */
    for (int i = 0; i < ROUNDS; i++) {
        from = now_us();
        bare(b, d);
        a[i] = now_us() - from;
        from = now_us();
        ours(b->ctx);
        o[i] = now_us() - from;
    }
    x = median(a, ROUNDS);
    printf("%s: bare %.0f us\n", name ? name : "all", x);
    say("the same text again", median(o, ROUNDS), x);
    if (other)
        say("new to the context, parsed and merged", unseen(b, other), x);
    say("the context's first, parsed and merged", unseen(b, NULL), x);
    say("libvirt alone, for the texts of that", texts_alone(b, d), x);
    if (!d)
        return;
    printf("  %-46s %7.0f us\n", "libxml2 alone, for both texts", parsed(d));
    say("after a change, with its record", changed(b, d), x);
    virDomainFree(d);
}

/* ---- plugging ---- */

#define PLUGS 31

/*
 * QEMU lets go of what a plug has replaced in steps of 10 ms, and a device is
 * gone at the end of one: right after another plug it is that one's rhythm
 * that would be measured.  So each begins when QEMU has come to rest, and not
 * always at the same moment of a step.
 */
static void rest(void)
{
    static unsigned turn;
    struct timespec pause = { 0, (100 + turn++ * 7 % 10) * 1000000L };

    nanosleep(&pause, NULL);
}

static void plug_bare(virDomainPtr d, const char *image, double us[2])
{
    unsigned flags = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    double from;
    char *xml;

    if (asprintf(&xml, "<disk type='file' device='disk'><driver name='qemu' "
                 "type='raw'/><source file='%s'/><target dev='vdy' "
                 "bus='virtio'/></disk>", image) < 0)
        die(image, "no memory");
    rest();
    from = now_us();
    if (virDomainAttachDeviceFlags(d, xml, flags) < 0)
        die("bare attach", virGetLastErrorMessage());
    us[0] = now_us() - from;
    rest();
    from = now_us();
    if (virDomainDetachDeviceFlags(d, xml, flags) < 0)
        die("bare detach", virGetLastErrorMessage());
    us[1] = now_us() - from;
    free(xml);
}

static void plug_ours(const struct bench *b, const xlcfg_doc *body,
                      double us[2])
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    double from;

    rest();
    from = now_us();
    if (xlcfg_device_attach(b->ctx, name, "disk", body, NULL, &doc, &err))
        die("attach", err.message);
    xlcfg_doc_free(doc);
    us[0] = now_us() - from;
    rest();
    from = now_us();
    if (xlcfg_device_detach(b->ctx, name, "disk/vdx", NULL, &doc, &err))
        die("detach", err.message);
    xlcfg_doc_free(doc);
    us[1] = now_us() - from;
}

static void plug(const struct bench *b, const char *image)
{
    static const char *const acts[] = { "attach", "detach" };
    static double bare[2][PLUGS], own[2][PLUGS];
    virDomainPtr d = virDomainLookupByName(b->conn, name);
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *body;
    char *text;

    if (!d)
        die(name, virGetLastErrorMessage());
    if (asprintf(&text, "{\"vdev\":\"vdx\",\"pdev_path\":\"%s\","
                 "\"format\":\"raw\"}", image) < 0 ||
        xlcfg_doc_parse(text, strlen(text), &body, &err))
        die(image, err.message);
    for (int i = 0; i < PLUGS; i++) {
        double us[2][2];

        plug_bare(d, image, us[0]);
        plug_ours(b, body, us[1]);
        for (int act = 0; act < 2; act++) {
            bare[act][i] = us[0][act];
            own[act][i] = us[1][act];
        }
    }
    for (int act = 0; act < 2; act++) {
        double x = median(bare[act], PLUGS), y = median(own[act], PLUGS);

        printf("%-10s bare %7.1f ms   ours %7.1f ms: %+6.1f ms   least: "
               "%.1f and %.1f ms\n", acts[act], x / 1e3, y / 1e3,
               (y - x) / 1e3, bare[act][0] / 1e3, own[act][0] / 1e3);
    }
    xlcfg_doc_free(body);
    free(text);
    virDomainFree(d);
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };

    if (argc < 4) {
        fprintf(stderr, "usage: virt URI STATE one NAME OTHER | all | "
                "plug NAME IMAGE\n");
        return 2;
    }
    b.uri = argv[1];
    b.state = argv[2];
    b.ctx = open_ctx(&b);
    b.conn = virConnectOpen(b.uri);
    if (!b.conn)
        die(b.uri, virGetLastErrorMessage());
    name = argc > 4 ? argv[4] : NULL;
    other = argc > 5 ? argv[5] : NULL;
    if (!strcmp(argv[3], "plug") && other)
        plug(&b, other);
    else
        compare(&b);
    xlcfg_ctx_close(b.ctx);
    virConnectClose(b.conn);
    return 0;
}
