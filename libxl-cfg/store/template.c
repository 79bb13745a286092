/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The template in libxl's userdata file: pretty JSON and one NUL byte that
 * is part of the file.
 */
#include "store/template.h"
#include "core/json.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID_LEN 36
/* What a file's time may be off against a domain's start, in seconds. */
#define STALE_SLACK 2

/* libxl names files by the lower-case uuid; anything else never gets into a
 * path. */
static bool uuid_lower(const char *uuid, char lower[UUID_LEN + 1])
{
    size_t i;

    if (strlen(uuid) != UUID_LEN)
        return false;
    for (i = 0; i < UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? uuid[i] != '-' : !isxdigit((unsigned char)uuid[i]))
            return false;
        lower[i] = (char)tolower((unsigned char)uuid[i]);
    }
    lower[i] = '\0';
    return true;
}

static int make_path(const char *dir, char which, int64_t domid,
                     const char *uuid, const char *user, char **path_r,
                     xlcfg_error *err)
{
    char lower[UUID_LEN + 1];

    if (domid < 0)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, dir,
                          "%" PRId64 " is no domid", domid);
    if (!uuid_lower(uuid, lower))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, dir,
                          "'%.64s' is no uuid", uuid);
    if (asprintf(path_r, "%s/userdata-%c.%" PRId64 ".%s.%s", dir, which,
                 domid, lower, user) < 0)
        return xlcfg__nomem(err);
    return 0;
}

static void stamp_of(const struct stat *sb, struct xlcfg__stamp *stamp_r)
{
    stamp_r->dev = (uint64_t)sb->st_dev;
    stamp_r->ino = (uint64_t)sb->st_ino;
    stamp_r->size = (uint64_t)sb->st_size;
    stamp_r->sec = sb->st_mtim.tv_sec;
    stamp_r->nsec = sb->st_mtim.tv_nsec;
}

/* When this host booted, in seconds since the epoch; 0: cannot be told, and
 * then no file is called older. */
static int64_t boot_time(void)
{
    FILE *f = fopen("/proc/stat", "re");
    char *line = NULL;
    size_t room = 0;
    int64_t when = 0;

    if (!f)
        return 0;
    while (getline(&line, &room, f) >= 0)
        if (!strncmp(line, "btime ", 6)) {
            when = strtoll(line + 6, NULL, 10);
            break;
        }
    free(line);
    fclose(f);
    return when > 0 ? when : 0;
}

static bool is_stale(const struct stat *sb, int64_t started)
{
    int64_t mtime = sb->st_mtim.tv_sec;

    /* The cheap half first: it alone settles almost every read. */
    if (started <= 0 || mtime >= started - STALE_SLACK)
        return false;
    return mtime < boot_time();
}

static int open_file(const char *path, int *fd_r, struct stat *sb,
                     xlcfg_error *err)
{
    int fd;

    do
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
                  O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0 && errno == ENOENT)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, path,
                          "there is no template");
    if (fd < 0 || fstat(fd, sb)) {
        int why = errno;

        if (fd >= 0)
            close(fd);
        return xlcfg__err(err, XLCFG_ERROR_STORE, path, "cannot read: %s",
                          why == ELOOP ? "it is a symbolic link"
                                       : strerror(why));
    }
    if (!S_ISREG(sb->st_mode)) {
        close(fd);
        return xlcfg__err(err, XLCFG_ERROR_STORE, path,
                          "expected a regular file");
    }
    *fd_r = fd;
    return 0;
}

/* All of a file, at most `most` bytes; -1 and errno, EFBIG when there is
 * more. */
static int slurp(int fd, size_t expected, size_t most, char **text_r,
                 size_t *len_r)
{
    size_t room = expected < most ? expected + 1 : most + 1, len = 0;
    char *text = malloc(room), *bigger;
    ssize_t n;

    while (text) {
        n = read(fd, text + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        if (!n) {
            *text_r = text;
            *len_r = len;
            return 0;
        }
        len += (size_t)n;
        if (len > most) {
            errno = EFBIG;
            break;
        }
        if (len < room)
            continue;
        room = room > most / 2 ? most + 1 : room * 2;
        bigger = realloc(text, room);
        if (!bigger)
            break;
        text = bigger;
    }
    free(text);
    return -1;
}

/* Errors here have no file name yet. */
static int parse(const char *text, size_t len, xlcfg_doc **doc_r,
                 xlcfg_error *err)
{
    const char *nul = memchr(text, '\0', len);
    xlcfg_doc *doc;
    int rc;

    if (nul && (size_t)(nul - text) + 1 != len)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                          "expected nothing after the NUL at byte %zu",
                          (size_t)(nul - text));
    if (nul)
        len--;
    if (!len)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                          "the file is empty, expected a JSON object");
    rc = xlcfg_doc_parse(text, len, &doc, err);
    if (rc)
        return rc;
    if (xlcfg_doc_kind(doc) != XLCFG_DOC_OBJECT) {
        xlcfg_doc_free(doc);
        return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                          "expected a JSON object");
    }
    *doc_r = doc;
    return 0;
}

