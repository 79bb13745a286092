/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk's image: is the file all of it?  By what the formats' own documents
 * say of their headers. */
#include "store/image.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool read_at(int fd, off_t at, void *to, size_t len)
{
    return at >= 0 && pread(fd, to, len, at) == (ssize_t)len;
}

static uint64_t be64(const unsigned char *p)
{
    uint64_t n;

    memcpy(&n, p, sizeof(n));
    return be64toh(n);
}

enum parts { WHOLE, NEEDS_OTHER, NOT_THAT };

/* QCOW and QCOW2: the offset of the backing file's name at byte 8; with
 * version 3 the bit of an external data file at byte 72. */
static enum parts qcow(int fd, off_t end)
{
    unsigned char head[80] = { 0 };

    (void)end;
    if (!read_at(fd, 0, head, 72) || memcmp(head, "QFI\xfb", 4))
        return NOT_THAT;
    if (be64(head + 8))
        return NEEDS_OTHER;
    if (head[7] >= 3 && (!read_at(fd, 72, head + 72, 8) ||
                         be64(head + 72) & 4))
        return NEEDS_OTHER;
    return WHOLE;
}

/* QED: the features' first bit, at byte 16, is a backing file. */
static enum parts qed(int fd, off_t end)
{
    unsigned char head[24];

    (void)end;
    if (!read_at(fd, 0, head, sizeof(head)) || memcmp(head, "QED\0", 4))
        return NOT_THAT;
    return head[16] & 1 ? NEEDS_OTHER : WHOLE;
}

/* VHD: a footer of 512 bytes, whose type at byte 60 is 4 for one of
 * differences. */
static enum parts vhd(int fd, off_t end)
{
    unsigned char foot[512];

    if (!read_at(fd, end - (off_t)sizeof(foot), foot, sizeof(foot)) ||
        memcmp(foot, "conectix", 8))
        return NOT_THAT;
    return foot[63] == 4 ? NEEDS_OTHER : WHOLE;
}

static enum parts raw(int fd, off_t end)
{
    (void)fd; (void)end;
    return WHOLE;
}

static const struct {
    const char *format;
    enum parts (*look)(int fd, off_t end);
} formats[] = {
    { "raw", raw }, { "qcow", qcow }, { "qcow2", qcow }, { "qed", qed },
    { "vhd", vhd }, { "vpc", vhd },
};

static int check_parts(int fd, const char *path, const char *format,
                       uint64_t bytes, xlcfg_error *err)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        enum parts found;

        if (strcmp(formats[i].format, format))
            continue;
        found = formats[i].look(fd, (off_t)bytes);
        if (found == NEEDS_OTHER)
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, path,
                              "this %s image needs another file: a copy of "
                              "it alone is no disk", format);
        if (found == NOT_THAT)
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, path,
                              "it is no %s image", format);
        return 0;
    }
    return xlcfg__err(err, XLCFG_ERROR_REFUSED, path, "whether a %.40s image "
                      "is whole by itself cannot be told here", format);
}

static int measure(int fd, const char *path, struct stat *sb,
                   uint64_t *bytes_r, xlcfg_error *err)
{
    if (fstat(fd, sb))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, path, "%s",
                          strerror(errno));
    if (S_ISREG(sb->st_mode)) {
        *bytes_r = (uint64_t)sb->st_size;
        return 0;
    }
    if (!S_ISBLK(sb->st_mode))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, path,
                          "expected a file or a block device");
    if (ioctl(fd, BLKGETSIZE64, bytes_r))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, path, "%s",
                          strerror(errno));
    return 0;
}

int xlcfg__image_open(const char *path, const char *format, int *fd_r,
                      uint64_t *bytes_r, struct stat *sb_r, xlcfg_error *err)
{
    /* O_NONBLOCK: a fifo, a drive without a medium. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int rc;

    if (fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, path, "%s",
                          strerror(errno));
    rc = measure(fd, path, sb_r, bytes_r, err);
    if (!rc)
        rc = check_parts(fd, path, format ? format : "raw", *bytes_r, err);
    if (rc) {
        close(fd);
        return rc;
    }
    *fd_r = fd;
    return 0;
}
