/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hv.so's libxenctrl: domains, host, scheduler and cpus, as libxl and the
 * xenstored's ask for them.
 */
#include "hv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- libxenctrl: opening, domains -------------------------------------- */

static char handle_of_all;      /* the address serves as every handle */

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger, (void)dombuild_logger, (void)open_flags;
    return (xc_interface *)&handle_of_all;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
                          unsigned int max_domains, xc_domaininfo_t *info)
{
    struct world world;
    unsigned i, n = 0;

    (void)xch;
    if (hv__world_read(&world) < 0)
        return -1;
    for (i = 0; i < world.count && n < max_domains; i++) {
        const struct domain *dom = &world.domains[i];

        if (dom->domid < first_domain)
            continue;
        memset(&info[n], 0, sizeof(info[n]));
        info[n].domain = dom->domid;
        info[n].flags = dom->flags |
            (dom->is_hvm ? XEN_DOMINF_hvm_guest | XEN_DOMINF_hap : 0);
        info[n].tot_pages = dom->memkb / PAGE_KB;
        info[n].max_pages = dom->maxmemkb / PAGE_KB;
        info[n].nr_online_vcpus = dom->online;
        info[n].max_vcpu_id = dom->vcpus - 1;
        info[n].cpupool = dom->cpupool;
        info[n].cpu_time = dom->ran;
        memcpy(info[n].handle, dom->handle, sizeof(info[n].handle));
        n++;
    }
    hv__world_dispose(&world);
    return n;
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first_domid,
                      unsigned int max_doms, xc_dominfo_t *info)
{
    xc_domaininfo_t *list;
    unsigned i, n;
    int r;

    list = calloc(max_doms ? max_doms : 1, sizeof(*list));
    if (!list)
        return -1;
    r = xc_domain_getinfolist(xch, first_domid, max_doms, list);
    n = r < 0 ? 0 : r;
    for (i = 0; i < n; i++) {
        uint32_t flags = list[i].flags;

        memset(&info[i], 0, sizeof(info[i]));
        info[i].domid = list[i].domain;
        info[i].dying = !!(flags & XEN_DOMINF_dying);
        info[i].shutdown = !!(flags & XEN_DOMINF_shutdown);
        info[i].paused = !!(flags & XEN_DOMINF_paused);
        info[i].blocked = !!(flags & XEN_DOMINF_blocked);
        info[i].running = !!(flags & XEN_DOMINF_running);
        info[i].hvm = !!(flags & XEN_DOMINF_hvm_guest);
        info[i].hap = !!(flags & XEN_DOMINF_hap);
        info[i].shutdown_reason = (flags >> XEN_DOMINF_shutdownshift) &
                                  XEN_DOMINF_shutdownmask;
        info[i].crashed = info[i].shutdown &&
                          info[i].shutdown_reason == SHUTDOWN_crash;
        info[i].nr_pages = list[i].tot_pages;
        info[i].max_memkb = list[i].max_pages * PAGE_KB;
        info[i].nr_online_vcpus = list[i].nr_online_vcpus;
        info[i].max_vcpu_id = list[i].max_vcpu_id;
        info[i].cpupool = list[i].cpupool;
        memcpy(info[i].handle, list[i].handle, sizeof(info[i].handle));
    }
    free(list);
    return r;
}

const char *xc_domain_get_native_protocol(xc_interface *xch, uint32_t domid)
{
    (void)xch, (void)domid;
    return "x86_64-abi";
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid,
                        uint64_t max_memkb)
{
    (void)xch;
    return hv__domain_write(domid, "maxmemkb", max_memkb);
}

int xc_domain_set_pod_target(xc_interface *xch, uint32_t domid,
                             uint64_t target_pages, uint64_t *tot_pages,
                             uint64_t *pod_cache_pages, uint64_t *pod_entries)
{
    struct domain dom;

    (void)xch, (void)target_pages;
    if (hv__domain_read(domid, &dom) < 0)
        return -1;
    if (tot_pages)
        *tot_pages = dom.memkb / PAGE_KB;
    if (pod_cache_pages)
        *pod_cache_pages = 0;
    if (pod_entries)
        *pod_entries = 0;
    return 0;
}

