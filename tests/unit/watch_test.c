/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches, history and listings over the in-memory driver. */
#include "ops/ctx.h"
#include "store/keeper.h"
#include "unit.h"
#include "libxl_cfg.h"
#include "store/state.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define U1 "11111111-2222-3333-4444-555555555555"
#define CONFIG "{\"c_info\":{\"name\":\"g\"},\"disks\":[{\"vdev\":\"xvda\"}]}"
#define DOM "{\"domains\":[{\"uuid\":\"" U1 "\",\"name\":\"g\",\"domid\":5," \
    "\"run\":\"r1\",\"stored\":" CONFIG ",\"live\":" CONFIG "}]}"

static char dir[64], uri[96];
static xlcfg_error err;
static xlcfg_ctx *ctx, *other;  /* the watching one, the acting one */

static xlcfg_ctx *open_ctx(void)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_ctx *c;

    opt.state_dir = dir;
    /* a busy machine takes what it takes */
    opt.deadline_ms = 60000;
    ck_assert_msg(!xlcfg_ctx_open(uri, &opt, &c, &err), "%s: %s", err.where,
                  err.message);
    return c;
}

static void setup(void)
{
    FILE *f;

    strcpy(dir, "/tmp/watch_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(uri, sizeof(uri), "mem:%s/guests.json", dir);
    f = fopen(uri + 4, "w");
    ck_assert_int_ge(fputs(DOM, f), 0);
    ck_assert_int_eq(fclose(f), 0);
    ctx = open_ctx();
    other = open_ctx();
}

static void teardown(void)
{
    char words[96];

    xlcfg_ctx_close(ctx);
    xlcfg_ctx_close(other);
    snprintf(words, sizeof(words), "rm -rf '%s'", dir);
    ck_assert_int_eq(system(words), 0);
}

/* One device more or less. */
static void change(int i)
{
    xlcfg_doc *body = doc_of("{\"vdev\":\"xvdb\"}"), *doc = NULL;
    int rc;

    rc = i % 2 ? xlcfg_device_detach(other, "g", "disk/xvdb", NULL, &doc,
                                     &err)
               : xlcfg_device_attach(other, "g", "disk", body, NULL, &doc,
                                     &err);
    ck_assert_msg(!rc, "%s: %s", err.where, err.message);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(body);
}

static char *version_now(void)
{
    xlcfg_doc *doc;
    char *text;

    ck_assert_int_eq(xlcfg_domain_list(other, false, &doc, &err), 0);
    text = strdup(xlcfg_doc_string(xlcfg_doc_get(doc, "version")));
    xlcfg_doc_free(doc);
    return text;
}

static xlcfg_watch *open_watch(const char *since)
{
    xlcfg_watch *w;

    ck_assert_msg(!xlcfg_watch_open(ctx, NULL, since, NULL, &w, &err),
                  "%s: %s", err.where, err.message);
    return w;
}

/* The next event; fails when none comes. */
static xlcfg_doc *next(xlcfg_watch *w)
{
    struct pollfd fd = { .fd = xlcfg_watch_fd(w), .events = POLLIN };
    xlcfg_doc *doc;
    int rc;

    while ((rc = xlcfg_watch_next(w, &doc, &err)) == 1)
        ck_assert_int_eq(poll(&fd, 1, 60000), 1);
    ck_assert_msg(!rc, "%s: %s", err.where, err.message);
    return doc;
}

static const char *version_of(const xlcfg_doc *doc)
{
    return xlcfg_doc_string(xlcfg_doc_get(doc, "version"));
}

/* All events up to a version, one revision after the other. */
static int read_up_to(xlcfg_watch *w, const char *last)
{
    int64_t revision = strtoll(xlcfg_watch_token(w) + 13, NULL, 10);
    int count = 0;

    while (strcmp(xlcfg_watch_token(w), last) < 0) {
        xlcfg_doc *doc = next(w);

        ck_assert_int_eq(xlcfg__doc_to_int(xlcfg_doc_get(doc, "revision"),
                                           0), revision + ++count);
        ck_assert_str_eq(version_of(doc), xlcfg_watch_token(w));
        xlcfg_doc_free(doc);
    }
    return count;
}

START_TEST(every_reader_has_every_event)
{
    char *since = version_now(), *last;
    xlcfg_watch *w[5];
    int count;

    for (int i = 0; i < 4; i++)
        w[i] = open_watch(since);
    for (int i = 0; i < 6; i++)
        change(i);
    last = version_now();
    w[4] = open_watch(since);
    count = read_up_to(w[0], last);
    ck_assert_int_ge(count, 6);
    for (int i = 1; i < 5; i++)
        ck_assert_int_eq(read_up_to(w[i], last), count);
    for (int i = 0; i < 5; i++)
        xlcfg_watch_close(w[i]);
    free(since);
    free(last);
}
END_TEST

START_TEST(who_is_behind_the_ring_reads_the_store)
{
    char *since = version_now(), *last;
    xlcfg_watch *w = open_watch(since);

    for (int i = 0; i < 140; i++)       /* more than the ring has */
        change(i);
    last = version_now();
    ck_assert_int_ge(read_up_to(w, last), 140);
    xlcfg_watch_close(w);
    free(since);
    free(last);
}
END_TEST

START_TEST(a_watch_from_now_tells_what_comes)
{
    xlcfg_watch *w;
    xlcfg_doc *doc;

    free(version_now());
    w = open_watch(NULL);
    ck_assert_int_eq(xlcfg_watch_next(w, &doc, &err), 1);
    change(0);
    doc = next(w);
    ck_assert_str_eq(xlcfg_doc_string(xlcfg_doc_get(doc, "key")),
                     "disk/xvdb");
    xlcfg_doc_free(doc);
    xlcfg_watch_close(w);
    w = open_watch(NULL);               /* a hub can be begun again */
    ck_assert_int_eq(xlcfg_watch_next(w, &doc, &err), 1);
    xlcfg_watch_close(w);
}
END_TEST

START_TEST(bookmarks_say_that_silence_is_silence)
{
    xlcfg_watch_options opt = XLCFG_WATCH_OPTIONS_INIT;
    char *now = version_now();
    xlcfg_watch *w;
    xlcfg_doc *doc;

    opt.bookmark_ms = 20;
    ck_assert_int_eq(xlcfg_watch_open(ctx, "g", now, &opt, &w, &err), 0);
    for (int i = 0; i < 3; i++) {
        doc = next(w);
        ck_assert_str_eq(xlcfg_doc_string(xlcfg_doc_get(doc, "event")),
                         "bookmark");
        ck_assert_str_eq(version_of(doc), now);
        xlcfg_doc_free(doc);
    }
    xlcfg_watch_close(w);
    free(now);
}
END_TEST

START_TEST(what_history_lost_is_too_old_for_ever)
{
    char *since;
    xlcfg_watch *w;
    xlcfg_doc *doc;

    setenv("XLCFG_HISTORY_KEEP", "2", 1);
    since = version_now();
    for (int i = 0; i < 6; i++)
        change(i);
    ck_assert_int_eq(xlcfg_watch_open(ctx, NULL, since, NULL, &w, &err),
                     XLCFG_ERROR_TOO_OLD);
    ck_assert_ptr_nonnull(strstr(err.message, "list again"));
    ck_assert_int_eq(xlcfg_history(ctx, NULL, since, 0, &doc, &err),
                     XLCFG_ERROR_TOO_OLD);
    free(since);
    since = version_now();
    w = open_watch(since);
    for (int i = 0; i < 300; i++)       /* behind the ring, unread */
        change(i);
    /* what was fetched or kept in the ring is told, then it is over */
    for (int i = 0; i < 400 && !xlcfg_watch_next(w, &doc, &err); i++)
        xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_watch_next(w, &doc, &err), XLCFG_ERROR_TOO_OLD);
    ck_assert_int_eq(xlcfg_watch_next(w, &doc, &err), XLCFG_ERROR_TOO_OLD);
    xlcfg_watch_close(w);
    free(since);
    unsetenv("XLCFG_HISTORY_KEEP");
}
END_TEST

