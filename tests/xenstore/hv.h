/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What hv.so's three files share: the world as the text file tells it. */
#ifndef XLCFG_TEST_HV_H
#define XLCFG_TEST_HV_H

#define _GNU_SOURCE
#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include <stdbool.h>
#include <stdint.h>

#include <xenctrl.h>

#define PAGE_KB 4

struct domain {
    uint32_t domid;
    xen_domain_handle_t handle;
    bool is_hvm;                /* hvm and pvh: Xen itself knows one flag */
    uint32_t flags;
    unsigned vcpus, online;
    uint64_t memkb, maxmemkb;
    unsigned weight, cap, cpupool;
    uint64_t hard, soft;        /* affinity, one bit a cpu */
    uint64_t ran;               /* ns on a cpu */
};

struct host {
    unsigned sched, cpus;
    uint64_t memkb;
};

struct world {
    struct host host;
    struct domain *domains;     /* sorted by domid, as Xen lists them */
    unsigned count;
};

/* 0, or -1 with errno; what was read is freed with hv__world_dispose. */
int hv__world_read(struct world *world);
void hv__world_dispose(struct world *world);
/* ESRCH when there is no such domain. */
int hv__domain_read(uint32_t domid, struct domain *dom_r);
/* Set one word of one domain's line: the file is the only state there is.
 * name NULL: the domain is gone. */
int hv__domain_write(uint32_t domid, const char *name, uint64_t value);

#endif
