/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The size of a disk, as libvirt finds it. */
#include "driver/virt_i.h"

int xlcfg__virt_capacity(void *handle, const struct xlcfg_domain *dom,
                         const xlcfg_doc *disk, uint64_t *bytes_r,
                         xlcfg_error *err)
{
    const char *target = xlcfg__doc_getstr(disk, "vdev");
    struct virt *v = handle;
    virDomainBlockInfo info;
    virDomainPtr d;
    int rc;

    if (!target)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, "/vdev",
                          "a disk without a target");
    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    rc = virDomainGetBlockInfo(d, target, &info, 0);
    if (rc)
        rc = xlcfg__virt_said_of(d, XLCFG_ERROR_NOTFOUND, err);
    else if (!info.capacity)
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, target,
                        "there is nothing in it");
    else
        *bytes_r = info.capacity;
    virDomainFree(d);
    return rc;
}