START_TEST(what_was_read_is_what_is)
{
    unsigned seed = (unsigned)time(NULL);
    xlcfg_doc *page, *now, *diff;
    const xlcfg_doc *last;
    char *since = version_now();
    int held = 0;

    printf("seed %u\n", seed);
    for (int i = 0; i < 40; i++) {
        if (rand_r(&seed) % 3)
            change(held++);
        ck_assert_int_eq(xlcfg_domain_get(other, "g", NULL, &now, &err), 0);
        ck_assert_int_eq(xlcfg_history(ctx, "g", NULL, 0, &page, &err), 0);
        last = xlcfg_doc_at(page, xlcfg_doc_count(page) - 1);
        /* the newest event is the domain, its version is the domain's */
        ck_assert_str_eq(version_of(last), version_of(now));
        for (size_t m = 0; m < xlcfg_doc_count(now); m++)
            ck_assert(xlcfg__doc_equal(xlcfg_doc_at(now, m),
                                       xlcfg_doc_get(last, xlcfg_doc_name(
                                           now, m))));
        ck_assert_int_eq(xlcfg_domain_diff_versions(ctx, "g",
                                                    version_of(now), NULL,
                                                    &diff, &err), 0);
        ck_assert_uint_eq(xlcfg_doc_count(xlcfg_doc_get(diff, "changes")),
                          0);
        xlcfg_doc_free(diff);
        xlcfg_doc_free(page);
        xlcfg_doc_free(now);
    }
    free(since);
}
END_TEST