int xc_domain_pause(xc_interface *xch, uint32_t domid)
{
    struct domain dom;

    (void)xch;
    return hv__domain_read(domid, &dom);
}

int xc_domain_destroy(xc_interface *xch, uint32_t domid)
{
    (void)xch;
    return hv__domain_write(domid, NULL, 0);
}

/* ---- libxenctrl: host, scheduler, cpus --------------------------------- */

int xc_get_max_cpus(xc_interface *xch)
{
    struct world world;

    (void)xch;
    if (hv__world_read(&world) < 0)
        return -1;
    hv__world_dispose(&world);
    return world.host.cpus;
}

int xc_get_online_cpus(xc_interface *xch)
{
    return xc_get_max_cpus(xch);
}

int xc_get_cpumap_size(xc_interface *xch)
{
    int cpus = xc_get_max_cpus(xch);

    return cpus < 0 ? -1 : (cpus + 7) / 8;
}

int xc_get_max_nodes(xc_interface *xch)
{
    (void)xch;
    return 1;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    struct world world;

    (void)xch;
    if (hv__world_read(&world) < 0)
        return -1;
    memset(info, 0, sizeof(*info));
    info->threads_per_core = info->cores_per_socket = 1;
    info->nr_cpus = world.host.cpus;
    info->max_cpu_id = world.host.cpus - 1;
    info->nr_nodes = 1;
    info->total_pages = world.host.memkb / PAGE_KB;
    info->free_pages = world.host.memkb / PAGE_KB / 2;
    hv__world_dispose(&world);
    return 0;
}

int xc_sched_id(xc_interface *xch, int *sched_id)
{
    struct world world;

    (void)xch;
    if (hv__world_read(&world) < 0)
        return -1;
    hv__world_dispose(&world);
    *sched_id = world.host.sched;
    return 0;
}

/* As Xen: a question put to another scheduler than the one in use fails. */
static int sched_domain(uint32_t domid, unsigned sched, struct domain *dom_r)
{
    int id;

    if (xc_sched_id(NULL, &id) < 0)
        return -1;
    if ((unsigned)id != sched) {
        errno = EINVAL;
        return -1;
    }
    return hv__domain_read(domid, dom_r);
}

int xc_sched_credit_domain_get(xc_interface *xch, uint32_t domid,
                               struct xen_domctl_sched_credit *sdom)
{
    struct domain dom;

    (void)xch;
    if (sched_domain(domid, XEN_SCHEDULER_CREDIT, &dom) < 0)
        return -1;
    sdom->weight = dom.weight;
    sdom->cap = dom.cap;
    return 0;
}

int xc_sched_credit2_domain_get(xc_interface *xch, uint32_t domid,
                                struct xen_domctl_sched_credit2 *sdom)
{
    struct domain dom;

    (void)xch;
    if (sched_domain(domid, XEN_SCHEDULER_CREDIT2, &dom) < 0)
        return -1;
    sdom->weight = dom.weight;
    sdom->cap = dom.cap;
    return 0;
}

int xc_sched_rtds_domain_get(xc_interface *xch, uint32_t domid,
                             struct xen_domctl_sched_rtds *sdom)
{
    struct domain dom;

    (void)xch;
    if (sched_domain(domid, XEN_SCHEDULER_RTDS, &dom) < 0)
        return -1;
    memset(sdom, 0, sizeof(*sdom));
    sdom->period = 10000;
    sdom->budget = 4000;
    return 0;
}

xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
    xc_cpupoolinfo_t *info;
    struct world world;
    unsigned i;

    (void)xch;
    if (hv__world_read(&world) < 0)
        return NULL;
    info = NULL;
    errno = ENOENT;
    if (poolid == 0)            /* the question means "the next from here" */
        info = calloc(1, sizeof(*info));
    if (info) {
        info->cpumap = calloc(1, 8);
        info->sched_id = world.host.sched;
        info->n_dom = world.count;
        for (i = 0; info->cpumap && i < world.host.cpus; i++)
            info->cpumap[i / 8] |= 1 << (i % 8);
    }
    hv__world_dispose(&world);
    return info;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *info)
{
    (void)xch;
    if (info)
        free(info->cpumap);
    free(info);
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    struct domain dom;

    (void)xch;
    if (hv__domain_read(domid, &dom) < 0)
        return -1;
    if (vcpu >= dom.vcpus) {
        errno = ESRCH;
        return -1;
    }
    memset(info, 0, sizeof(*info));
    info->vcpu = vcpu;
    info->online = vcpu < dom.online;
    info->blocked = !!(dom.flags & XEN_DOMINF_blocked);
    info->running = !!(dom.flags & XEN_DOMINF_running);
    return 0;
}

static void fill_cpumap(xc_cpumap_t map, uint64_t bits, unsigned cpus)
{
    unsigned i;

    if (!map)
        return;
    memset(map, 0, (cpus + 7) / 8);
    for (i = 0; i < cpus; i++)
        if (bits >> i & 1)
            map[i / 8] |= 1 << (i % 8);
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t cpumap_hard, xc_cpumap_t cpumap_soft,
                        uint32_t flags)
{
    int cpus = xc_get_max_cpus(xch);
    struct domain dom;

    if (cpus < 0 || hv__domain_read(domid, &dom) < 0)
        return -1;
    if (vcpu < 0 || (unsigned)vcpu >= dom.vcpus) {
        errno = ESRCH;
        return -1;
    }
    if (flags & XEN_VCPUAFFINITY_HARD)
        fill_cpumap(cpumap_hard, dom.hard, cpus);
    if (flags & XEN_VCPUAFFINITY_SOFT)
        fill_cpumap(cpumap_soft, dom.soft, cpus);
    return 0;
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodemap)
{
    struct domain dom;

    (void)xch;
    if (hv__domain_read(domid, &dom) < 0)
        return -1;
    nodemap[0] = 1;
    return 0;
}

/* A hypervisor built without the Flask security module says just this. */
int xc_flask_sid_to_context(xc_interface *xch, int sid, char *buf,
                            uint32_t size)
{
    (void)xch, (void)sid, (void)buf, (void)size;
    errno = ENOSYS;
    return -1;
}

long xc_sharing_freed_pages(xc_interface *xch)
{
    (void)xch;
    errno = ENOSYS;
    return -1;
}

long xc_sharing_used_frames(xc_interface *xch)
{
    return xc_sharing_freed_pages(xch);
}

/* Debian's oxenstored and xl ask these two for memory and versions. */
void *xc_map_foreign_range(xc_interface *xch, uint32_t domid, int size,
                           int prot, unsigned long mfn)
{
    void *page;

    (void)xch, (void)domid, (void)prot, (void)mfn;
    page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    (void)xch;
    switch (cmd) {
    case XENVER_version:
        return 4 << 16 | 17;
    case XENVER_extraversion:
        memset(arg, 0, sizeof(xen_extraversion_t));
        strcpy(arg, ".test");
        return 0;
    case XENVER_compile_info:
        memset(arg, 0, sizeof(xen_compile_info_t));
        return 0;
    case XENVER_capabilities:
        memset(arg, 0, sizeof(xen_capabilities_info_t));
        strcpy(arg, "xen-3.0-x86_64 hvm-3.0-x86_64 ");
        return 0;
    case XENVER_changeset:
        memset(arg, 0, sizeof(xen_changeset_info_t));
        return 0;
    case XENVER_commandline:
        memset(arg, 0, sizeof(xen_commandline_t));
        strcpy(arg, "dom0_mem=1024M");
        return 0;
    case XENVER_pagesize:
        return 4096;
    default:
        errno = ENOSYS;
        return -1;
    }
}
