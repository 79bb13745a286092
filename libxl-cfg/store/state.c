/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.db: opening it, making it, and setting a damaged one aside.
 *
 * The file is made by open(O_EXCL) for its mode, and never opened here when
 * it exists: closing such a descriptor would drop the locks that SQLite
 * holds on it in this process.  Openings for write take turns by a lock file,
 * so that two never make, convert or set aside at once.
 */
#include "store/lock.h"
#include "store/state_i.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of history, without the environment's word. */
#define KEEP_EVENTS 10000
#define KEEP_DAYS 30
#define KEEP_MIB 256

static const char *const settings[] = {
    "PRAGMA trusted_schema = 0",
    "PRAGMA cell_size_check = 1",
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 1048576",
};

static int make_folder(const char *dir, xlcfg_error *err)
{
    char *path = strdup(dir);
    struct stat sb;
    int rc = 0;

    if (!path)
        return xlcfg__nomem(err);
    for (char *at = path + 1; !rc; at++) {
        char was = *at;

        if (was && was != '/')
            continue;
        *at = '\0';
        /* chmod: the umask may have taken bits that we need. */
        if (!mkdir(path, 0700) ? chmod(path, 0700) : errno != EEXIST) {
            /* A read-only file system says so for folders that exist. */
            int why = errno;

            if (stat(path, &sb) || !S_ISDIR(sb.st_mode))
                rc = xlcfg__err(err, XLCFG_ERROR_STORE, path,
                                "cannot make the folder: %s",
                                strerror(why));
        }
        *at = was;
        if (!was)
            break;
    }
    if (!rc && (stat(path, &sb) || !S_ISDIR(sb.st_mode)))
        rc = xlcfg__err(err, XLCFG_ERROR_STORE, dir, "expected a folder");
    free(path);
    return rc;
}

static int sync_folder(const xlcfg__state *st, xlcfg_error *err)
{
    int fd = open(st->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), why = 0;

    if (fd < 0 || fsync(fd))
        why = errno;
    if (fd >= 0)
        close(fd);
    if (!why)
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_STORE, st->dir, "cannot sync: %s",
                      strerror(why));
}

/* A regular file at path; NOTFOUND when there is nothing. */
static int look(const xlcfg__state *st, xlcfg_error *err)
{
    struct stat sb;

    if (lstat(st->path, &sb)) {
        if (errno == ENOENT)
            return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, st->path,
                              "nothing has been recorded here yet");
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                          "cannot look: %s", strerror(errno));
    }
    if (!S_ISREG(sb.st_mode))
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                          "expected a regular file");
    return 0;
}

static int make_file(const xlcfg__state *st, xlcfg_error *err)
{
    int fd, why = 0;

    fd = open(st->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return look(st, err);
    if (fd < 0 || fchmod(fd, 0600))
        why = errno;
    if (fd >= 0)
        close(fd);
    if (why)
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                          "cannot make: %s", strerror(why));
    return sync_folder(st, err);
}

/* Not all ways in which turning to WAL can be busy wait by themselves. */
static int to_wal(xlcfg__state *st, unsigned lock_ms)
{
    unsigned waited = 0;
    char mode[16];
    int r;

    while ((r = xlcfg__state_ask(st, "PRAGMA journal_mode = WAL", mode,
                                 sizeof(mode))),
           (r & 0xff) == SQLITE_BUSY && waited < lock_ms) {
        sqlite3_sleep(5);
        waited += 5;
    }
    if (r == SQLITE_OK && strcmp(mode, "wal"))
        r = SQLITE_CANTOPEN;
    return r;
}

static int connect_db(xlcfg__state *st, const char *name, int flags,
                      unsigned lock_ms)
{
    int r = sqlite3_open_v2(name, &st->db, flags | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_EXRESCODE, NULL);

    if (r != SQLITE_OK)
        return r;
    sqlite3_busy_timeout(st->db, lock_ms < INT_MAX ? (int)lock_ms : INT_MAX);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        r = sqlite3_exec(st->db, settings[i], NULL, NULL, NULL);
        if (r != SQLITE_OK)
            return r;
    }
    return SQLITE_OK;
}

static void disconnect(xlcfg__state *st)
{
    for (int i = 0; i < XLCFG__SQLS; i++) {
        sqlite3_finalize(st->stmts[i]);
        st->stmts[i] = NULL;
    }
    sqlite3_close(st->db);
    st->db = NULL;
}