START_TEST(only_what_differs_is_listed)
{
    xlcfg_changes_options opt = XLCFG_CHANGES_OPTIONS_INIT;
    xlcfg_doc *before, *doc;

    ck_assert_int_eq(xlcfg_domain_list(other, false, &before, &err), 0);
    opt.known = before;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(xlcfg_changes(ctx, &opt, &doc, &err), 0);
        ck_assert_uint_eq(xlcfg_doc_count(xlcfg_doc_get(doc, "domains")),
                          (size_t)i);
        ck_assert_uint_eq(xlcfg_doc_count(xlcfg_doc_get(doc, "gone")), 0);
        xlcfg_doc_free(doc);
        change(i);
    }
    opt.known = NULL;
    opt.since = version_of(before);
    ck_assert_int_eq(xlcfg_changes(ctx, &opt, &doc, &err), 0);
    ck_assert_uint_eq(xlcfg_doc_count(xlcfg_doc_get(doc, "domains")), 1);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(before);
}
END_TEST

START_TEST(waiting_ends_at_once_when_it_is_so)
{
    xlcfg_doc *doc;

    ck_assert_int_eq(xlcfg_wait(ctx, "g", "disk/xvda", "attached", 60000,
                                &doc, &err), 0);
    ck_assert_str_eq(xlcfg_doc_string(xlcfg_doc_pointer(doc, "/device/state")),
                     "attached");
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_wait(ctx, "g", "disk/xvdq", "detached", 60000,
                                &doc, &err), 0);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_wait(ctx, "g", "disk/xvdq", "attached", 30, &doc,
                                &err), XLCFG_ERROR_TIMEDOUT);
    ck_assert_int_eq(xlcfg_wait(ctx, "g", "disk/xvdq", "nonsense", 30, &doc,
                                &err), XLCFG_ERROR_INVAL);
    ck_assert_int_eq(xlcfg_wait(ctx, "nobody", "disk/xvdq", "attached", 30,
                                &doc, &err), XLCFG_ERROR_DOMAIN_NOTFOUND);
}
END_TEST

