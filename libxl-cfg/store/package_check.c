/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is an OVF package as it was made? */
#include "core/hash.h"
#include "core/ovf.h"
#include "store/package.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
#define MANIFEST_MOST ((size_t)1 << 20)

static int cannot(const char *path, xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_STORE, path, "%s", strerror(errno));
}

/* The folder of the envelope, in full, with a / behind it; NULL: errno. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1)
        : strdup("./");
    char *full = folder ? realpath(folder, NULL) : NULL;
    char *with = NULL;

    if (full && asprintf(&with, "%s%s", full, full[1] ? "/" : "") < 0)
        with = NULL;
    free(folder);
    free(full);
    return with;
}

/* 1: there is no such file. */
static int check_inside(const char *folder, const char *path,
                        xlcfg_error *err)
{
    char *full = realpath(path, NULL);
    int rc = 0;

    if (!full)
        return errno == ENOENT || errno == ENOTDIR ? 1 : cannot(path, err);
    if (strncmp(full, folder, strlen(folder)))
        rc = xlcfg__err(err, XLCFG_ERROR_INVAL, path, "leads out of the "
                        "folder, to %.200s: expected a file in it", full);
    free(full);
    return rc;
}

static int open_regular(const char *path, int *fd_r, uint64_t *size_r,
                        xlcfg_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat sb;

    if (fd < 0)
        return errno == ENOENT ? 1 : cannot(path, err);
    if (fstat(fd, &sb) || !S_ISREG(sb.st_mode)) {
        close(fd);
        return xlcfg__err(err, XLCFG_ERROR_INVAL, path,
                          "expected a regular file");
    }
    *fd_r = fd;
    *size_r = (uint64_t)sb.st_size;
    return 0;
}

/* 1: there is none. */
static int read_manifest(const char *path, xlcfg_doc **files_r,
                         xlcfg_error *err)
{
    uint64_t size;
    char *text;
    ssize_t n;
    int fd, rc;

    rc = open_regular(path, &fd, &size, err);
    if (rc)
        return rc;
    text = malloc(MANIFEST_MOST + 1);
    n = text ? pread(fd, text, MANIFEST_MOST + 1, 0) : 0;
    if (!text)
        rc = xlcfg__nomem(err);
    else if (n < 0)
        rc = cannot(path, err);
    else if ((size_t)n > MANIFEST_MOST)
        rc = xlcfg__err(err, XLCFG_ERROR_PARSE, path,
                        "expected 1 MiB at most");
    else
        rc = xlcfg__manifest_read(text, (size_t)n, files_r, err);
    if (rc == XLCFG_ERROR_PARSE || rc == XLCFG_ERROR_NI)
        xlcfg__err_in(err, path);
    free(text);
    close(fd);
    return rc;
}

static int digest_file(const char *path, xlcfg__digest *digest,
                       const struct xlcfg__progress *how, xlcfg_error *err)
{
    char *piece = malloc(PIECE);
    uint64_t all, at = 0;
    ssize_t n = 0;
    int fd, rc;

    rc = piece ? open_regular(path, &fd, &all, err) : xlcfg__nomem(err);
    if (rc) {
        free(piece);
        return rc;
    }
    while (!rc && (n = read(fd, piece, PIECE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rc = cannot(path, err);
            break;
        }
        xlcfg__digest_add(digest, piece, (size_t)n);
        at += (uint64_t)n;
        if (how && how->step && how->step(how->arg, path, at, all))
            rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, path,
                            "told to stop: nothing was done");
    }
    close(fd);
    free(piece);
    return rc;
}

struct check {
    const char *folder, *envelope, *text;   /* envelope: its name there */
    size_t len;
    const struct xlcfg__progress *how;
};

static int digest_of(const struct check *c, const char *name, const char *path,
                     xlcfg__digest *digest, xlcfg_error *err)
{
    int rc;

    /* What was read is what is used. */
    if (!strcmp(name, c->envelope)) {
        xlcfg__digest_add(digest, c->text, c->len);
        return 0;
    }
    rc = check_inside(c->folder, path, err);
    if (!rc)
        rc = digest_file(path, digest, c->how, err);
    return rc == 1 ? xlcfg__err(err, XLCFG_ERROR_INVAL, path, "the manifest "
                                "has it, and it is not there") : rc;
}

