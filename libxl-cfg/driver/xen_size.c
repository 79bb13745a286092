/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The size of a disk whose image or device is on this host. */
#include "driver/xen_look.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an image says of itself; 0: the file is the disk. */
static uint64_t told_size(int fd)
{
    unsigned char head[64];
    uint64_t n;

    if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
        return 0;
    /* QCOW2: "QFI\xfb", the version, ... the size at byte 24. */
    if (!memcmp(head, "QFI\xfb", 4)) {
        memcpy(&n, head + 24, sizeof(n));
        return be64toh(n);
    }
    return 0;
}

/* A VHD ends in 512 bytes that begin so, the size at their byte 48. */
static uint64_t vhd_size(int fd, off_t end)
{
    unsigned char foot[512];
    uint64_t n;

    if (end < (off_t)sizeof(foot) ||
        pread(fd, foot, sizeof(foot), end - (off_t)sizeof(foot)) !=
            (ssize_t)sizeof(foot) ||
        memcmp(foot, "conectix", 8))
        return 0;
    memcpy(&n, foot + 48, sizeof(n));
    return be64toh(n);
}

static uint64_t size_of(int fd, const char *format)
{
    struct stat st;
    uint64_t n = 0;

    if (fstat(fd, &st))
        return 0;
    /* Only where the toolstack says so: a raw disk's first bytes are the
     * guest's to write. */
    if (format && !strncmp(format, "qcow", 4))
        return told_size(fd);
    if (format && !strcmp(format, "vhd"))
        return vhd_size(fd, st.st_size);
    if (S_ISREG(st.st_mode))
        return (uint64_t)st.st_size;
    if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &n))
        return 0;
    return n;
}

int xlcfg__xen_capacity(void *handle, const struct xlcfg_domain *dom,
                        const xlcfg_doc *disk, uint64_t *bytes_r,
                        xlcfg_error *err)
{
    const char *path = xlcfg__doc_getstr(disk, "pdev_path");
    const char *back = xlcfg__doc_getstr(disk, "backend_domname");
    uint64_t bytes;
    int fd;

    (void)handle; (void)dom;
    if (back || xlcfg__doc_to_int(xlcfg_doc_get(disk, "backend_domid"), 0) ||
        !path || *path != '/')
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, "/pdev_path",
                          "it is no path of this host");
    /* O_NONBLOCK: a drive without a medium, a fifo. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, path, "%s",
                          strerror(errno));
    bytes = size_of(fd, xlcfg__doc_getstr(disk, "format"));
    close(fd);
    if (!bytes)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, path,
                          "its size cannot be told");
    *bytes_r = bytes;
    return 0;
}