static void put_guest(const char *more)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/new.json", dir);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "{\"domains\":[{\"uuid\":\"" U1 "\",\"name\":\"g\","
            "\"domid\":5,\"run\":\"r1\",\"stored\":%s,\"live\":%s%s}]}",
            CONFIG, CONFIG, more);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(rename(path, uri + 4), 0);
}

static int wait_for(const char *key, const char *state, unsigned ms)
{
    xlcfg_doc *doc = NULL;
    int rc = xlcfg_wait(ctx, "g", key, state, ms, &doc, &err);

    xlcfg_doc_free(doc);
    return rc;
}

static const struct {
    const char *note, *key;
    int rc;
} notes[] = {
    { "/nics: cannot list", "nic/7", XLCFG_ERROR_TIMEDOUT },
    { "/nics/2: no identity", "nic/7", XLCFG_ERROR_TIMEDOUT },
    { "/nics: cannot list", "disk/xvdq", 0 },
    { "/b_info/avail_vcpus: cannot be read", "nic/7", 0 },
    { "devices: QEMU has not answered", "nic/7", XLCFG_ERROR_TIMEDOUT },
    { "/libxl/5/device: cannot list", "disk/xvdq", XLCFG_ERROR_TIMEDOUT },
};

/* Not known is not detached. */
START_TEST(what_could_not_be_listed_is_not_detached)
{
    char more[200];

    snprintf(more, sizeof(more), ",\"unknown\":[\"%s\"]", notes[_i].note);
    put_guest(more);
    ck_assert_int_eq(wait_for(notes[_i].key, "detached", 50), notes[_i].rc);
    ck_assert_int_eq(wait_for("disk/xvda", "attached", 60000), 0);
    ck_assert_int_eq(wait_for("nic/7", "attached", 50),
                     XLCFG_ERROR_TIMEDOUT);
}
END_TEST

static const struct {
    const char *driver, *uri, *place;
} places[] = {
    { "xen", NULL, "xen:///" }, { "libvirt", NULL, "qemu:///system" },
    { "libvirt", "qemu+unix:///system", "qemu:///system" },
    { "libvirt", "qemu+unix:///system?socket=/a", "qemu:///system?socket=/a" },
    { "libvirt", "qemu+unix://h/system", "qemu+unix://h/system" },
    { "libvirt", "qemu+ssh://h/system", "qemu+ssh://h/system" },
    { "libvirt", "test:///default", "test:///default" },
    { "mem", "mem:/a+unix:///b", "mem:/a+unix:///b" }, { "mem", "", "" },
};

START_TEST(one_connection_has_one_name)
{
    char place[128];

    xlcfg__place_of(places[_i].driver, places[_i].uri, place);
    ck_assert_str_eq(place, places[_i].place);
}
END_TEST

/* Two ways to one backend, of which one is not used any more. */
START_TEST(who_lists_a_domain_tells_its_end)
{
    xlcfg_changes_options opt = XLCFG_CHANGES_OPTIONS_INIT;
    xlcfg_doc *before, *doc;
    xlcfg_ctx *same = ctx;
    xlcfg_watch *w;
    FILE *f;

    ck_assert_int_eq(xlcfg_domain_list(same, false, &before, &err), 0);
    xlcfg_doc_free(before);
    snprintf(uri, sizeof(uri), "mem:%s/./guests.json", dir);
    ctx = open_ctx();
    ck_assert_int_eq(xlcfg_domain_list(ctx, false, &before, &err), 0);
    w = open_watch(version_of(before));
    f = fopen(uri + 4, "w");
    ck_assert_int_ge(fputs("{\"domains\":[]}", f), 0);
    ck_assert_int_eq(fclose(f), 0);
    doc = next(w);
    ck_assert_str_eq(xlcfg_doc_string(xlcfg_doc_get(doc, "event")), "gone");
    xlcfg_doc_free(doc);
    xlcfg_watch_close(w);
    opt.known = before;
    ck_assert_int_eq(xlcfg_changes(ctx, &opt, &doc, &err), 0);
    ck_assert_str_eq(xlcfg_doc_string(xlcfg_doc_pointer(doc, "/gone/0")), U1);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(before);
    xlcfg_ctx_close(same);
}
END_TEST

