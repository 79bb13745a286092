/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store: locks, the template file, state.db - on real files. */
#include "store/lock.h"
#include "store/state.h"
#include "store/template.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define UUID2 "11234567-89ab-cdef-0123-456789abcdef"
#define ok(rc) ck_assert_msg((rc) == 0, "%d: %s: %s", err.code, err.where, \
                             err.message)

static char dir[64], path[256];
static xlcfg_error err;

static void setup(void)
{
    umask(022);
    unsetenv("XLCFG_HISTORY_KEEP");
    unsetenv("XLCFG_HISTORY_DAYS");
    unsetenv("XLCFG_HISTORY_MIB");
    strcpy(dir, "/tmp/xlcfg-store.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    err = (xlcfg_error)XLCFG_ERROR_INIT;
}

static void teardown(void)
{
    char cmd[128];

    snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
    ck_assert_int_eq(system(cmd), 0);
}

static const char *in(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void put_file(const char *file, const void *data, size_t len)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static xlcfg_doc *doc(const char *text)
{
    xlcfg_doc *d = NULL;

    ok(xlcfg_doc_parse(text, strlen(text), &d, &err));
    return d;
}

static void same(const xlcfg_doc *d, const char *text)
{
    xlcfg_doc *want = doc(text);
    char *is;

    ok(xlcfg_doc_print(d, 0, &is, NULL, &err));
    ck_assert_msg(xlcfg__doc_equal(d, want), "is %s, not %s", is, text);
    free(is);
    xlcfg_doc_free(want);
}

/* As a user without rights here: root is one who can write anywhere. */
static void drop_rights(void)
{
    if (!geteuid() && setresuid(65534, 65534, 65534))
        _exit(99);
}

static int reap(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- locks ------------------------------------------------------------- */

START_TEST(lock_excludes_and_leaves_no_file)
{
    xlcfg__lock *a, *b = NULL;

    ok(xlcfg__lock_take(in("l"), 0, &a, &err));
    ck_assert_int_eq(xlcfg__lock_take(path, 30, &b, &err),
                     XLCFG_ERROR_LOCK_FAIL);
    ck_assert_str_eq(err.where, path);
    ck_assert_ptr_null(b);
    xlcfg__lock_drop(a);
    ck_assert_int_eq(access(path, F_OK), -1);
    ok(xlcfg__lock_take(path, 0, &b, &err));
    xlcfg__lock_drop(b);
    xlcfg__lock_drop(NULL);
}
END_TEST

START_TEST(lock_of_a_dead_owner_is_free)
{
    xlcfg__lock *a;
    pid_t pid = fork();

    in("l");
    if (!pid)
        _exit(xlcfg__lock_take(path, 0, &a, NULL) ? 1 : 0);
    ck_assert_int_eq(reap(pid), 0);
    ck_assert_int_eq(access(path, F_OK), 0);
    ok(xlcfg__lock_take(path, 0, &a, &err));
    xlcfg__lock_drop(a);
}
END_TEST

START_TEST(sweep_removes_free_locks_of_that_name_alone)
{
    xlcfg__lock *held;

    ok(xlcfg__lock_sweep(in("no-such-folder"), "intent-", &err));
    put_file(in("intent-4.lock"), "", 0);
    put_file(in("intent-5"), "", 0);
    put_file(in("other-6.lock"), "", 0);
    ok(xlcfg__lock_take(in("intent-7.lock"), 0, &held, &err));
    ok(xlcfg__lock_sweep(dir, "intent-", &err));
    ck_assert_int_eq(access(in("intent-4.lock"), F_OK), -1);
    ck_assert_int_eq(access(in("intent-5"), F_OK), 0);
    ck_assert_int_eq(access(in("other-6.lock"), F_OK), 0);
    ck_assert_int_eq(access(in("intent-7.lock"), F_OK), 0);
    xlcfg__lock_drop(held);
}
END_TEST

START_TEST(lock_drop_spares_a_file_that_took_its_place)
{
    xlcfg__lock *a, *b;

    ok(xlcfg__lock_take(in("l"), 0, &a, &err));
    ck_assert_int_eq(unlink(path), 0);
    ok(xlcfg__lock_take(path, 0, &b, &err));
    xlcfg__lock_drop(a);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(xlcfg__lock_take(path, 0, &a, &err),
                     XLCFG_ERROR_LOCK_FAIL);
    xlcfg__lock_drop(b);
}
END_TEST

/* A counter that only mutual exclusion keeps right. */
static void count_up(const char *lock, const char *file, int times)
{
    for (int i = 0; i < times; i++) {
        char text[32] = "";
        xlcfg__lock *l;
        int fd;

        if (xlcfg__lock_take(lock, 20000, &l, NULL))
            _exit(1);
        fd = open(file, O_RDWR);
        if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) < 0)
            _exit(2);
        snprintf(text, sizeof(text), "%d", atoi(text) + 1);
        if (pwrite(fd, text, strlen(text), 0) < 0)
            _exit(3);
        close(fd);
        xlcfg__lock_drop(l);
    }
    _exit(0);
}

START_TEST(lock_keeps_two_processes_apart)
{
    char lock[128], file[128], text[32] = "";
    pid_t pid[2];
    int fd;

    snprintf(lock, sizeof(lock), "%s/l", dir);
    snprintf(file, sizeof(file), "%s/n", dir);
    put_file(file, "0", 1);
    for (int i = 0; i < 2; i++)
        if (!(pid[i] = fork()))
            count_up(lock, file, 300);
    ck_assert_int_eq(reap(pid[0]), 0);
    ck_assert_int_eq(reap(pid[1]), 0);
    fd = open(file, O_RDONLY);
    ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
    close(fd);
    ck_assert_int_eq(atoi(text), 600);
}
END_TEST

START_TEST(lock_that_cannot_be_made_is_a_store_error)
{
    xlcfg__lock *a;
    pid_t pid;

    ck_assert_int_eq(xlcfg__lock_take(in("no/l"), 0, &a, &err),
                     XLCFG_ERROR_STORE);
    ck_assert_int_eq(mkfifo(in("fifo"), 0600), 0);
    ck_assert_int_eq(xlcfg__lock_take(path, 0, &a, &err), XLCFG_ERROR_STORE);
    ck_assert_int_eq(symlink("/etc/passwd", in("link")), 0);
    ck_assert_int_eq(xlcfg__lock_take(path, 0, &a, &err), XLCFG_ERROR_STORE);
    ck_assert_int_eq(chmod(dir, 0555), 0);
    in("l");
    if (!(pid = fork())) {
        drop_rights();
        _exit(xlcfg__lock_take(path, 0, &a, NULL) != XLCFG_ERROR_STORE);
    }
    ck_assert_int_eq(reap(pid), 0);
    chmod(dir, 0700);
}
END_TEST

/* ---- the template file -------------------------------------------------- */

#define DATA "userdata-d.7." UUID ".libxl-json"

START_TEST(template_comes_back_as_written)
{
    struct xlcfg__stamp stamp, later;
    xlcfg_doc *d = doc("{\"c_info\":{\"name\":\"g\"},\"x\":[1]}"), *back;
    char text[256];
    struct stat sb;
    int fd, n;

    umask(0777);
    put_file(in("userdata-n.7." UUID ".libxl-json"), "old", 3);
    ok(xlcfg__template_write(dir, 7, UUID, d, &err));
    umask(022);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(stat(in(DATA), &sb), 0);
    ck_assert_int_eq(sb.st_mode & 07777, 0600);
    fd = open(path, O_RDONLY);
    n = (int)read(fd, text, sizeof(text));
    close(fd);
    ck_assert_int_gt(n, 10);
    ck_assert_ptr_eq(memchr(text, '\0', (size_t)n), text + n - 1);
    ck_assert_ptr_nonnull(strchr(text, '\n'));
    ok(xlcfg__template_read(dir, 7, UUID, 0, &back, &stamp, &err));
    ck_assert(xlcfg__doc_equal(d, back));
    xlcfg__template_stamp(dir, 7, UUID, &later);
    ck_assert_mem_eq(&stamp, &later, sizeof(stamp));
    ok(xlcfg__template_write(dir, 7, UUID, d, &err));
    xlcfg__template_stamp(dir, 7, UUID, &later);
    ck_assert_mem_ne(&stamp, &later, sizeof(stamp));
    xlcfg_doc_free(d);
    xlcfg_doc_free(back);
}
END_TEST

static const struct {
    const char *text;
    size_t len;
    int rc;
} files[] = {
    { "{}", 2, 0 },
    { "{}\0", 3, 0 },
    { "{}\n\0", 4, 0 },
    { "", 0, XLCFG_ERROR_PARSE },
    { "\0", 1, XLCFG_ERROR_PARSE },
    { "{}\0\0", 4, XLCFG_ERROR_PARSE },
    { "{}\0{}", 5, XLCFG_ERROR_PARSE },
    { "[]\0", 3, XLCFG_ERROR_PARSE },
    { "{\"a\":\0", 6, XLCFG_ERROR_PARSE },
    { "{\"a\":\"\xff\"}", 9, XLCFG_ERROR_PARSE },
};

START_TEST(template_reading_tells_whole_from_damaged)
{
    struct xlcfg__stamp stamp;
    xlcfg_doc *d = NULL;

    put_file(in(DATA), files[_i].text, files[_i].len);
    ck_assert_int_eq(xlcfg__template_read(dir, 7, UUID, 0, &d, &stamp, &err),
                     files[_i].rc);
    ck_assert_int_ne(stamp.ino, 0);
    if (files[_i].rc) {
        ck_assert_ptr_null(d);
        ck_assert_int_eq(strncmp(err.where, path, strlen(path)), 0);
    }
    xlcfg_doc_free(d);
}
END_TEST

START_TEST(template_absent_and_unreadable_are_two_answers)
{
    struct xlcfg__stamp stamp;
    xlcfg_doc *d;

    ck_assert_int_eq(xlcfg__template_read(dir, 7, UUID, 0, &d, &stamp, &err),
                     XLCFG_ERROR_NOTFOUND);
    ck_assert_int_eq(stamp.ino, 0);
    ck_assert_int_eq(symlink("/etc/passwd", in(DATA)), 0);
    ck_assert_int_eq(xlcfg__template_read(dir, 7, UUID, 0, &d, &stamp, &err),
                     XLCFG_ERROR_STORE);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(xlcfg__template_read(dir, 7, UUID, 0, &d, &stamp, &err),
                     XLCFG_ERROR_STORE);
    ck_assert_int_eq(xlcfg__template_read(dir, 7, "../../../etc/passwd", 0,
                                          &d, &stamp, &err),
                     XLCFG_ERROR_INVAL);
    unlink(path);
    put_file(path, "", 0);
    ck_assert_int_eq(truncate(path, ((off_t)64 << 20) + 2), 0);
    ck_assert_int_eq(xlcfg__template_read(dir, 7, UUID, 0, &d, &stamp, &err),
                     XLCFG_ERROR_PARSE);
}
END_TEST

START_TEST(template_of_an_earlier_boot_is_called_so)
{
    struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
    int64_t now = (int64_t)time(NULL);
    struct xlcfg__stamp stamp;
    xlcfg_doc *d;

    put_file(in(DATA), "{}", 3);
    ok(xlcfg__template_read(dir, 7, UUID, now + 1000, &d, &stamp, &err));
    xlcfg_doc_free(d);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
    ck_assert_int_eq(xlcfg__template_read(dir, 7, UUID, now, &d, &stamp,
                                          &err), XLCFG_ERROR_PARSE);
    ck_assert_ptr_nonnull(strstr(err.message, "left by an earlier boot"));
    ck_assert_int_eq(stamp.sec, 1000);
    ok(xlcfg__template_read(dir, 7, UUID, 0, &d, &stamp, &err));
    xlcfg_doc_free(d);
    ok(xlcfg__template_read(dir, 7, UUID, 1002, &d, &stamp, &err));
    xlcfg_doc_free(d);
}
END_TEST

START_TEST(template_write_that_fails_leaves_the_old_one)
{
    struct rlimit was, none = { 4, 4 };
    struct xlcfg__stamp stamp;
    xlcfg_doc *d = doc("{\"a\":1}"), *big = doc("{\"b\":\"0123456789\"}");
    xlcfg_doc *back;

    ok(xlcfg__template_write(dir, 7, UUID, d, &err));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    none.rlim_max = was.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    ck_assert_int_eq(xlcfg__template_write(dir, 7, UUID, big, &err),
                     XLCFG_ERROR_STORE);
    setrlimit(RLIMIT_FSIZE, &was);
    ck_assert_int_eq(access(in("userdata-n.7." UUID ".libxl-json"), F_OK),
                     -1);
    ok(xlcfg__template_read(dir, 7, UUID, 0, &back, &stamp, &err));
    ck_assert(xlcfg__doc_equal(d, back));
    xlcfg_doc_free(d);
    xlcfg_doc_free(big);
    xlcfg_doc_free(back);
}
END_TEST

START_TEST(tidy_removes_what_a_killed_writer_left_and_nothing_else)
{
    put_file(in("userdata-n.7." UUID ".libxl-json"), "half", 4);
    put_file(in(DATA), "{}", 3);
    ok(xlcfg__template_tidy(dir, 7, UUID, &err));
    ck_assert_int_eq(access(in("userdata-n.7." UUID ".libxl-json"), F_OK),
                     -1);
    ck_assert_int_eq(access(in(DATA), F_OK), 0);
    ok(xlcfg__template_tidy(dir, 7, UUID, &err));
}
END_TEST

START_TEST(template_lock_has_the_name_libxl_uses)
{
    xlcfg__lock *l;

    ok(xlcfg__template_lock(dir, 7, UUID, 0, &l, &err));
    ck_assert_int_eq(access(in("userdata-l.7." UUID
                               ".domain-userdata-lock"), F_OK), 0);
    xlcfg__lock_drop(l);
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* ---- state.db ----------------------------------------------------------- */

static xlcfg__state *st;

static void open_state(void)
{
    ok(xlcfg__state_open(dir, true, 5000, &st, &err));
}

/* Record a snapshot {"n": n} of uuid with digest "d<n>". */
static int record(xlcfg__state *s, const char *uuid, int n, bool gone,
                  const char *was, char ver[XLCFG__VERSION_MAX])
{
    char key[] = "disk/xvda", digest[32], text[64];
    struct xlcfg__memory m = { key, "attached", n, 1000 + n, 2 };
    struct xlcfg__record rec = {
        .driver = "xen", .uuid = uuid, .name = "g", .domid = 7,
        .digest = digest, .hash = "h", .address_hash = "a", .gone = gone,
        .devices = { &m, 1 }, .event = "device-attached",
    };
    xlcfg_doc *snap, *changes;
    int rc;

    snprintf(digest, sizeof(digest), "d%d", n);
    snprintf(text, sizeof(text), "{\"n\":%d,\"version\":\"old\"}", n);
    snap = doc(text);
    changes = doc("[{\"key\":\"disk/xvda\"}]");
    rec.snapshot = snap;
    rec.changes = changes;
    rc = xlcfg__state_record(s, &rec, was, ver, &err);
    xlcfg_doc_free(snap);
    xlcfg_doc_free(changes);
    return rc;
}

START_TEST(reading_makes_nothing)
{
    struct xlcfg__seen seen;
    char sub[128];

    snprintf(sub, sizeof(sub), "%s/a/b", dir);
    ck_assert_int_eq(xlcfg__state_open(sub, false, 100, &st, &err),
                     XLCFG_ERROR_NOTFOUND);
    ck_assert_int_eq(access(in("a"), F_OK), -1);
    put_file(in("state.db"), "", 0);
    ck_assert_int_eq(xlcfg__state_open(dir, false, 100, &st, &err),
                     XLCFG_ERROR_NOTFOUND);
    ok(xlcfg__state_open(sub, true, 100, &st, &err));
    ok(xlcfg__state_seen(st, "xen", UUID, true, &seen, &err));
    ck_assert(!seen.known);
    ck_assert_str_eq(seen.version, "");
    xlcfg__state_close(st);
    xlcfg__state_close(NULL);
}
END_TEST

START_TEST(files_are_private_whatever_the_umask)
{
    static const char *const names[] = {
        "s/state.db", "s/state.db-wal", "s/state.db-shm"
    };
    struct stat sb;
    char sub[128], ver[XLCFG__VERSION_MAX];
    mode_t masks[] = { 0, 0777 };

    snprintf(sub, sizeof(sub), "%s/s", dir);
    umask(masks[_i]);
    ok(xlcfg__state_open(sub, true, 100, &st, &err));
    ok(record(st, UUID, 1, false, "", ver));
    umask(022);
    ck_assert_int_eq(stat(sub, &sb), 0);
    ck_assert_int_eq(sb.st_mode & 0777, 0700);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(stat(in(names[i]), &sb), 0);
        ck_assert_int_eq(sb.st_mode & 0777, 0600);
    }
    xlcfg__state_close(st);
}
END_TEST

START_TEST(record_moves_version_devices_snapshot_and_history_at_once)
{
    char v1[XLCFG__VERSION_MAX], v2[XLCFG__VERSION_MAX];
    char now[XLCFG__VERSION_MAX], want[256];
    struct xlcfg__memories devs;
    struct xlcfg__seen seen;
    xlcfg_doc *d, *e;

    open_state();
    ok(xlcfg__state_version(st, now, &err));
    ck_assert_str_eq(now + 12, ".00000000000000000000");
    ok(record(st, UUID, 1, false, "", v1));
    ck_assert_int_eq(record(st, UUID, 2, false, "", v2),
                     XLCFG_ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, v1));
    ok(record(st, UUID, 1, false, "", v2));
    ck_assert_str_eq(v1, v2);
    ok(record(st, UUID, 2, false, v1, v2));
    ck_assert_int_gt(strcmp(v2, v1), 0);
    xlcfg__state_close(st);
    ok(xlcfg__state_open(dir, false, 100, &st, &err));
    ok(xlcfg__state_version(st, now, &err));
    ck_assert_str_eq(now, v2);
    ok(xlcfg__state_seen(st, "xen", UUID, true, &seen, &err));
    ck_assert(seen.known && !seen.gone);
    ck_assert_str_eq(seen.version, v2);
    ck_assert_str_eq(seen.digest, "d2");
    snprintf(want, sizeof(want), "{\"n\":2,\"version\":\"%s\"}", v2);
    same(seen.snapshot, want);
    xlcfg__seen_dispose(&seen);
    xlcfg__seen_dispose(&seen);
    ok(xlcfg__state_devices(st, "xen", UUID, &devs, &err));
    ck_assert_uint_eq(devs.count, 1);
    ck_assert_str_eq(devs.v[0].key, "disk/xvda");
    ck_assert_str_eq(devs.v[0].state, "attached");
    ck_assert_int_eq(devs.v[0].incarnation, 2);
    ck_assert_int_eq(devs.v[0].since, 1002);
    ck_assert_int_eq(devs.v[0].attempts, 2);
    xlcfg__memories_dispose(&devs);
    ok(xlcfg__state_history(st, NULL, UUID, 1, 10, &d, &err));
    ck_assert_uint_eq(xlcfg_doc_count(d), 1);
    ck_assert_uint_eq(strlen(xlcfg__doc_getstr(xlcfg_doc_at(d, 0), "time")),
                      20);
    snprintf(want, sizeof(want), "{\"revision\":2,\"version\":\"%s\","
             "\"event\":\"device-attached\",\"key\":\"disk/xvda\","
             "\"changes\":[{\"key\":\"disk/xvda\"}],\"n\":2}", v2);
    e = xlcfg__doc_without(xlcfg_doc_at(d, 0), "time");
    same(e, want);
    xlcfg_doc_free(e);
    xlcfg_doc_free(d);
    xlcfg__state_close(st);
}
END_TEST

