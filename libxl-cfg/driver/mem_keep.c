/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The in-memory driver's file as the machine that several processes share.
 *
 * A writer holds the lock of the file's folder, reads the file if it is
 * another than it knows, changes it, writes FILE.new and renames it.  A
 * reader takes no lock: it finds an old file or a new one, never half of one.
 * What was read last stays open, so that its inode number is not given to
 * another file meanwhile.  Nothing is synced: this is a machine's memory.
 */
#include "driver/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (16u << 20)        /* bytes of a file */

static int no_file(xlcfg_error *err, const char *path)
{
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, path, "%s",
                      strerror(errno));
}

/* ---- reading ---- */

static bool is_known(const struct mem *mem, const struct stat *sb)
{
    struct stat known;

    return mem->file >= 0 && !fstat(mem->file, &known) &&
        known.st_dev == sb->st_dev && known.st_ino == sb->st_ino &&
        mem->stamp.tv_sec == sb->st_mtim.tv_sec &&
        mem->stamp.tv_nsec == sb->st_mtim.tv_nsec;
}

static int slurp(int fd, const char *path, char **text_r, size_t *len_r,
                 xlcfg_error *err)
{
    char *text = malloc(MOST + 1);
    size_t len = 0;
    ssize_t n;

    if (!text)
        return xlcfg__nomem(err);
    while ((n = pread(fd, text + len, MOST + 1 - len, (off_t)len)) > 0)
        len += (size_t)n;
    if (n < 0) {
        free(text);
        return no_file(err, path);
    }
    if (len > MOST) {
        free(text);
        return xlcfg__err(err, XLCFG_ERROR_PARSE, path,
                          "expected 16 MiB at most");
    }
    *text_r = text;
    *len_r = len;
    return 0;
}

/* What an open file says, into an empty mem. */
static int read_fd(struct mem *mem, int fd, const char *path,
                   xlcfg_error *err)
{
    xlcfg_doc *doc = NULL;
    char *text = NULL;
    size_t len = 0;
    int rc;

    rc = slurp(fd, path, &text, &len, err);
    if (rc)
        return rc;
    rc = xlcfg_doc_parse(text, len, &doc, err);
    free(text);
    if (!rc)
        rc = xlcfg__mem_read(mem, doc, err);
    xlcfg_doc_free(doc);
    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_in(err, path);
    return rc;
}

static struct mem_domain *same_uuid(struct mem *mem, const char *uuid)
{
    for (size_t i = 0; i < mem->count; i++)
        if (!strcmp(mem->doms[i].dom.uuid, uuid))
            return &mem->doms[i];
    return NULL;
}

/* What this handle knew goes over into what the file says now. */
static void take_over(struct mem *mem, struct mem *now)
{
    struct mem_domain *doms = mem->doms;
    size_t count = mem->count, room = mem->room;

    for (size_t i = 0; i < now->count; i++) {
        struct mem_domain *md = &now->doms[i];
        const struct mem_domain *was = same_uuid(mem, md->dom.uuid);

        md->generation = was ? was->generation : 0;
        md->changed = was && was->changed;
        if (was && xlcfg__doc_equal(was->source, md->source))
            continue;
        md->generation++;
        md->changed = true;
    }
    for (size_t i = 0; i < mem->count; i++)
        if (!same_uuid(now, mem->doms[i].dom.uuid))
            mem->lost = true;
    mem->doms = now->doms;
    mem->count = now->count;
    mem->room = now->room;
    now->doms = doms;
    now->count = count;
    now->room = room;
}

static int refresh(struct mem *mem, xlcfg_error *err)
{
    struct mem now = { .fd = -1, .file = -1, .lock = -1 };
    struct stat sb;
    int fd, rc;

    if (!mem->path)
        return 0;
    if (!stat(mem->path, &sb) && is_known(mem, &sb))
        return 0;
    fd = open(mem->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &sb)) {
        rc = no_file(err, mem->path);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    rc = read_fd(&now, fd, mem->path, err);
    if (rc) {
        close(fd);
    } else {
        take_over(mem, &now);
        if (mem->file >= 0)
            close(mem->file);
        mem->file = fd;
        mem->stamp = sb.st_mtim;
    }
    xlcfg__mem_dispose(&now);
    return rc;
}