static int read_open(int fd, const struct stat *sb, int64_t started,
                     xlcfg_doc **doc_r, xlcfg_error *err)
{
    char *text;
    size_t len;
    int rc;

    if (is_stale(sb, started))
        return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                          "left by an earlier boot");
    if (slurp(fd, (size_t)sb->st_size, XLCFG__JSON_SIZE + 1, &text, &len)) {
        if (errno == ENOMEM)
            return xlcfg__nomem(err);
        if (errno == EFBIG)
            return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                              "expected %zu bytes at most",
                              XLCFG__JSON_SIZE);
        return xlcfg__err(err, XLCFG_ERROR_STORE, NULL, "cannot read: %s",
                          strerror(errno));
    }
    rc = parse(text, len, doc_r, err);
    free(text);
    return rc;
}

int xlcfg__template_read(const char *dir, int64_t domid, const char *uuid,
                         int64_t started, xlcfg_doc **doc_r,
                         struct xlcfg__stamp *stamp_r, xlcfg_error *err)
{
    struct stat sb;
    char *path;
    int fd = -1, rc;

    *stamp_r = (struct xlcfg__stamp){ 0 };
    rc = make_path(dir, 'd', domid, uuid, "libxl-json", &path, err);
    if (rc)
        return rc;
    rc = open_file(path, &fd, &sb, err);
    if (!rc) {
        stamp_of(&sb, stamp_r);
        rc = read_open(fd, &sb, started, doc_r, err);
        if (rc)
            xlcfg__err_in(err, path);
        close(fd);
    }
    free(path);
    return rc;
}

void xlcfg__template_stamp(const char *dir, int64_t domid, const char *uuid,
                           struct xlcfg__stamp *stamp_r)
{
    struct stat sb;
    char *path;

    *stamp_r = (struct xlcfg__stamp){ 0 };
    if (make_path(dir, 'd', domid, uuid, "libxl-json", &path, NULL))
        return;
    /* As reading has it: what is no regular file has no stamp. */
    if (!lstat(path, &sb) && S_ISREG(sb.st_mode))
        stamp_of(&sb, stamp_r);
    free(path);
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

/* libxl leaves this name behind when it fails or is killed; the caller has
 * the lock, so nobody is writing it. */
static int drop_temp(const char *temp, xlcfg_error *err)
{
    if (!unlink(temp) || errno == ENOENT)
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_STORE, temp,
                      "cannot remove what was left here: %s",
                      strerror(errno));
}

int xlcfg__template_tidy(const char *dir, int64_t domid, const char *uuid,
                         xlcfg_error *err)
{
    char *temp;
    int rc;

    rc = make_path(dir, 'n', domid, uuid, "libxl-json", &temp, err);
    if (rc)
        return rc;
    rc = drop_temp(temp, err);
    free(temp);
    return rc;
}

/* A complete file at temp, or none.  It is not synced: no domain outlives its
 * host, and the file of one that does not run is nobody's. */
static int write_temp(const char *temp, const char *text, size_t len,
                      xlcfg_error *err)
{
    int fd, why, rc;

    rc = drop_temp(temp, err);
    if (rc)
        return rc;
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
              0600);
    if (fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_STORE, temp, "cannot make: %s",
                          strerror(errno));
    why = 0;
    if (fchmod(fd, 0600) || write_all(fd, text, len))
        why = errno;
    if (close(fd) && !why)
        why = errno;
    if (!why)
        return 0;
    unlink(temp);
    return xlcfg__err(err, XLCFG_ERROR_STORE, temp, "cannot write: %s",
                      strerror(why));
}

int xlcfg__template_write(const char *dir, int64_t domid, const char *uuid,
                          const xlcfg_doc *doc, xlcfg_error *err)
{
    char *path = NULL, *temp = NULL, *text = NULL;
    size_t len;
    int rc;

    if (xlcfg_doc_kind(doc) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, dir,
                          "a template must be a JSON object");
    rc = make_path(dir, 'd', domid, uuid, "libxl-json", &path, err);
    if (rc)
        goto out;
    rc = make_path(dir, 'n', domid, uuid, "libxl-json", &temp, err);
    if (rc)
        goto out;
    rc = xlcfg_doc_print(doc, XLCFG_PRINT_PRETTY, &text, &len, err);
    if (rc)
        goto out;
    if (len > XLCFG__JSON_SIZE) {
        rc = xlcfg__err(err, XLCFG_ERROR_INVAL, path,
                        "a template has %zu bytes at most",
                        XLCFG__JSON_SIZE);
        goto out;
    }
    rc = write_temp(temp, text, len + 1, err);
    if (rc)
        goto out;
    if (rename(temp, path)) {
        rc = xlcfg__err(err, XLCFG_ERROR_STORE, path, "cannot replace: %s",
                        strerror(errno));
        unlink(temp);
    }
out:
    free(path);
    free(temp);
    free(text);
    return rc;
}

int xlcfg__template_lock(const char *dir, int64_t domid, const char *uuid,
                         unsigned wait_ms, xlcfg__lock **lock_r,
                         xlcfg_error *err)
{
    char *path;
    int rc;

    rc = make_path(dir, 'l', domid, uuid, "domain-userdata-lock", &path,
                   err);
    if (rc)
        return rc;
    rc = xlcfg__lock_take(path, wait_ms, lock_r, err);
    free(path);
    return rc;
}