START_TEST(gone_domains_are_told_as_gone)
{
    struct xlcfg__lines lines;
    char v[XLCFG__VERSION_MAX];
    struct xlcfg__seen seen;
    xlcfg_doc *d;

    open_state();
    ok(record(st, UUID2, 1, false, "", v));
    ok(record(st, UUID, 1, false, "", v));
    ok(record(st, UUID, 1, true, v, v));
    ok(xlcfg__state_lines(st, "xen", false, &lines, &err));
    ck_assert_uint_eq(lines.count, 2);
    ck_assert(xlcfg__lines_find(&lines, UUID)->gone);
    ck_assert(!xlcfg__lines_find(&lines, UUID2)->gone);
    ck_assert_ptr_null(xlcfg__lines_find(&lines, "none"));
    xlcfg__lines_dispose(&lines);
    ok(xlcfg__state_seen(st, "xen", UUID, false, &seen, &err));
    ck_assert(seen.known && seen.gone);
    ck_assert_ptr_null(seen.snapshot);
    ok(xlcfg__state_history(st, NULL, NULL, 0, 2, &d, &err));
    ck_assert_uint_eq(xlcfg_doc_count(d), 2);
    xlcfg_doc_free(d);
    xlcfg__state_close(st);
}
END_TEST

/* The oldest revision that history still holds, 0: none. */
static int64_t oldest_of(xlcfg__state *st)
{
    xlcfg_doc *events;
    int64_t revision;

    ok(xlcfg__state_history(st, NULL, NULL, -1, 1, &events, &err));
    revision = xlcfg__doc_to_int(xlcfg_doc_pointer(events, "/0/revision"), 0);
    xlcfg_doc_free(events);
    return revision;
}