static void *look_again(void *arg)
{
    (void)arg;
    (void)poll(NULL, 0, 300);
    put_guest("");
    return NULL;
}

/* No event tells of it, for nothing of the domain is another. */
START_TEST(waiting_ends_when_it_can_be_told)
{
    pthread_t thread;

    put_guest(",\"unknown\":[\"/nics: cannot list\"]");
    ck_assert_int_eq(pthread_create(&thread, NULL, look_again, NULL), 0);
    ck_assert_int_eq(wait_for("nic/7", "detached", 120000), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(a_key_is_waited_for_however_it_is_written)
{
    put_guest("");
    ck_assert_int_eq(wait_for("disk/51712", "attached", 60000), 0);
    ck_assert_int_eq(wait_for("disk/0xca00", "attached", 60000), 0);
    ck_assert_int_eq(wait_for("disk/d0", "detached", 50),
                     XLCFG_ERROR_TIMEDOUT);
    ck_assert_int_eq(wait_for("disk/xvda1", "detached", 60000), 0);
}
END_TEST

START_TEST(a_watch_keeps_the_store)
{
    xlcfg_watch *w = open_watch(NULL);
    char *name = xlcfg__keeper_name(other);
    char version[XLCFG__KEEPER_VERSION_MAX];
    int rc = XLCFG_ERROR_NOTFOUND;
    size_t count;

    ck_assert_ptr_nonnull(name);
    /* it takes the office after its first look */
    for (int i = 0; i < 1200 && rc; i++) {
        rc = xlcfg__keeper_ask(dir, name, 60000, version, &count);
        if (rc)
            (void)poll(NULL, 0, 50);
    }
    for (int i = 0; i < 20; i++) {
        char *now;

        change(i);
        ck_assert_int_eq(xlcfg__keeper_ask(dir, name, 60000, version,
                                           &count), 0);
        now = version_now();
        ck_assert_str_eq(version, now);
        ck_assert_uint_eq(count, 1);
        free(now);
    }
    xlcfg_watch_close(w);
    ck_assert_int_eq(xlcfg__keeper_ask(dir, name, 60000, version, &count),
                     XLCFG_ERROR_NOTFOUND);
    free(name);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("watch");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, every_reader_has_every_event);
    tcase_add_test(tc, who_is_behind_the_ring_reads_the_store);
    tcase_add_test(tc, a_watch_from_now_tells_what_comes);
    tcase_add_test(tc, bookmarks_say_that_silence_is_silence);
    tcase_add_test(tc, what_history_lost_is_too_old_for_ever);
    tcase_add_test(tc, what_was_read_is_what_is);
    tcase_add_test(tc, only_what_differs_is_listed);
    tcase_add_test(tc, waiting_ends_at_once_when_it_is_so);
    tcase_add_loop_test(tc, what_could_not_be_listed_is_not_detached, 0,
                        sizeof(notes) / sizeof(notes[0]));
    tcase_add_loop_test(tc, one_connection_has_one_name, 0,
                        sizeof(places) / sizeof(places[0]));
    tcase_add_test(tc, who_lists_a_domain_tells_its_end);
    tcase_add_test(tc, waiting_ends_when_it_can_be_told);
    tcase_add_test(tc, a_key_is_waited_for_however_it_is_written);
    tcase_add_test(tc, a_watch_keeps_the_store);
    return run_case("watch", tc);
}
