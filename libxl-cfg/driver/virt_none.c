/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The libvirt driver of a build without libvirt: says so. */
#include "driver/driver.h"

#include <string.h>

static int none_open(const char *uri, const struct xlcfg_driver_options *opt,
                     void **handle_r, xlcfg_error *err)
{
    (void)opt;
    (void)handle_r;
    if (strncmp(uri, "qemu", 4))
        return XLCFG_DECLINED;
    return xlcfg__err(err, XLCFG_ERROR_NI, uri,
                      "this libxl-cfg was built without libvirt");
}

const struct xlcfg_driver xlcfg__driver_virt = {
    .size = sizeof(struct xlcfg_driver),
    .name = "libvirt",
    .scheme = "qemu",
    .open = none_open,
};