START_TEST(history_is_bounded_and_newest_snapshots_stay)
{
    char idle[XLCFG__VERSION_MAX], v[XLCFG__VERSION_MAX] = "";
    struct xlcfg__seen seen;
    int64_t oldest;
    xlcfg_doc *d;

    setenv("XLCFG_HISTORY_KEEP", "3", 1);
    open_state();
    oldest = oldest_of(st);
    ck_assert_int_eq(oldest, 0);
    ok(record(st, UUID2, 1, false, "", idle));
    for (int i = 1; i <= 6; i++)
        ok(record(st, UUID, i, false, v, v));
    oldest = oldest_of(st);
    ck_assert_int_eq(oldest, 5);
    ck_assert_int_eq(xlcfg__state_history(st, NULL, NULL, 0, 100, &d, &err),
                     XLCFG_ERROR_TOO_OLD);
    ok(xlcfg__state_history(st, NULL, NULL, 4, 100, &d, &err));
    ck_assert_uint_eq(xlcfg_doc_count(d), 3);
    xlcfg_doc_free(d);
    ok(xlcfg__state_seen(st, "xen", UUID2, true, &seen, &err));
    ck_assert_ptr_nonnull(seen.snapshot);
    xlcfg__seen_dispose(&seen);
    xlcfg__state_close(st);
    setenv("XLCFG_HISTORY_KEEP", "many", 1);
    ck_assert_int_eq(xlcfg__state_open(dir, true, 100, &st, &err),
                     XLCFG_ERROR_INVAL);
    ck_assert_str_eq(err.where, "XLCFG_HISTORY_KEEP");
    ck_assert_ptr_nonnull(strstr(err.message, "expected a number"));
    /* who only reads is not in need of it */
    ok(xlcfg__state_open(dir, false, 100, &st, &err));
    oldest = oldest_of(st);
    ck_assert_int_eq(oldest, 5);
    xlcfg__state_close(st);
}
END_TEST