/* An earlier failure called the file damaged: look at all of it. */
static int check_all(xlcfg__state *st, xlcfg_error *err, int *r_r)
{
    char verdict[256];
    int r;

    if (access(st->suspect, F_OK))
        return 0;
    r = xlcfg__state_ask(st, "PRAGMA integrity_check(1)", verdict,
                         sizeof(verdict));
    if (r == SQLITE_OK && !strcmp(verdict, "ok")) {
        unlink(st->suspect);    /* when it stays, the next one looks again */
        return 0;
    }
    *r_r = r == SQLITE_OK ? SQLITE_CORRUPT : r;
    if (r != SQLITE_OK)
        return xlcfg__state_sqlerr(st, r, err);
    return xlcfg__err(err, XLCFG_ERROR_STORE, st->path, "%s", verdict);
}

/* Connect and make what is missing inside.  r_r: SQLite's word on failure. */
static int open_made(xlcfg__state *st, unsigned lock_ms, int *r_r,
                     xlcfg_error *err)
{
    int on = 1, r, rc;

    *r_r = SQLITE_OK;
    r = connect_db(st, st->path, SQLITE_OPEN_READWRITE, lock_ms);
    if (r == SQLITE_OK)
        r = to_wal(st, lock_ms);
    if (r != SQLITE_OK) {
        *r_r = r;
        return xlcfg__state_sqlerr(st, r, err);
    }
    /* -wal and -shm stay, so that readers need to make none. */
    sqlite3_file_control(st->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    rc = xlcfg__state_check(st, r_r, err);
    if (rc == XLCFG_ERROR_NOTFOUND) {
        r = xlcfg__state_make(st);
        if (r != SQLITE_OK) {
            *r_r = r;
            return xlcfg__state_sqlerr(st, r, err);
        }
        rc = xlcfg__state_check(st, r_r, err);
    }
    if (!rc)
        rc = check_all(st, err, r_r);
    /* its next versions were given to something else already, and others
     * may still hold its log of before: as good as damaged */
    if (!rc && xlcfg__state_went_back(st)) {
        *r_r = SQLITE_CORRUPT;
        rc = xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                        "older than what was recorded last");
    }
    return rc;
}

static int move_aside(const xlcfg__state *st, const char *aside,
                      const char *tail, xlcfg_error *err)
{
    char *from = NULL, *to = NULL;
    int rc = 0;

    if (asprintf(&from, "%s%s", st->path, tail) < 0 ||
        asprintf(&to, "%s%s", aside, tail) < 0)
        rc = xlcfg__nomem(err);
    else if (rename(from, to) && errno != ENOENT)
        rc = xlcfg__err(err, XLCFG_ERROR_STORE, from,
                        "damaged, and cannot be set aside: %s",
                        strerror(errno));
    free(from);
    free(to);
    return rc;
}

static int set_aside(const xlcfg__state *st, xlcfg_error *err)
{
    int64_t now = (int64_t)time(NULL);
    char *aside = NULL;
    struct stat sb;
    int rc;

    do {
        free(aside);
        if (asprintf(&aside, "%s.damaged-%" PRId64, st->path, now++) < 0)
            return xlcfg__nomem(err);
    } while (!lstat(aside, &sb));
    /* The database last: until it is gone, the next opening finds it. */
    rc = move_aside(st, aside, "-shm", err);
    if (!rc)
        rc = move_aside(st, aside, "-wal", err);
    if (!rc)
        rc = move_aside(st, aside, "", err);
    free(aside);
    if (rc)
        return rc;
    if (unlink(st->suspect) && errno != ENOENT)
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->suspect,
                          "cannot remove: %s", strerror(errno));
    return sync_folder(st, err);
}

static int open_write(xlcfg__state *st, unsigned lock_ms, xlcfg_error *err)
{
    xlcfg__lock *lock;
    char *path;
    int r, rc;

    rc = make_folder(st->dir, err);
    if (rc)
        return rc;
    if (asprintf(&path, "%s/state.lock", st->dir) < 0)
        return xlcfg__nomem(err);
    rc = xlcfg__lock_take(path, lock_ms, &lock, err);
    free(path);
    if (rc)
        return rc;
    rc = make_file(st, err);
    if (rc)
        goto out;
    rc = open_made(st, lock_ms, &r, err);
    if (!rc || ((r & 0xff) != SQLITE_CORRUPT &&
                (r & 0xff) != SQLITE_NOTADB))
        goto out;
    disconnect(st);
    rc = set_aside(st, err);
    if (!rc)
        rc = make_file(st, err);
    if (!rc)
        rc = open_made(st, lock_ms, &r, err);
out:
    xlcfg__lock_drop(lock);
    return rc;
}

/* file:PATH?immutable=1, with what a URI reserves escaped. */
static char *immutable_uri(const char *path)
{
    static const char tail[] = "?immutable=1";
    char *uri = malloc(5 + 3 * strlen(path) + sizeof(tail)), *at;

    if (!uri)
        return NULL;
    at = uri + sprintf(uri, "file:");
    for (; *path; path++)
        if (strchr("%?#", *path))
            at += sprintf(at, "%%%02X", (unsigned char)*path);
        else
            *at++ = *path;
    memcpy(at, tail, sizeof(tail));
    return uri;
}

