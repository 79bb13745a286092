/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making an OVF package. */
#include "store/package.h"
#include "core/hash.h"
#include "store/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
#define BLOCK ((size_t)65536)           /* so much of zeros becomes a hole */

struct xlcfg__package {
    char *folder, *work;                /* where it goes, where it is made */
    char *manifest;                     /* its lines so far */
    char **names;
    size_t count;
    int dir;
};

static int cannot(const char *path, xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_STORE, path, "%s", strerror(errno));
}

/* rename() replaces an empty folder and nothing else: what would fail then is
 * said before anything is copied. */
static int check_folder(const char *folder, xlcfg_error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    bool empty = true;

    if (!dir && errno == ENOENT)
        return 0;
    if (!dir && errno == ENOTDIR)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, folder,
                          "expected a folder, or nothing of this name");
    if (!dir)
        return cannot(folder, err);
    while (empty && (entry = readdir(dir)))
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    closedir(dir);
    return empty ? 0 : xlcfg__err(err, XLCFG_ERROR_INVAL, folder,
                                  "expected a folder that is empty");
}

static int make_work(xlcfg__package *p, xlcfg_error *err)
{
    char *work;
    int rc = 0;

    if (asprintf(&work, "%s.part-XXXXXX", p->folder) < 0)
        return xlcfg__nomem(err);
    if (!mkdtemp(work)) {
        rc = cannot(p->folder, err);
        free(work);
        return rc;
    }
    p->work = work;
    p->dir = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return p->dir < 0 ? cannot(work, err) : 0;
}

int xlcfg__package_begin(const char *folder, xlcfg__package **p_r,
                         xlcfg_error *err)
{
    size_t len = strlen(folder);
    xlcfg__package *p;
    int rc;

    while (len > 1 && folder[len - 1] == '/')
        len--;
    if (!len || !strcmp(folder, "/"))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, folder,
                          "expected a folder to make");
    p = calloc(1, sizeof(*p));
    if (!p)
        return xlcfg__nomem(err);
    p->dir = -1;
    p->folder = strndup(folder, len);
    p->manifest = strdup("");
    rc = p->folder && p->manifest ? check_folder(p->folder, err)
        : xlcfg__nomem(err);
    if (!rc)
        rc = make_work(p, err);
    if (rc) {
        xlcfg__package_drop(p);
        return rc;
    }
    *p_r = p;
    return 0;
}

void xlcfg__package_drop(xlcfg__package *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        if (p->dir >= 0)
            unlinkat(p->dir, p->names[i], 0);
        free(p->names[i]);
    }
    if (p->dir >= 0)
        close(p->dir);
    if (p->work)
        rmdir(p->work);
    free(p->names);
    free(p->folder);
    free(p->work);
    free(p->manifest);
    free(p);
}

/* A new file in it, which is removed with it. */
static int make_file(xlcfg__package *p, const char *name, int *fd_r,
                     xlcfg_error *err)
{
    char **more = realloc(p->names, (p->count + 1) * sizeof(*more));
    int fd;

    if (!more)
        return xlcfg__nomem(err);
    p->names = more;
    p->names[p->count] = strdup(name);
    if (!p->names[p->count])
        return xlcfg__nomem(err);
    fd = openat(p->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
                O_NOFOLLOW, 0600);
    if (fd < 0) {
        int rc = cannot(name, err);

        free(p->names[p->count]);
        return rc;
    }
    p->count++;
    *fd_r = fd;
    return 0;
}

static int note_digest(xlcfg__package *p, const char *name,
                       xlcfg__digest *digest, xlcfg_error *err)
{
    char hex[XLCFG__DIGEST_HEX], *more;

    xlcfg__digest_end(digest, hex);
    if (asprintf(&more, "%sSHA256(%s)= %s\n", p->manifest, name, hex) < 0)
        return xlcfg__nomem(err);
    free(p->manifest);
    p->manifest = more;
    return 0;
}