static void record_many(const char *folder, int who)
{
    char v[XLCFG__VERSION_MAX];
    struct xlcfg__seen seen;
    xlcfg__state *s;
    int rc;

    if (xlcfg__state_open(folder, true, 20000, &s, NULL))
        _exit(1);
    for (int done = 0; done < 100;) {
        if (xlcfg__state_seen(s, "xen", UUID, false, &seen, NULL))
            _exit(2);
        rc = record(s, UUID, who * 1000 + done, false, seen.version, v);
        if (rc && rc != XLCFG_ERROR_CONFLICT)
            _exit(3);
        done += !rc;
    }
    xlcfg__state_close(s);
    _exit(0);
}

START_TEST(history_is_bounded_by_size_and_age_too)
{
    char v[XLCFG__VERSION_MAX] = "", cmd[256];
    int64_t oldest;

    setenv("XLCFG_HISTORY_MIB", "0", 1);
    open_state();
    for (int i = 1; i <= 3; i++)
        ok(record(st, UUID, i, false, v, v));
    oldest = oldest_of(st);
    ck_assert_int_eq(oldest, 0);        /* not one of them is kept */
    xlcfg__state_close(st);
    unsetenv("XLCFG_HISTORY_MIB");
    open_state();
    for (int i = 4; i <= 6; i++)
        ok(record(st, UUID, i, false, v, v));
    oldest = oldest_of(st);
    ck_assert_int_eq(oldest, 4);
    xlcfg__state_close(st);
    snprintf(cmd, sizeof(cmd), "/usr/bin/python3 -c 'import sqlite3;"
             "c=sqlite3.connect(\"%s/state.db\");c.execute(\"UPDATE event"
             " SET time = time - 40*86400 WHERE revision < 6\");c.commit()'",
             dir);
    ck_assert_int_eq(system(cmd), 0);
    open_state();
    ok(record(st, UUID, 7, false, v, v));
    oldest = oldest_of(st);
    ck_assert_int_eq(oldest, 6);        /* the two days of others are over */
    xlcfg__state_close(st);
}
END_TEST