/* Nothing waits in the write-ahead log. */
static bool wal_empty(const xlcfg__state *st)
{
    struct stat sb;
    char *wal;
    bool empty;

    if (asprintf(&wal, "%s-wal", st->path) < 0)
        return false;
    empty = lstat(wal, &sb) ? errno == ENOENT : !sb.st_size;
    free(wal);
    return empty;
}

static int open_read(xlcfg__state *st, unsigned lock_ms, xlcfg_error *err)
{
    char *uri;
    int r, rc;

    rc = look(st, err);
    if (rc)
        return rc;
    r = connect_db(st, st->path, SQLITE_OPEN_READONLY, lock_ms);
    if (r != SQLITE_OK)
        rc = xlcfg__state_sqlerr(st, r, err);
    else
        rc = xlcfg__state_check(st, &r, err);
    if (rc != XLCFG_ERROR_STORE || !wal_empty(st) ||
        ((r & 0xff) != SQLITE_CANTOPEN && (r & 0xff) != SQLITE_READONLY))
        return rc;
    /* A folder where not even the index of the log can be: with an empty
     * log the file itself is all there is. */
    disconnect(st);
    uri = immutable_uri(st->path);
    if (!uri)
        return xlcfg__nomem(err);
    st->frozen = true;
    r = connect_db(st, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, lock_ms);
    free(uri);
    if (r != SQLITE_OK)
        return xlcfg__state_sqlerr(st, r, err);
    return xlcfg__state_check(st, &r, err);
}

/* A bound of history from the environment; text names what it counts. */
static int bound(const char *name, const char *what, int64_t most,
                 int64_t *value, xlcfg_error *err)
{
    const char *text = getenv(name);
    char *end;
    long long n;

    if (!text || !*text)
        return 0;
    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno || *end || n < 0 || n > most)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, name,
                          "expected a number of %s up to %" PRId64
                          ", not '%.64s'", what, most, text);
    *value = n;
    return 0;
}

static int bounds(xlcfg__state *st, xlcfg_error *err)
{
    int64_t mib = KEEP_MIB;
    int rc;

    st->keep = KEEP_EVENTS;
    st->keep_days = KEEP_DAYS;
    rc = bound("XLCFG_HISTORY_KEEP", "events", INT64_MAX, &st->keep, err);
    if (!rc)
        rc = bound("XLCFG_HISTORY_DAYS", "days", 100000, &st->keep_days,
                   err);
    if (!rc)
        rc = bound("XLCFG_HISTORY_MIB", "MiB", 1 << 20, &mib, err);
    st->keep_bytes = mib << 20;
    return rc;
}

int xlcfg__state_open(const char *dir, bool write, unsigned lock_ms,
                      xlcfg__state **st_r, xlcfg_error *err)
{
    xlcfg__state *st;
    struct stat sb;
    int rc;

    st = calloc(1, sizeof(*st));
    if (!st)
        return xlcfg__nomem(err);
    st->write = write;
    st->tick = -1;
    if (!*dir)
        rc = xlcfg__err(err, XLCFG_ERROR_STORE, dir, "no folder is named");
    else if (!(st->dir = strdup(dir)) ||
             asprintf(&st->path, "%s/state.db", dir) < 0 ||
             asprintf(&st->log, "%s/state.db-wal", dir) < 0 ||
             asprintf(&st->suspect, "%s/state.db.suspect", dir) < 0)
        rc = xlcfg__nomem(err);
    else        /* who only reads drops no history */
        rc = write ? bounds(st, err) : 0;
    if (!rc)
        rc = write ? open_write(st, lock_ms, err)
                   : open_read(st, lock_ms, err);
    if (rc) {
        xlcfg__state_close(st);
        return rc;
    }
    if (!stat(st->log, &sb)) {
        st->log_dev = sb.st_dev;
        st->log_ino = sb.st_ino;
    }
    *st_r = st;
    return 0;
}

void xlcfg__state_close(xlcfg__state *st)
{
    if (!st)
        return;
    disconnect(st);
    if (st->tick >= 0)
        close(st->tick);
    free(st->dir);
    free(st->path);
    free(st->suspect);
    free(st->log);
    free(st);
}

bool xlcfg__state_stale(xlcfg__state *st)
{
    struct stat sb;
    int moved = 0;

    if (st->frozen || sqlite3_file_control(st->db, "main",
                                           SQLITE_FCNTL_HAS_MOVED, &moved)
        != SQLITE_OK || moved)
        return true;
    /* a log taken away is still written to, and read by nobody else */
    return stat(st->log, &sb) || sb.st_ino != st->log_ino ||
        sb.st_dev != st->log_dev;
}