static int put(int fd, const char *data, size_t len, off_t at)
{
    while (len) {
        ssize_t n = pwrite(fd, data, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static bool is_zero(const char *data, size_t len)
{
    return !*data && !memcmp(data, data + 1, len - 1);
}

/* What is zero is not written: the file has a hole there. */
static int put_sparse(int fd, const char *data, size_t len, off_t at)
{
    for (size_t i = 0; i < len; i += BLOCK) {
        size_t n = len - i < BLOCK ? len - i : BLOCK;

        if (!is_zero(data + i, n) && put(fd, data + i, n, at + (off_t)i))
            return -1;
    }
    return 0;
}

struct copy {
    const char *name, *path;            /* path: of what is copied */
    int from, to;
    uint64_t all;
    xlcfg__digest *digest;
    const struct xlcfg__progress *how;
};

static int copy_pieces(const struct copy *c, char *piece, uint64_t *size_r,
                       xlcfg_error *err)
{
    off_t at = 0;

    for (;;) {
        ssize_t n = pread(c->from, piece, PIECE, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot(c->path, err);
        if (!n)
            break;
        if (put_sparse(c->to, piece, (size_t)n, at))
            return cannot(c->name, err);
        xlcfg__digest_add(c->digest, piece, (size_t)n);
        at += n;
        if (c->how && c->how->step &&
            c->how->step(c->how->arg, c->path, (uint64_t)at, c->all))
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, c->path,
                              "told to stop: nothing is left of the copy");
    }
    /* A hole at the end; and all of it on the disk. */
    if (ftruncate(c->to, at) || fsync(c->to))
        return cannot(c->name, err);
    *size_r = (uint64_t)at;
    return 0;
}

static bool same_time(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size &&
        a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
        a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int copy_open(xlcfg__package *p, struct copy *c,
                     const struct stat *before, uint64_t *size_r,
                     xlcfg_error *err)
{
    char *piece = malloc(PIECE);
    struct stat after;
    int rc;

    c->digest = xlcfg__digest_new("SHA256");
    rc = piece && c->digest ? copy_pieces(c, piece, size_r, err)
        : xlcfg__nomem(err);
    if (!rc && fstat(c->from, &after))
        rc = cannot(c->path, err);
    if (!rc && S_ISREG(after.st_mode) && !same_time(before, &after))
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, c->path,
                        "it was written to while it was copied");
    if (!rc)
        rc = note_digest(p, c->name, c->digest, err);
    xlcfg__digest_free(c->digest);
    free(piece);
    return rc;
}

int xlcfg__package_disk(xlcfg__package *p, const char *name,
                        const char *from, const char *format,
                        const struct xlcfg__progress *how, uint64_t *size_r,
                        xlcfg_error *err)
{
    struct copy c = { .name = name, .path = from, .how = how, .to = -1 };
    struct stat sb;
    int rc;

    rc = xlcfg__image_open(from, format, &c.from, &c.all, &sb, err);
    if (rc)
        return rc;
    rc = make_file(p, name, &c.to, err);
    if (!rc)
        rc = copy_open(p, &c, &sb, size_r, err);
    close(c.from);
    if (c.to >= 0 && close(c.to) && !rc)
        rc = cannot(name, err);
    return rc;
}

static int put_text(xlcfg__package *p, const char *name, const char *text,
                    size_t len, xlcfg_error *err)
{
    int fd, rc;

    rc = make_file(p, name, &fd, err);
    if (rc)
        return rc;
    if (put(fd, text, len, 0) || fsync(fd))
        rc = cannot(name, err);
    if (close(fd) && !rc)
        rc = cannot(name, err);
    return rc;
}

int xlcfg__package_text(xlcfg__package *p, const char *name,
                        const char *text, size_t len, xlcfg_error *err)
{
    xlcfg__digest *digest = xlcfg__digest_new("SHA256");
    int rc = digest ? put_text(p, name, text, len, err) : xlcfg__nomem(err);

    if (!rc) {
        xlcfg__digest_add(digest, text, len);
        rc = note_digest(p, name, digest, err);
    }
    xlcfg__digest_free(digest);
    return rc;
}

/* The folder that it is in, so that its name is kept. */
static int sync_above(const char *folder, xlcfg_error *err)
{
    char *above = NULL;
    int fd, rc = 0;

    if (asprintf(&above, "%s/..", folder) < 0)
        return xlcfg__nomem(err);
    fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        rc = cannot(above, err);
    if (fd >= 0)
        close(fd);
    free(above);
    return rc;
}

int xlcfg__package_end(xlcfg__package *p, const char *manifest,
                       xlcfg_error *err)
{
    int rc = put_text(p, manifest, p->manifest, strlen(p->manifest), err);

    if (!rc && fsync(p->dir))
        rc = cannot(p->work, err);
    if (!rc && rename(p->work, p->folder))
        rc = errno == ENOTEMPTY || errno == EEXIST
            ? xlcfg__err(err, XLCFG_ERROR_INVAL, p->folder,
                         "somebody put something there meanwhile")
            : cannot(p->folder, err);
    if (!rc) {
        /* It is there: nothing of it is to be removed any more. */
        for (size_t i = 0; i < p->count; i++)
            free(p->names[i]);
        p->count = 0;
        free(p->work);
        p->work = NULL;
        rc = sync_above(p->folder, err);
    }
    xlcfg__package_drop(p);
    return rc;
}