START_TEST(an_event_may_have_neither_changes_nor_snapshot)
{
    char v[XLCFG__VERSION_MAX] = "";
    struct xlcfg__record rec = {
        .driver = "xen", .uuid = UUID, .domid = 7, .digest = "d",
        .event = "changed",
    };
    xlcfg_doc *d;

    open_state();
    ok(xlcfg__state_record(st, &rec, "", v, &err));
    ok(xlcfg__state_history(st, "xen", UUID, 0, 10, &d, &err));
    ck_assert_uint_eq(xlcfg_doc_count(d), 1);
    xlcfg_doc_free(d);
    xlcfg__state_close(st);
}
END_TEST

START_TEST(tokens_are_of_this_store_and_its_history)
{
    char v[XLCFG__VERSION_MAX] = "", other[XLCFG__VERSION_MAX];
    static const char *const no_tokens[] = {
        "", "x", "0123456789ab", "0123456789ab.1",
        "0123456789ab.0000000000000000001x",
        "0123456789AB.00000000000000000001",
        "0123456789ab.99999999999999999999",
        "0123456789ab.000000000000000000001",
    };
    int64_t rev;

    setenv("XLCFG_HISTORY_KEEP", "2", 1);
    open_state();
    for (int i = 1; i <= 5; i++)
        ok(record(st, UUID, i, false, v, v));
    for (size_t i = 0; i < sizeof(no_tokens) / sizeof(no_tokens[0]); i++)
        ck_assert_int_eq(xlcfg__state_token(st, no_tokens[i], &rev, &err),
                         XLCFG_ERROR_INVAL);
    strcpy(other, v);
    for (int i = 0; i <= 9; i++) {
        other[32] = (char)('0' + i);
        rev = -1;
        ck_assert_int_eq(xlcfg__state_token(st, other, &rev, &err),
                         i >= 3 && i <= 5 ? 0 : XLCFG_ERROR_TOO_OLD);
        ck_assert_int_eq(rev, i >= 3 && i <= 5 ? i : -1);
    }
    strcpy(other, v);
    other[0] = other[0] == '0' ? '1' : '0';
    ck_assert_int_eq(xlcfg__state_token(st, other, &rev, &err),
                     XLCFG_ERROR_TOO_OLD);
    ck_assert_ptr_nonnull(strstr(err.message, v));
    xlcfg__state_close(st);
}
END_TEST

START_TEST(lines_are_the_domains_as_they_are_now)
{
    char a[XLCFG__VERSION_MAX] = "", b[XLCFG__VERSION_MAX] = "";
    const struct xlcfg__line *line;
    struct xlcfg__lines lines;
    xlcfg_doc *d;

    open_state();
    ok(record(st, UUID, 1, false, a, a));
    ok(record(st, UUID2, 1, false, b, b));
    ok(record(st, UUID2, 2, true, b, b));
    ok(xlcfg__state_lines(st, "xen", true, &lines, &err));
    ck_assert_uint_eq(lines.count, 2);
    ck_assert_str_eq(lines.version, b);
    line = xlcfg__lines_find(&lines, UUID);
    ck_assert(line && !line->gone && line->snapshot);
    ck_assert_str_eq(line->version, a);
    line = xlcfg__lines_find(&lines, UUID2);
    ck_assert(line && line->gone && !line->snapshot);
    ck_assert_ptr_null(xlcfg__lines_find(&lines, "nobody"));
    xlcfg__lines_dispose(&lines);
    xlcfg__lines_dispose(&lines);
    ok(xlcfg__state_at(st, "xen", UUID, b, &d, &err));
    xlcfg_doc_free(d);
    ck_assert_int_eq(xlcfg__state_at(st, "xen", UUID2, a, &d, &err),
                     XLCFG_ERROR_NOTFOUND);
    ck_assert_int_eq(xlcfg__state_at(st, "xen", UUID, "x", &d, &err),
                     XLCFG_ERROR_INVAL);
    xlcfg__state_close(st);
}
END_TEST

