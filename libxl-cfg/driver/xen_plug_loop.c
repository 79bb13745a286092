/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A loop device is only ever freed when a backend that is gone had noted it,
 * it still stands for the same file, and no other backend names it.
 */
#include "driver/xen_plug_loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool read_backing(int number, char *text, size_t size)
{
    char path[64];
    FILE *file;
    bool ok;

    snprintf(path, sizeof(path), "/sys/block/loop%d/loop/backing_file",
             number);
    file = fopen(path, "re");
    if (!file)
        return false;
    ok = fgets(text, (int)size, file);
    fclose(file);
    if (ok)
        text[strcspn(text, "\n")] = '\0';
    return ok && *text;
}

/* The number in "/dev/loop7"; -1: it is no such name. */
static int loop_number(const char *node)
{
    uint64_t n;

    if (strncmp(node, "/dev/loop", 9) ||
        !xlcfg__xs_number(node + 9, 1 << 20, &n))
        return -1;
    return (int)n;
}

void xlcfg__xen_loop_of(struct xlcfg__xs *xs,
                        const struct xlcfg__xen_nodes *nodes,
                        struct xlcfg__xen_loop *loop)
{
    struct xlcfg__xs_value node;

    *loop = (struct xlcfg__xen_loop){ .number = -1 };
    /* a driver domain's loop devices are not ours to see */
    if (nodes->kind != XLCFG_KIND_DISK ||
        strncmp(nodes->back, "/local/domain/0/backend/vbd/", 28))
        return;
    xlcfg__xs_read(xs, &node, "%s/node", nodes->back);
    loop->number = loop_number(xlcfg__xs_text(&node));
    xlcfg__xs_value_dispose(&node, 1);
    if (loop->number >= 0 &&
        !read_backing(loop->number, loop->backing, sizeof(loop->backing)))
        loop->number = -1;
}

static bool names_it(struct xlcfg__xs *xs, int number, const char *domid)
{
    struct xlcfg__xs_names ids;
    bool named = false;

    if (xlcfg__xs_list(xs, &ids, "/local/domain/0/backend/vbd/%s", domid))
        return false;
    for (unsigned i = 0; i < ids.count && !named; i++) {
        struct xlcfg__xs_value v[2];

        xlcfg__xs_read(xs, &v[0], "/local/domain/0/backend/vbd/%s/%s/node",
                       domid, ids.v[i]);
        xlcfg__xs_read(xs, &v[1],
                       "/local/domain/0/backend/vbd/%s/%s/params", domid,
                       ids.v[i]);
        for (int k = 0; k < 2; k++)
            named = named || loop_number(xlcfg__xs_text(&v[k])) == number;
        xlcfg__xs_value_dispose(v, 2);
    }
    xlcfg__xs_names_dispose(&ids);
    return named;
}

bool xlcfg__xen_loop_leaked(struct xlcfg__xs *xs,
                            const struct xlcfg__xen_loop *loop)
{
    char now[sizeof(loop->backing)];
    struct xlcfg__xs_names domids;
    bool named = false;
    int r;

    if (loop->number < 0 ||
        !read_backing(loop->number, now, sizeof(now)) ||
        strcmp(now, loop->backing))
        return false;
    r = xlcfg__xs_list(xs, &domids, "/local/domain/0/backend/vbd");
    if (r)
        return r == ENOENT;
    for (unsigned i = 0; i < domids.count && !named; i++)
        named = names_it(xs, loop->number, domids.v[i]);
    xlcfg__xs_names_dispose(&domids);
    return !named;
}

int xlcfg__xen_loop_free(const struct xlcfg__xen_loop *loop,
                         xlcfg_error *err)
{
    char path[32];
    int fd, why;

    snprintf(path, sizeof(path), "/dev/loop%d", loop->number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, path, "%s",
                          strerror(errno));
    why = ioctl(fd, LOOP_CLR_FD) ? errno : 0;
    close(fd);
    return why && why != ENXIO
        ? xlcfg__err(err, XLCFG_ERROR_FAIL, path, "cannot be freed: %s",
                     strerror(why)) : 0;
}
