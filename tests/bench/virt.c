/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Retrieve through libvirt, paired with the bare virDomainGetXMLDesc in the
 * same run: one real QEMU guest with 1, 32 and 128 disks, and 41 guests of
 * libvirt's own test driver (41 QEMUs are too heavy for a bench).
 */
#include "../libvirt/host.h"
#include "libxl_cfg.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 101
#define GUESTS 41

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

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof(*v), by_size);
    return v[ROUNDS / 2];
}

static xlcfg_ctx *open_ctx(const char *uri, const char *state)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx = NULL;

    opt.state_dir = state;
    opt.deadline_ms = 20000;
    if (xlcfg_ctx_open(uri, &opt, &ctx, &err))
        claim(false, "open: %s: %s", err.where, err.message);
    return ctx;
}

static char *disks(const char *image, int count)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    fputs("<controller type='scsi' model='virtio-scsi'/>", f);
    for (int i = 0; i < count; i++) {
        char name[8];

        if (i < 26)
            snprintf(name, sizeof(name), "sd%c", 'a' + i);
        else
            snprintf(name, sizeof(name), "sd%c%c", 'a' + i / 26 - 1,
                     'a' + i % 26);
        fprintf(f, "<disk type='file' device='disk'><driver name='qemu' "
                "type='raw'/><source file='%s'/><target dev='%s' "
                "bus='scsi'/><readonly/><address type='drive' "
                "controller='0' bus='0' target='%d' unit='0'/></disk>",
                image, name, i);
    }
    fclose(f);
    return text;
}

/* Both of one guest, turn by turn. */
static void one(xlcfg_ctx *ctx, virDomainPtr d, int count, double *over_r)
{
    static double bare[ROUNDS], ours[ROUNDS];
    const char *name = virDomainGetName(d);
    xlcfg_error err = XLCFG_ERROR_INIT;
    double a, b;

    for (int i = 0; i < ROUNDS; i++) {
        xlcfg_doc *doc = NULL;
        double from = now_us();
        char *xml = virDomainGetXMLDesc(d, 0);

        bare[i] = now_us() - from;
        free(xml);
        from = now_us();
        if (xlcfg_domain_get(ctx, name, NULL, &doc, &err))
            claim(false, "get: %s", err.message);
        ours[i] = now_us() - from;
        xlcfg_doc_free(doc);
    }
    a = median(bare);
    b = median(ours);
    *over_r = b - a;
    printf("%4d disks   bare XML %8.0f us   get %8.0f us   over it %6.0f "
           "us\n", count, a, b, b - a);
}

static void disks_of_one(struct host *h)
{
    static const int counts[] = { 1, 32, 128 };
    double over[3] = { 0 };
    char image[160];
    xlcfg_ctx *ctx = open_ctx(h->uri, h->state);

    if (!ctx || !host_image(h, "d.img", image))
        return;
    for (int i = 0; i < 3; i++) {
        char name[16], *extra = disks(image, counts[i]);
        virDomainPtr d;

        snprintf(name, sizeof(name), "disks-%d", counts[i]);
        d = host_guest(h, name, "pc", extra, true);
        free(extra);
        if (!d)
            continue;
        /* without an operating system it spins on one of our CPUs */
        claim(!virDomainSuspend(d), "... and is paused");
        one(ctx, d, counts[i], &over[i]);
        host_drop(d);
    }
    xlcfg_ctx_close(ctx);
    printf("bar: 1000 us over it at 1 disk: %s; at 128: %s; 128:32 is %.1f "
           "(linear: below 4)\n", over[0] < 1000 ? "held" : "NOT HELD",
           over[2] < 1000 ? "held" : "NOT HELD", over[2] / over[1]);
}

/* ---- many guests ---- */

static bool many_file(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f)
        return claim(false, "%s: %m", path);
    fputs("<node>", f);
    for (int i = 0; i < GUESTS; i++) {
        fprintf(f, "<domain type='test'><name>g%d</name><memory>65536"
                "</memory><os><type>hvm</type></os><devices>", i);
        for (int k = 0; k < 4; k++)
            fprintf(f, "<disk type='file' device='disk'><source "
                    "file='/d%d-%d'/><target dev='vd%c' bus='virtio'/>"
                    "</disk>", i, k, 'a' + k);
        fputs("</devices></domain>", f);
    }
    fputs("</node>", f);
    return !fclose(f);
}

static void bare_all(virConnectPtr conn)
{
    virDomainPtr *all;
    int count = virConnectListAllDomains(conn, &all, 0);

    for (int i = 0; i < count; i++) {
        free(virDomainGetXMLDesc(all[i], 0));
        virDomainFree(all[i]);
    }
    if (count >= 0)
        free(all);
}

static void many(struct host *h)
{
    static double bare[ROUNDS], ours[ROUNDS];
    xlcfg_error err = XLCFG_ERROR_INIT;
    char path[128], uri[160], state[128];
    virConnectPtr conn;
    xlcfg_ctx *ctx;
    double a, b;

    snprintf(path, sizeof(path), "%s/many.xml", h->root);
    snprintf(uri, sizeof(uri), "test://%s", path);
    snprintf(state, sizeof(state), "%s/many", h->root);
    if (!many_file(path))
        return;
    ctx = open_ctx(uri, state);
    conn = virConnectOpen(uri);
    if (!ctx || !claim(conn != NULL, "%s", uri))
        return;
    for (int i = 0; i < ROUNDS; i++) {
        xlcfg_doc *doc = NULL;
        double from = now_us();

        bare_all(conn);
        bare[i] = now_us() - from;
        from = now_us();
        if (xlcfg_domain_list(ctx, true, &doc, &err) ||
            xlcfg_doc_count(xlcfg_doc_get(doc, "domains")) != GUESTS)
            claim(false, "list: %s", err.message);
        ours[i] = now_us() - from;
        xlcfg_doc_free(doc);
    }
    a = median(bare);
    b = median(ours);
    printf("%4d guests  bare list and XML %8.0f us   list --long %8.0f us   "
           "%.1f times\n", GUESTS, a, b, b / a);
    printf("bar: 1.5 times: %s\n", b / a < 1.5 ? "held" : "NOT HELD");
    xlcfg_ctx_close(ctx);
    virConnectClose(conn);
}

int main(void)
{
    struct host host;

    if (!host_begin(&host))
        return claims();
    xlcfg_ctx_close(open_ctx(host.uri, host.state));
    host.conn = virConnectOpen(host.uri);
    if (claim(host.conn != NULL, "a second connection to it")) {
        disks_of_one(&host);
        many(&host);
    }
    host_end(&host);
    return claims();
}