/* As the version before made it: what it holds is there afterwards. */
START_TEST(schema_1_is_converted_by_who_records)
{
    char v[XLCFG__VERSION_MAX] = "", w[XLCFG__VERSION_MAX], cmd[1024];
    xlcfg_doc *d;

    open_state();
    ok(record(st, UUID, 1, false, v, v));
    ok(record(st, UUID, 2, false, v, v));
    xlcfg__state_close(st);
    snprintf(cmd, sizeof(cmd), "/usr/bin/python3 -c 'import sqlite3;"
             "c=sqlite3.connect(\"%s/state.db\");"
             "[c.execute(\"ALTER TABLE %%s DROP COLUMN %%s\" %% x) for x in"
             " [(\"meta\",\"trimmed\"),(\"meta\",\"bytes\"),"
             "(\"domain\",\"place\"),(\"domain\",\"state\"),"
             "(\"event\",\"time\"),(\"event\",\"size\"),"
             "(\"intent\",\"resets\")]];"
             "[c.execute(\"DROP TABLE \" + x) for x in"
             " (\"address\", \"choice\")];"
             "c.execute(\"PRAGMA user_version = 1\");c.commit()'", dir);
    ck_assert_int_eq(system(cmd), 0);
    ck_assert_int_eq(xlcfg__state_open(dir, false, 100, &st, &err),
                     XLCFG_ERROR_STORE);
    ck_assert_ptr_nonnull(strstr(err.message, "earlier version"));
    open_state();
    ok(xlcfg__state_version(st, w, &err));
    ck_assert_str_eq(w, v);
    ok(xlcfg__state_history(st, NULL, UUID, 0, 10, &d, &err));
    ck_assert_uint_eq(xlcfg_doc_count(d), 2);
    xlcfg_doc_free(d);
    ok(record(st, UUID, 3, false, v, v));
    xlcfg__state_close(st);
    ok(xlcfg__state_open(dir, false, 100, &st, &err));
    xlcfg__state_close(st);
}
END_TEST

START_TEST(two_processes_record_without_losing_one)
{
    char v[XLCFG__VERSION_MAX];
    pid_t pid[2];
    xlcfg_doc *d;

    for (int i = 0; i < 2; i++)
        if (!(pid[i] = fork()))
            record_many(dir, i + 1);
    ck_assert_int_eq(reap(pid[0]), 0);
    ck_assert_int_eq(reap(pid[1]), 0);
    open_state();
    ok(xlcfg__state_version(st, v, &err));
    ck_assert_str_eq(v + 12, ".00000000000000000200");
    ok(xlcfg__state_history(st, NULL, UUID, 0, 1000, &d, &err));
    ck_assert_uint_eq(xlcfg_doc_count(d), 200);
    xlcfg_doc_free(d);
    xlcfg__state_close(st);
}
END_TEST

START_TEST(intents_outlive_the_handle_in_order)
{
    struct xlcfg_intents list;
    struct xlcfg_intent it = {
        .op = XLCFG_OP_ATTACH, .phase = XLCFG_PHASE_PREPARED,
        .kind = XLCFG_KIND_NIC, .key = (char *)"nic/0",
        .match = (char *)"nic/0", .since = 5, .attempts = 1,
        .incarnation = 3, .domain = (char *)"7@1",
    }, two;

    it.after = doc("{\"mac\":\"00:16:3e:00:00:01\"}");
    open_state();
    two = it;
    ok(xlcfg__state_intent_put(st, "xen", UUID, &it, &err));
    ok(xlcfg__state_intent_put(st, "xen", UUID, &two, &err));
    ck_assert_int_gt(it.id, 0);
    ck_assert_int_gt(two.id, it.id);
    it.phase = XLCFG_PHASE_WAITING;
    it.reason = (char *)"the guest holds it";
    ok(xlcfg__state_intent_put(st, "xen", UUID, &it, &err));
    xlcfg__state_close(st);
    open_state();
    ok(xlcfg__state_intents(st, "xen", UUID, &list, &err));
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(list.v[0].id, it.id);
    ck_assert_int_eq(list.v[0].phase, XLCFG_PHASE_WAITING);
    ck_assert_int_eq(list.v[0].kind, XLCFG_KIND_NIC);
    ck_assert_str_eq(list.v[0].reason, "the guest holds it");
    ck_assert_str_eq(list.v[0].domain, "7@1");
    ck_assert_ptr_null(list.v[0].before);
    ck_assert_ptr_null(list.v[1].reason);
    ck_assert(xlcfg__doc_equal(list.v[0].after, it.after));
    xlcfg__intents_dispose(&list);
    ok(xlcfg__state_intent_drop(st, it.id, &err));
    ok(xlcfg__state_intent_drop(st, it.id, &err));
    ck_assert_int_eq(xlcfg__state_intent_put(st, "xen", UUID, &it, &err),
                     XLCFG_ERROR_NOTFOUND);
    ok(xlcfg__state_intents(st, "xen", UUID, &list, &err));
    ck_assert_uint_eq(list.count, 1);
    xlcfg__intents_dispose(&list);
    xlcfg__state_close(st);
    xlcfg_doc_free(it.after);
}
END_TEST

START_TEST(kept_templates_count_their_changes)
{
    xlcfg_doc *d = doc("{\"a\":1}"), *back;
    struct xlcfg__seen seen;

    open_state();
    ck_assert_int_eq(xlcfg__state_template_get(st, "kvm", UUID, &back, &err),
                     XLCFG_ERROR_NOTFOUND);
    ok(xlcfg__state_template_put(st, "kvm", UUID, d, &err));
    ok(xlcfg__state_template_put(st, "kvm", UUID, d, &err));
    ok(xlcfg__state_template_get(st, "kvm", UUID, &back, &err));
    ck_assert(xlcfg__doc_equal(d, back));
    ok(xlcfg__state_seen(st, "kvm", UUID, false, &seen, &err));
    ck_assert(!seen.known);
    ck_assert_int_eq(seen.generation, 2);
    xlcfg__state_close(st);
    xlcfg_doc_free(d);
    xlcfg_doc_free(back);
}
END_TEST