int xlcfg__mem_load(struct mem *mem, const char *source, xlcfg_error *err)
{
    xlcfg_doc *doc = NULL;
    int fd, rc;

    if (source[strspn(source, " \t\n")] == '{') {
        rc = xlcfg_doc_parse(source, strlen(source), &doc, err);
        if (!rc)
            rc = xlcfg__mem_read(mem, doc, err);
        xlcfg_doc_free(doc);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_in(err, "mem:");
        return rc;
    }
    mem->path = strdup(source);
    if (!mem->path)
        return xlcfg__nomem(err);
    fd = open(source, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return no_file(err, source);
    rc = read_fd(mem, fd, source, err);
    if (!rc) {
        struct stat sb;

        if (!fstat(fd, &sb))
            mem->stamp = sb.st_mtim;
        mem->file = fd;
        return 0;
    }
    close(fd);
    return rc;
}

/* ---- writing ---- */

/* The folder of the file, "." when it names none; malloc'd. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder;

    if (!slash)
        return strdup(".");
    folder = strdup(path);
    if (folder)
        folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

static int lock(struct mem *mem, xlcfg_error *err)
{
    char *folder = folder_of(mem->path);
    int fd, r;

    if (!folder)
        return xlcfg__nomem(err);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return no_file(err, mem->path);
    do
        r = flock(fd, LOCK_EX);
    while (r && errno == EINTR);
    if (r) {
        close(fd);
        return no_file(err, mem->path);
    }
    mem->lock = fd;
    return 0;
}

static xlcfg_doc *whole(struct mem *mem)
{
    xlcfg__items domains = { 0 };
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < mem->count; i++) {
        struct mem_domain *md = &mem->doms[i];

        if (md->dirty || !md->source) {
            xlcfg_doc_free(md->source);
            md->source = xlcfg__mem_domain_doc(md);
        }
        xlcfg__items_add(&domains, xlcfg_doc_ref(md->source));
    }
    xlcfg__members_add(&m, "domains", xlcfg__items_end(&domains));
    if (mem->script)
        xlcfg__members_add(&m, "fail", xlcfg_doc_ref(mem->script));
    return xlcfg__members_end(&m);
}

static bool put(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(fd, text, len);

        if (n < 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static int put_file(struct mem *mem, const char *fresh, const char *text,
                    size_t len, xlcfg_error *err)
{
    int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat sb;
    int rc;

    if (fd < 0)
        return no_file(err, fresh);
    if (!put(fd, text, len) || fstat(fd, &sb) || rename(fresh, mem->path)) {
        rc = no_file(err, fresh);
        close(fd);
        unlink(fresh);
        return rc;
    }
    close(mem->file);
    mem->file = fd;
    mem->stamp = sb.st_mtim;
    return 0;
}

static int save(struct mem *mem, xlcfg_error *err)
{
    char *text = NULL, *fresh = NULL;
    xlcfg_doc *doc;
    size_t len;
    int rc;

    doc = whole(mem);
    rc = doc ? xlcfg_doc_print(doc, XLCFG_PRINT_PRETTY, &text, &len, err)
             : xlcfg__nomem(err);
    xlcfg_doc_free(doc);
    if (!rc && asprintf(&fresh, "%s.new", mem->path) < 0) {
        fresh = NULL;
        rc = xlcfg__nomem(err);
    }
    if (!rc)
        rc = put_file(mem, fresh, text, len, err);
    free(text);
    free(fresh);
    return rc;
}

static bool is_dirty(const struct mem *mem)
{
    for (size_t i = 0; i < mem->count; i++)
        if (mem->doms[i].dirty)
            return true;
    return false;
}

/* ---- around each call ---- */

int xlcfg__mem_enter(struct mem *mem, enum mem_call call, xlcfg_error *err)
{
    int rc;

    rc = xlcfg__mem_scripted(mem, call, err);
    return rc ? rc : refresh(mem, err);
}

int xlcfg__mem_enter_write(struct mem *mem, enum mem_call call,
                           xlcfg_error *err)
{
    int rc;

    rc = xlcfg__mem_scripted(mem, call, err);
    if (rc || !mem->path)
        return rc;
    rc = lock(mem, err);
    return rc ? rc : refresh(mem, err);
}

int xlcfg__mem_leave_write(struct mem *mem, int rc, xlcfg_error *err)
{
    bool dirty = is_dirty(mem);

    /* an unplug that is asked for and not let go of has changed it too */
    if (mem->path && dirty && (!rc || rc == XLCFG_ERROR_PENDING)) {
        xlcfg_error why = XLCFG_ERROR_INIT;
        int r = save(mem, &why);

        if (r) {
            rc = r;
            if (err)
                *err = why;
        }
    }
    if (mem->path && dirty && rc && rc != XLCFG_ERROR_PENDING) {
        /* the file has not what was changed here: read it again */
        if (mem->file >= 0)
            close(mem->file);
        mem->file = -1;
    }
    for (size_t i = 0; i < mem->count; i++)
        mem->doms[i].dirty = false;
    if (mem->lock >= 0)
        close(mem->lock);
    mem->lock = -1;
    return rc;
}

/* ---- watching ---- */

void xlcfg__mem_changed(struct mem *mem, struct mem_domain *md)
{
    md->generation++;
    md->dirty = true;
    if (mem->fd < 0)
        return;
    md->changed = true;
    /* fails only when the counter is full, and then it is readable; of a
     * file the kernel tells */
    if (!mem->path)
        (void)!write(mem->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* The file itself is watched, for its folder may be one where much happens;
 * the one that takes its place is watched anew. */
static int watch_file(struct mem *mem, xlcfg_error *err)
{
    if (mem->fd < 0)
        mem->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (mem->fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, mem->path, "inotify: %s",
                          strerror(errno));
    if (inotify_add_watch(mem->fd, mem->path, IN_ATTRIB | IN_MODIFY |
                          IN_MOVE_SELF) < 0)
        return no_file(err, mem->path);
    return 0;
}

int xlcfg__mem_watch_fd(void *handle, xlcfg_error *err)
{
    struct mem *mem = handle;
    int rc;

    rc = xlcfg__mem_scripted(mem, MEM_WATCH_FD, err);
    if (!rc && mem->path)
        rc = watch_file(mem, err);
    if (rc)
        return rc;
    if (mem->fd < 0)
        mem->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mem->fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "eventfd: %s",
                          strerror(errno));
    return mem->fd;
}

/* What it tells is known, or about to be: it must not poll readable. */
static void drain(struct mem *mem)
{
    char buf[4096] __attribute__((aligned(8)));

    while (mem->fd >= 0 && read(mem->fd, buf, sizeof(buf)) > 0 && mem->path)
        ;
}

int xlcfg__mem_watch_next(void *handle, char uuid_r[37], xlcfg_error *err)
{
    struct mem *mem = handle;
    int rc;

    rc = xlcfg__mem_scripted(mem, MEM_WATCH_NEXT, err);
    if (!rc && mem->path) {
        /* in this order: what comes after the reading polls readable */
        drain(mem);
        rc = watch_file(mem, err);
        if (!rc)
            rc = refresh(mem, err);
    }
    if (rc)
        return rc;
    for (size_t i = 0; i < mem->count; i++)
        if (mem->doms[i].changed) {
            mem->doms[i].changed = false;
            memcpy(uuid_r, mem->doms[i].dom.uuid, 37);
            return 0;
        }
    if (mem->lost) {
        mem->lost = false;
        uuid_r[0] = '\0';
        return 0;
    }
    if (!mem->path)
        drain(mem);
    return 1;
}
