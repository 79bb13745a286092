/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hv.so's PCI passthrough: which device is whose, a file for each in the
 * folder of the bench; without an IOMMU while `no-iommu` is in there.
 */
#include "hv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *in_folder(char *path, size_t size, const char *name,
                             unsigned number)
{
    const char *folder = getenv("XLCFG_XS_DIR");

    snprintf(path, size, "%s/%s", folder ? folder : "/nonexistent", name);
    if (number)
        snprintf(path, size, "%s/%s-%06x", folder ? folder : "/nonexistent",
                 name, number);
    return path;
}

static bool has_iommu(void)
{
    char path[512];

    return access(in_folder(path, sizeof(path), "no-iommu", 0), F_OK) != 0;
}

int xc_test_assign_device(xc_interface *xch, uint32_t domid,
                          uint32_t machine_sbdf)
{
    char path[512];

    (void)xch, (void)domid;
    if (!has_iommu()) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (access(in_folder(path, sizeof(path), "assigned", machine_sbdf),
               F_OK) == 0) {
        errno = EBUSY;
        return -1;
    }
    return 0;
}

int xc_assign_device(xc_interface *xch, uint32_t domid,
                     uint32_t machine_sbdf, uint32_t flag)
{
    char path[512];
    int fd;

    (void)flag;
    if (xc_test_assign_device(xch, domid, machine_sbdf) < 0)
        return -1;
    fd = open(in_folder(path, sizeof(path), "assigned", machine_sbdf),
              O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    dprintf(fd, "%u\n", domid);
    close(fd);
    return 0;
}

int xc_deassign_device(xc_interface *xch, uint32_t domid,
                       uint32_t machine_sbdf)
{
    char path[512];

    (void)xch, (void)domid;
    return unlink(in_folder(path, sizeof(path), "assigned", machine_sbdf));
}

int xc_domain_ioport_permission(xc_interface *xch, uint32_t domid,
                                uint32_t first_port, uint32_t nr_ports,
                                uint32_t allow_access)
{
    (void)xch, (void)domid, (void)first_port, (void)nr_ports;
    (void)allow_access;
    return 0;
}

int xc_domain_iomem_permission(xc_interface *xch, uint32_t domid,
                               unsigned long first_mfn,
                               unsigned long nr_mfns, uint8_t allow_access)
{
    (void)xch, (void)domid, (void)first_mfn, (void)nr_mfns;
    (void)allow_access;
    return 0;
}

int xc_domain_irq_permission(xc_interface *xch, uint32_t domid,
                             uint32_t pirq, bool allow_access)
{
    (void)xch, (void)domid, (void)pirq, (void)allow_access;
    return 0;
}

int xc_physdev_map_pirq(xc_interface *xch, uint32_t domid, int index,
                        int *pirq)
{
    (void)xch, (void)domid;
    *pirq = index;
    return 0;
}

int xc_physdev_unmap_pirq(xc_interface *xch, uint32_t domid, int pirq)
{
    (void)xch, (void)domid, (void)pirq;
    return 0;
}