START_TEST(damaged_file_is_set_aside_by_a_writer_alone)
{
    char v[XLCFG__VERSION_MAX], was[XLCFG__VERSION_MAX], cmd[256];
    char junk[8192];

    open_state();
    ok(record(st, UUID, 1, false, "", was));
    xlcfg__state_close(st);
    memset(junk, 'x', sizeof(junk));
    put_file(in("state.db"), junk, sizeof(junk));
    ck_assert_int_eq(xlcfg__state_open(dir, false, 100, &st, &err),
                     XLCFG_ERROR_STORE);
    ck_assert_int_eq(strncmp(err.where, path, strlen(path)), 0);
    open_state();
    ok(xlcfg__state_version(st, v, &err));
    ck_assert_int_ne(strncmp(v, was, 12), 0);
    xlcfg__state_close(st);
    snprintf(cmd, sizeof(cmd), "grep -q xxxx %s/state.db.damaged-*[0-9]",
             dir);
    ck_assert_int_eq(system(cmd), 0);
    ck_assert_int_eq(access(in("state.db.suspect"), F_OK), -1);
}
END_TEST

/* Ruin every page behind the first two; what stood there is found out by
 * use, and the next writer begins anew. */
START_TEST(damage_found_in_use_is_set_aside_next_time)
{
    char v[XLCFG__VERSION_MAX] = "", was[16], page[4096];
    struct xlcfg__seen seen;
    struct stat sb;
    int fd, rc = 0;

    open_state();
    for (int i = 0; i < 200; i++)
        ok(record(st, UUID, i, false, v, v));
    snprintf(was, sizeof(was), "%.12s", v);
    xlcfg__state_close(st);
    memset(page, 0xa5, sizeof(page));
    ck_assert_int_eq(stat(in("state.db"), &sb), 0);
    fd = open(path, O_WRONLY);
    for (off_t at = 3 * 4096; at < sb.st_size; at += 4096)
        ck_assert_int_eq(pwrite(fd, page, 4096, at), 4096);
    close(fd);
    rc = xlcfg__state_open(dir, true, 100, &st, &err);
    if (!rc) {
        rc = xlcfg__state_seen(st, "xen", UUID, true, &seen, &err);
        ck_assert_int_eq(rc, XLCFG_ERROR_STORE);
        xlcfg__state_close(st);
    }
    open_state();
    ok(xlcfg__state_version(st, v, &err));
    ck_assert_int_ne(strncmp(v, was, 12), 0);
    ok(record(st, UUID, 1, false, "", v));
    xlcfg__state_close(st);
}
END_TEST

START_TEST(replaced_file_is_noticed)
{
    char v[XLCFG__VERSION_MAX], other[256];

    open_state();
    snprintf(other, sizeof(other), "%s/moved", dir);
    ck_assert_int_eq(rename(in("state.db"), other), 0);
    ck_assert_int_eq(record(st, UUID, 1, false, "", v), XLCFG_ERROR_STORE);
    xlcfg__state_close(st);
}
END_TEST

/* Its next versions were given to something else already. */
START_TEST(an_older_store_put_back_is_set_aside)
{
    char v[XLCFG__VERSION_MAX], old[XLCFG__VERSION_MAX], cmd[512];
    char now[XLCFG__VERSION_MAX];

    open_state();
    ok(record(st, UUID, 1, false, "", v));
    xlcfg__state_close(st);
    snprintf(cmd, sizeof(cmd), "cp %s/state.db %s/copy", dir, dir);
    ck_assert_int_eq(system(cmd), 0);
    open_state();
    ok(xlcfg__state_version(st, now, &err));
    ck_assert_str_eq(now, v);           /* as it was left: nothing is amiss */
    strcpy(old, v);
    ok(record(st, UUID, 2, false, old, v));
    xlcfg__state_close(st);
    snprintf(cmd, sizeof(cmd), "cd %s && mv copy state.db && rm -f "
             "state.db-wal state.db-shm", dir);
    ck_assert_int_eq(system(cmd), 0);
    open_state();
    ok(xlcfg__state_version(st, now, &err));
    ck_assert_int_ne(strncmp(now, v, 12), 0);
    snprintf(cmd, sizeof(cmd), "test -f %s/state.db.damaged-*[0-9]", dir);
    ck_assert_int_eq(system(cmd), 0);
    ok(record(st, UUID, 2, false, "", v));
    xlcfg__state_close(st);
    /* and what a torn or an old tick says is nothing */
    for (int i = 0; i < 3; i++) {
        static const char *const ticks[] = { "\n", "x.99\n", "" };

        put_file(in("state.tick"), ticks[i], strlen(ticks[i]));
        open_state();
        ok(xlcfg__state_version(st, now, &err));
        ck_assert_str_eq(now, v);
        xlcfg__state_close(st);
    }
}
END_TEST

START_TEST(a_log_taken_away_is_noticed)
{
    char v[XLCFG__VERSION_MAX], was[XLCFG__VERSION_MAX];
    xlcfg__state *second;

    open_state();
    ok(record(st, UUID, 1, false, "", v));
    ck_assert(!xlcfg__state_stale(st));
    ck_assert(!unlink(in("state.db-wal")) && !unlink(in("state.db-shm")));
    ck_assert(xlcfg__state_stale(st));
    xlcfg__state_close(st);
    open_state();
    ok(xlcfg__state_version(st, was, &err));
    ok(record(st, UUID, 1, false, "", v));
    /* one that stays, and another log in the place of its own */
    ok(xlcfg__state_open(dir, false, 100, &second, &err));
    ck_assert(!xlcfg__state_stale(second));
    ck_assert(!unlink(in("state.db-wal")));
    put_file(in("state.db-wal"), "", 0);
    ck_assert(xlcfg__state_stale(second));
    ck_assert(xlcfg__state_stale(st));
    xlcfg__state_close(second);
    xlcfg__state_close(st);
}
END_TEST