static int check_line(const struct check *c, const xlcfg_doc *line,
                      xlcfg_error *err)
{
    const char *algorithm = xlcfg__doc_getstr(line, "algorithm");
    const char *want = xlcfg__doc_getstr(line, "digest");
    const char *name = xlcfg__doc_getstr(line, "name");
    xlcfg__digest *digest = xlcfg__digest_new(algorithm);
    char hex[XLCFG__DIGEST_HEX], *path = NULL;
    int rc;

    if (!digest || asprintf(&path, "%s%s", c->folder, name) < 0) {
        xlcfg__digest_free(digest);
        return xlcfg__nomem(err);
    }
    rc = digest_of(c, name, path, digest, err);
    if (!rc) {
        xlcfg__digest_end(digest, hex);
        if (strcmp(hex, want))
            rc = xlcfg__err(err, XLCFG_ERROR_INVAL, path, "its %s is %s, and "
                            "%s in the manifest: it is not what was "
                            "exported", algorithm, hex, want);
    }
    xlcfg__digest_free(digest);
    free(path);
    return rc;
}

static bool is_listed(const xlcfg_doc *files, const char *folder,
                      const char *path)
{
    size_t len = strlen(folder);

    for (size_t i = 0; i < xlcfg_doc_count(files); i++)
        if (!strncmp(path, folder, len) &&
            !strcmp(path + len, xlcfg__doc_getstr(xlcfg_doc_at(files, i),
                                                  "name")))
            return true;
    return false;
}

static int check_disks(const struct check *c, const xlcfg_doc *disks,
                       const xlcfg_doc *files, xlcfg__items *notes,
                       xlcfg_error *err)
{
    for (size_t i = 0; i < xlcfg_doc_count(disks); i++) {
        const char *path = xlcfg__doc_getstr(xlcfg_doc_at(disks, i), "path");
        int rc = path ? check_inside(c->folder, path, err) : 0;

        if (rc < 0)
            return rc;
        if (rc)
            xlcfg__items_add(notes, xlcfg__doc_strf("%s: there is no such "
                                                    "file", path));
        else if (path && files && !is_listed(files, c->folder, path))
            xlcfg__items_add(notes, xlcfg__doc_strf(
                "%s: not in the manifest, and so not compared", path));
    }
    return 0;
}

static char *manifest_of(const char *path)
{
    size_t len = strlen(path);
    char *name = NULL;

    if (len > 4 && !strcasecmp(path + len - 4, ".ovf"))
        len -= 4;
    return asprintf(&name, "%.*s.mf", (int)len, path) < 0 ? NULL : name;
}

int xlcfg__package_check(const char *path, const char *text, size_t len,
                         const xlcfg_doc *disks,
                         const struct xlcfg__progress *how,
                         xlcfg_doc **notes_r, xlcfg_error *err)
{
    const char *slash = strrchr(path, '/');
    struct check c = {
        .folder = folder_of(path), .envelope = slash ? slash + 1 : path,
        .text = text, .len = len, .how = how,
    };
    char *manifest = manifest_of(path);
    xlcfg_doc *files = NULL;
    xlcfg__items notes = { 0 };
    int rc;

    if (!manifest)
        rc = xlcfg__nomem(err);
    else if (!c.folder)
        rc = cannot(path, err);
    else
        rc = read_manifest(manifest, &files, err);
    if (rc >= 0)
        rc = check_disks(&c, disks, files, &notes, err);
    for (size_t i = 0; !rc && i < xlcfg_doc_count(files); i++)
        rc = check_line(&c, xlcfg_doc_at(files, i), err);
    free((char *)c.folder);
    free(manifest);
    xlcfg_doc_free(files);
    if (rc) {
        xlcfg__items_dispose(&notes);
        return rc;
    }
    *notes_r = xlcfg__items_end(&notes);
    return *notes_r ? 0 : xlcfg__nomem(err);
}