START_TEST(newer_schema_is_refused_and_left_alone)
{
    int fd, i;

    open_state();
    xlcfg__state_close(st);
    fd = open(in("state.db"), O_WRONLY);
    i = 0x09000000;     /* user_version, big endian, at byte 60 */
    ck_assert_int_eq(pwrite(fd, &i, 4, 60), 4);
    close(fd);
    for (i = 0; i < 2; i++)
        ck_assert_int_eq(xlcfg__state_open(dir, i, 100, &st, &err),
                         XLCFG_ERROR_STORE);
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* With the log's files as a writer leaves them, and without. */
START_TEST(read_only_folder_is_read_and_not_written)
{
    char v[XLCFG__VERSION_MAX], cmd[256];
    pid_t pid;

    open_state();
    ok(record(st, UUID, 1, false, "", v));
    xlcfg__state_close(st);
    if (_i)
        ck_assert(!unlink(in("state.db-wal")) &&
                  !unlink(in("state.db-shm")));
    snprintf(cmd, sizeof(cmd), "chmod 444 %s/*; chmod 555 %s", dir, dir);
    ck_assert_int_eq(system(cmd), 0);
    if (!(pid = fork())) {
        char now[XLCFG__VERSION_MAX];

        drop_rights();
        if (xlcfg__state_open(dir, true, 100, &st, NULL) !=
            XLCFG_ERROR_STORE)
            _exit(1);
        if (xlcfg__state_open(dir, false, 100, &st, NULL))
            _exit(2);
        if (xlcfg__state_version(st, now, NULL) || strcmp(now, v))
            _exit(3);
        if (record(st, UUID, 2, false, v, now) != XLCFG_ERROR_STORE)
            _exit(4);
        xlcfg__state_close(st);
        _exit(0);
    }
    ck_assert_int_eq(reap(pid), 0);
    chmod(dir, 0700);
}
END_TEST

START_TEST(busy_beyond_the_wait_is_a_lock_failure)
{
    char v[XLCFG__VERSION_MAX], file[256];
    xlcfg__lock *l;

    snprintf(file, sizeof(file), "%s/state.lock", dir);
    ok(xlcfg__lock_take(file, 0, &l, &err));
    ck_assert_int_eq(xlcfg__state_open(dir, true, 30, &st, &err),
                     XLCFG_ERROR_LOCK_FAIL);
    xlcfg__lock_drop(l);
    open_state();
    ok(record(st, UUID, 1, false, "", v));
    xlcfg__state_close(st);
}
END_TEST

static TCase *tcase(Suite *s, const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    suite_add_tcase(s, tc);
    return tc;
}

int main(void)
{
    Suite *s = suite_create("store");
    SRunner *sr = srunner_create(s);
    TCase *tc = tcase(s, "lock");
    int failed;

    tcase_add_test(tc, lock_excludes_and_leaves_no_file);
    tcase_add_test(tc, lock_of_a_dead_owner_is_free);
    tcase_add_test(tc, lock_drop_spares_a_file_that_took_its_place);
    tcase_add_test(tc, lock_keeps_two_processes_apart);
    tcase_add_test(tc, lock_that_cannot_be_made_is_a_store_error);
    tc = tcase(s, "template");
    tcase_add_test(tc, template_comes_back_as_written);
    tcase_add_loop_test(tc, template_reading_tells_whole_from_damaged, 0,
                        sizeof(files) / sizeof(files[0]));
    tcase_add_test(tc, template_absent_and_unreadable_are_two_answers);
    tcase_add_test(tc, template_of_an_earlier_boot_is_called_so);
    tcase_add_test(tc, template_write_that_fails_leaves_the_old_one);
    tcase_add_test(tc, tidy_removes_what_a_killed_writer_left_and_nothing_else);
    tcase_add_test(tc, sweep_removes_free_locks_of_that_name_alone);
    tcase_add_test(tc, template_lock_has_the_name_libxl_uses);
    tc = tcase(s, "state");
    tcase_add_test(tc, reading_makes_nothing);
    tcase_add_loop_test(tc, files_are_private_whatever_the_umask, 0, 2);
    tcase_add_test(tc,
        record_moves_version_devices_snapshot_and_history_at_once);
    tcase_add_test(tc, gone_domains_are_told_as_gone);
    tcase_add_test(tc, history_is_bounded_and_newest_snapshots_stay);
    tcase_add_test(tc, history_is_bounded_by_size_and_age_too);
    tcase_add_test(tc, an_event_may_have_neither_changes_nor_snapshot);
    tcase_add_test(tc, tokens_are_of_this_store_and_its_history);
    tcase_add_test(tc, lines_are_the_domains_as_they_are_now);
    tcase_add_test(tc, schema_1_is_converted_by_who_records);
    tcase_add_test(tc, two_processes_record_without_losing_one);
    tcase_add_test(tc, intents_outlive_the_handle_in_order);
    tcase_add_test(tc, kept_templates_count_their_changes);
    tcase_add_test(tc, damaged_file_is_set_aside_by_a_writer_alone);
    tcase_add_test(tc, damage_found_in_use_is_set_aside_next_time);
    tcase_add_test(tc, replaced_file_is_noticed);
    tcase_add_test(tc, an_older_store_put_back_is_set_aside);
    tcase_add_test(tc, a_log_taken_away_is_noticed);
    tcase_add_test(tc, newer_schema_is_refused_and_left_alone);
    tcase_add_loop_test(tc, read_only_folder_is_read_and_not_written, 0, 2);
    tcase_add_test(tc, busy_beyond_the_wait_is_a_lock_failure);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    printf("%d passed, %d failed\n", srunner_ntests_run(sr) - failed,
           failed);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
