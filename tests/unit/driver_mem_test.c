/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver contract, as the in-memory driver keeps it. */
#include "unit.h"
#include "driver/driver.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#define U1 "11111111-2222-3333-4444-555555555555"
#define U2 "22222222-2222-3333-4444-555555555555"
#define LIVE "{\"c_info\":{\"name\":\"g\"},\"disks\":[" \
    "{\"vdev\":\"xvda\"},{\"vdev\":\"xvdb\"},{\"vdev\":\"xvdc\"}]," \
    "\"nics\":[{\"devid\":0}],\"rdms\":[{}]}"
#define DOM "{\"uuid\":\"" U1 "\",\"name\":\"g\",\"domid\":5," \
    "\"run\":\"r1\",\"stored\":{\"x\":1},\"live\":" LIVE "," \
    "\"devices\":{\"disk/xvdb\":{\"holds\":true},\"disk/xvdc\":" \
    "{\"refuses\":\"busy\"},\"nic/7\":{\"live\":\"leaked\"," \
    "\"reason\":\"left\"},\"vtpm/0\":{\"refuses\":\"no\"}}," \
    "\"unknown\":[\"/b_info: no\"],\"blind\":[\"rdm\"]}"
#define FILE1 "mem:{\"domains\":[" DOM "]%s}"

static struct xlcfg_conn *conn;
static struct xlcfg_domain dom;

static void open_with(const char *fail)
{
    char uri[2048];
    xlcfg_error err = XLCFG_ERROR_INIT;

    snprintf(uri, sizeof(uri), FILE1, fail);
    ck_assert_msg(xlcfg__conn_open(uri, NULL, &conn, &err) == 0, "%s: %s",
                  err.where, err.message);
}

static void begin(void)
{
    open_with("");
    ck_assert_int_eq(conn->drv.find(conn->handle, "g", &dom, NULL), 0);
}

static void end(void)
{
    xlcfg__domain_dispose(&dom);
    xlcfg__conn_free(conn);
}

static const struct {
    const char *uri;
    int code;
    const char *where;
} refused[] = {
    { "mem:", XLCFG_ERROR_INVAL, "mem:" },
    { "mem:/nonexistent/x", XLCFG_ERROR_UNREACHABLE, "/nonexistent/x" },
    { "mem:{", XLCFG_ERROR_PARSE, "mem:: line 1" },
    { "mem:{\"x\":1}", XLCFG_ERROR_PARSE, "mem:: /x" },
    { "mem:{\"domains\":{}}", XLCFG_ERROR_PARSE, "/domains" },
    { "mem:{\"domains\":[1]}", XLCFG_ERROR_PARSE, "/domains/0" },
    { "mem:{\"domains\":[{}]}", XLCFG_ERROR_PARSE, "/domains/0/uuid" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"domid\":1}]}",
      XLCFG_ERROR_PARSE, "/domains/0/live" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"domid\":\"1\"}]}",
      XLCFG_ERROR_PARSE, "/domains/0/domid" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"state\":\"on\"}]}",
      XLCFG_ERROR_PARSE, "/domains/0/state" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"live\":{\"nics\":1}}]}",
      XLCFG_ERROR_PARSE, "/domains/0/live" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"blind\":[\"x\"]}]}",
      XLCFG_ERROR_PARSE, "/domains/0/blind/0" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"unknown\":[1]}]}",
      XLCFG_ERROR_PARSE, "/domains/0/unknown/0" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"devices\":{\"nic/0\":"
      "{\"live\":\"gone\"}}}]}", XLCFG_ERROR_PARSE,
      "/domains/0/devices/nic~10/live" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\",\"devices\":{\"x\":{}}}]}",
      XLCFG_ERROR_PARSE, "/domains/0/devices/x" },
    { "mem:{\"domains\":[{\"uuid\":\"" U1 "\"},{\"uuid\":\"" U1 "\"}]}",
      XLCFG_ERROR_PARSE, "/domains/1/uuid" },
    { "mem:{\"fail\":[{\"call\":\"x\",\"error\":\"FAIL\"}]}",
      XLCFG_ERROR_PARSE, "/fail/0/call" },
    { "mem:{\"fail\":[{\"call\":\"live\",\"error\":\"x\"}]}",
      XLCFG_ERROR_PARSE, "/fail/0/error" },
    { "mem:{\"fail\":[{\"call\":\"live\"}]}", XLCFG_ERROR_PARSE, "/fail/0" },
    { "mem:{\"fail\":[{\"call\":\"open\",\"error\":\"UNREACHABLE\"}]}",
      XLCFG_ERROR_UNREACHABLE, "mem:" },
    { "none:x", XLCFG_ERROR_INVAL, "none:x" },
};

START_TEST(a_malformed_file_is_refused_by_its_pointer)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_conn *none = NULL;

    ck_assert_int_eq(xlcfg__conn_open(refused[_i].uri, NULL, &none, &err),
                     refused[_i].code);
    ck_assert_ptr_null(none);
    ck_assert_msg(strstr(err.where, refused[_i].where), "%s: %s", err.where,
                  err.message);
    ck_assert_uint_gt(strlen(err.message), 5);
}
END_TEST

START_TEST(a_domain_is_found_by_name_uuid_and_id)
{
    static const char *const names[] = { "g", U1, "5" };
    struct xlcfg_domains list = { 0 };
    struct xlcfg_domain d;

    begin();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(conn->drv.find(conn->handle, names[i], &d, NULL),
                         0);
        ck_assert_str_eq(d.uuid, U1);
        ck_assert_str_eq(d.run, "r1");
        xlcfg__domain_dispose(&d);
    }
    ck_assert_int_eq(conn->drv.find(conn->handle, "-1", &d, NULL),
                     XLCFG_ERROR_DOMAIN_NOTFOUND);
    ck_assert_int_eq(conn->drv.list(conn->handle, &list, NULL), 0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(list.v[0].state, "running");
    xlcfg__domains_dispose(&list);
    end();
}
END_TEST

static enum xlcfg_live live_of(const char *key, size_t *count_r)
{
    enum xlcfg_live live = XLCFG_LIVES;
    struct xlcfg_view view;

    xlcfg__view_init(&view);
    ck_assert_int_eq(conn->drv.live(conn->handle, &dom, &view, NULL), 0);
    for (size_t i = 0; i < view.count; i++)
        if (!strcmp(view.devs[i].key, key))
            live = view.devs[i].live;
    ck_assert(!view.sees[XLCFG_KIND_RDM] && view.sees[XLCFG_KIND_DISK]);
    ck_assert_uint_eq(view.unknown.count, 1);
    if (count_r)
        *count_r = view.count;
    xlcfg__view_dispose(&view);
    return live;
}

START_TEST(live_shows_words_and_is_silent_of_what_it_cannot_see)
{
    size_t count;

    begin();
    ck_assert_int_eq(live_of("disk/xvda", &count), XLCFG_LIVE_PRESENT);
    ck_assert_uint_eq(count, 5);
    ck_assert_int_eq(live_of("nic/7", NULL), XLCFG_LIVE_LEAKED);
    ck_assert_int_eq(live_of("rdm/0", NULL), XLCFG_LIVES);
    end();
}
END_TEST

static int act(bool attach, enum xlcfg_kind kind, const char *text,
               unsigned flags)
{
    xlcfg_doc *body = doc_of(text);
    int rc;

    rc = attach ? conn->drv.attach(conn->handle, &dom, kind, body, NULL)
        : conn->drv.detach(conn->handle, &dom, kind, body, flags, 0, NULL);
    xlcfg_doc_free(body);
    return rc;
}

#define ATTACH(kind, text) act(true, XLCFG_KIND_##kind, text, 0)
#define DETACH(kind, text, flags) act(false, XLCFG_KIND_##kind, text, flags)

START_TEST(plugs_keep_the_contract)
{
    static const char a[] = "{\"vdev\":\"xvda\"}", b[] = "{\"vdev\":\"xvdb\"}",
        c[] = "{\"vdev\":\"xvdc\"}";
    char *was, *now;

    begin();
    ck_assert_int_eq(conn->drv.index(conn->handle, &dom, &was, NULL), 0);
    ck_assert_int_eq(ATTACH(DISK, a), XLCFG_ERROR_DEVICE_EXISTS);
    ck_assert_int_eq(ATTACH(DISK, "{\"vdev\":\"51712\"}"),
                     XLCFG_ERROR_DEVICE_EXISTS);
    ck_assert_int_eq(ATTACH(VTPM, "{\"devid\":0}"), XLCFG_ERROR_REFUSED);
    ck_assert_int_eq(ATTACH(DISK, "{}"), XLCFG_ERROR_INVAL);
    ck_assert_int_eq(DETACH(DISK, c, 0), XLCFG_ERROR_REFUSED);
    ck_assert_int_eq(DETACH(VTPM, "{\"devid\":9}", 0), XLCFG_ERROR_NOTFOUND);
    ck_assert_int_eq(conn->drv.index(conn->handle, &dom, &now, NULL), 0);
    ck_assert_str_eq(was, now);
    free(now);
    ck_assert_int_eq(DETACH(DISK, a, 0), 0);
    ck_assert_int_eq(live_of("disk/xvda", NULL), XLCFG_LIVES);
    ck_assert_int_eq(DETACH(DISK, b, 0), XLCFG_ERROR_PENDING);
    ck_assert_int_eq(live_of("disk/xvdb", NULL), XLCFG_LIVE_LEAVING);
    ck_assert_int_eq(DETACH(DISK, b, 0), XLCFG_ERROR_PENDING);
    ck_assert_int_eq(DETACH(DISK, b, XLCFG_DETACH_FORCE), 0);
    ck_assert_int_eq(ATTACH(DISK, a), 0);
    ck_assert_int_eq(live_of("disk/xvda", NULL), XLCFG_LIVE_PRESENT);
    ck_assert_int_eq(conn->drv.index(conn->handle, &dom, &now, NULL), 0);
    ck_assert_str_ne(was, now);
    free(was);
    free(now);
    end();
}
END_TEST

static const struct {
    enum xlcfg_kind kind;
    const char *body, *want;
    int rc;
} prepared[] = {
    { XLCFG_KIND_DISK, "{}", "{\"vdev\":\"xvdd\"}", 0 },
    { XLCFG_KIND_NIC, "{}", "{\"devid\":1}", 0 },
    { XLCFG_KIND_NIC, "{\"devid\":4}", "{\"devid\":4}", 0 },
    { XLCFG_KIND_NIC, "{\"devid\":7}", NULL, XLCFG_ERROR_DEVICE_EXISTS },
    { XLCFG_KIND_PCI, "{}", NULL, XLCFG_ERROR_INVAL },
    { XLCFG_KIND_DISK, "[]", NULL, XLCFG_ERROR_INVAL },
};

START_TEST(prepare_chooses_what_is_open)
{
    xlcfg_doc *body = doc_of(prepared[_i].body), *out = NULL;
    const struct xlcfg__addresses book = { .choice = XLCFG__CHOICE_NEWEST };
    struct xlcfg_view view;

    begin();
    xlcfg__view_init(&view);
    ck_assert_int_eq(conn->drv.live(conn->handle, &dom, &view, NULL), 0);
    ck_assert_int_eq(conn->drv.prepare(conn->handle, &dom,
                                       prepared[_i].kind, body, &view,
                                       &book, &out, NULL), prepared[_i].rc);
    if (prepared[_i].want)
        is_text(out, prepared[_i].want);
    xlcfg__view_dispose(&view);
    xlcfg_doc_free(body);
    end();
}
END_TEST

START_TEST(update_and_clean_keep_the_contract)
{
    xlcfg_doc *a = doc_of("{\"vdev\":\"xvda\"}");
    xlcfg_doc *b = doc_of("{\"vdev\":\"xvda\",\"pdev_path\":\"/n\"}");
    xlcfg_doc *c = doc_of("{\"vdev\":\"xvdz\"}");
    struct xlcfg_dev leaked = { .match = "nic/7" }, good = {
        .match = "nic/0" };
    xlcfg__items steps = { 0 };

    begin();
    ck_assert_int_eq(conn->drv.update(conn->handle, &dom, XLCFG_KIND_DISK, a,
                                      b, NULL), 0);
    ck_assert_int_eq(conn->drv.update(conn->handle, &dom, XLCFG_KIND_DISK, a,
                                      c, NULL), XLCFG_ERROR_INVAL);
    ck_assert_int_eq(conn->drv.update(conn->handle, &dom, XLCFG_KIND_DISK, c,
                                      c, NULL), XLCFG_ERROR_NOTFOUND);
    ck_assert_int_eq(conn->drv.clean(conn->handle, &dom, &good, false,
                                     &steps, NULL), XLCFG_ERROR_INVAL);
    for (int dry = 1; dry >= 0; dry--)
        ck_assert_int_eq(conn->drv.clean(conn->handle, &dom, &leaked, dry,
                                         &steps, NULL), 0);
    ck_assert_int_eq(live_of("nic/7", NULL), XLCFG_LIVES);
    ck_assert_int_eq(conn->drv.clean(conn->handle, &dom, &leaked, false,
                                     &steps, NULL), 0);
    is_text(xlcfg__items_end(&steps),
            "[\"remove nic/7 (leaked)\",\"remove nic/7 (leaked)\"]");
    xlcfg_doc_free(a);
    xlcfg_doc_free(b);
    xlcfg_doc_free(c);
    end();
}
END_TEST

START_TEST(create_makes_a_domain_once)
{
    xlcfg_doc *config = doc_of("{\"c_info\":{\"name\":\"new\",\"uuid\":\""
                               U2 "\"},\"vtpms\":[{\"devid\":0}]}");
    xlcfg_doc *bad = doc_of("{}"), *stored = NULL;
    struct xlcfg_domain d;

    begin();
    ck_assert_int_eq(conn->drv.create(conn->handle, bad, true, &d, NULL),
                     XLCFG_ERROR_INVAL);
    ck_assert_int_eq(conn->drv.create(conn->handle, config, _i, &d, NULL),
                     0);
    ck_assert_int_eq((int)d.domid, _i ? 6 : -1);
    ck_assert_str_eq(d.state, _i ? "running" : "stopped");
    ck_assert_int_eq(conn->drv.stored(conn->handle, &d, &stored, NULL), 0);
    ck_assert(xlcfg__doc_equal(stored, config));
    xlcfg_doc_free(stored);
    xlcfg__domain_dispose(&d);
    /* a stopped one of both names starts, a running one is in the way */
    ck_assert_int_eq(conn->drv.create(conn->handle, config, true, &d, NULL),
                     _i ? XLCFG_ERROR_REFUSED : 0);
    if (!_i)
        xlcfg__domain_dispose(&d);
    ck_assert_int_eq(conn->drv.create(conn->handle, config, false, &d,
                                      NULL), XLCFG_ERROR_REFUSED);
    xlcfg_doc_free(config);
    xlcfg_doc_free(bad);
    end();
}
END_TEST

START_TEST(the_watch_tells_each_change_once)
{
    struct pollfd p = { .events = POLLIN };
    char uuid[37];

    begin();
    p.fd = conn->drv.watch_fd(conn->handle, NULL);
    ck_assert_int_ge(p.fd, 0);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    ck_assert_int_eq(DETACH(DISK, "{\"vdev\":\"xvda\"}", 0), 0);
    ck_assert_int_eq(poll(&p, 1, 0), 1);
    ck_assert_int_eq(conn->drv.watch_next(conn->handle, uuid, NULL), 0);
    ck_assert_str_eq(uuid, U1);
    ck_assert_int_eq(conn->drv.watch_next(conn->handle, uuid, NULL), 1);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    end();
}
END_TEST

START_TEST(a_transient_domain_keeps_no_definition)
{
    xlcfg_doc *config = doc_of("{\"c_info\":{\"name\":\"new\",\"uuid\":\""
                               U2 "\"}}");
    xlcfg_doc *stored = NULL;
    struct xlcfg_domain d;

    begin();
    ck_assert_int_eq(conn->drv.create(conn->handle, config,
                                      XLCFG_CREATE_TRANSIENT, &d, NULL),
                     XLCFG_ERROR_INVAL);
    ck_assert_int_eq(conn->drv.create(conn->handle, config,
                                      XLCFG_CREATE_TRANSIENT |
                                      XLCFG_CREATE_START, &d, NULL), 0);
    ck_assert_int_eq(conn->drv.stored(conn->handle, &d, &stored, NULL),
                     XLCFG_ERROR_NOTFOUND);
    xlcfg__domain_dispose(&d);
    xlcfg_doc_free(config);
    end();
}
END_TEST

/* Two handles on one file: what one does the other sees, and is told. */
START_TEST(a_file_is_one_machine_for_all_who_open_it)
{
    char path[] = "/tmp/mem_test.XXXXXX", uri[64], uuid[37];
    struct xlcfg_view view;
    struct xlcfg_conn *other;
    struct pollfd p = { .events = POLLIN };
    xlcfg_doc *body = doc_of("{\"vdev\":\"xvdd\",\"pdev_path\":\"/d\"}");
    int fd = mkstemp(path);

    ck_assert_int_eq(dprintf(fd, "{\"domains\":[" DOM "]}") > 0, 1);
    close(fd);
    snprintf(uri, sizeof(uri), "mem:%s", path);
    ck_assert_int_eq(xlcfg__conn_open(uri, NULL, &conn, NULL), 0);
    ck_assert_int_eq(xlcfg__conn_open(uri, NULL, &other, NULL), 0);
    ck_assert_int_eq(conn->drv.find(conn->handle, "g", &dom, NULL), 0);
    p.fd = other->drv.watch_fd(other->handle, NULL);
    ck_assert_int_ge(p.fd, 0);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    ck_assert_int_eq(conn->drv.attach(conn->handle, &dom, XLCFG_KIND_DISK,
                                      body, NULL), 0);
    ck_assert_int_eq(DETACH(DISK, "{\"vdev\":\"xvdb\"}", 0),
                     XLCFG_ERROR_PENDING);
    ck_assert_int_eq(poll(&p, 1, 0), 1);
    ck_assert_int_eq(other->drv.watch_next(other->handle, uuid, NULL), 0);
    ck_assert_str_eq(uuid, U1);
    ck_assert_int_eq(other->drv.watch_next(other->handle, uuid, NULL), 1);
    xlcfg__view_init(&view);
    ck_assert_int_eq(other->drv.live(other->handle, &dom, &view, NULL), 0);
    for (size_t i = 0; i < view.count; i++) {
        if (!strcmp(view.devs[i].key, "disk/xvdb"))
            ck_assert_int_eq(view.devs[i].live, XLCFG_LIVE_LEAVING);
        if (!strcmp(view.devs[i].key, "nic/7"))
            ck_assert_int_eq(view.devs[i].live, XLCFG_LIVE_LEAKED);
        if (!strcmp(view.devs[i].key, "disk/xvdd"))
            is_text(xlcfg_doc_ref(view.devs[i].body),
                    "{\"pdev_path\":\"/d\",\"vdev\":\"xvdd\"}");
    }
    ck_assert_uint_eq(view.count, 6);
    xlcfg__view_dispose(&view);
    /* and the one that is gone is said to be */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(other->drv.find(other->handle, "g", &dom, NULL),
                     XLCFG_ERROR_UNREACHABLE);
    xlcfg__conn_free(other);
    xlcfg_doc_free(body);
    end();
}
END_TEST

START_TEST(the_script_fails_the_nth_call)
{
    struct xlcfg_domains list = { 0 };
    xlcfg_error err = XLCFG_ERROR_INIT;

    open_with(",\"fail\":[{\"call\":\"list\",\"nth\":2,"
              "\"error\":\"UNREACHABLE\",\"message\":\"gone away\"},"
              "{\"call\":\"find\",\"nth\":0,\"error\":\"NOT_ABLE\"}]");
    for (int i = 1; i < 4; i++) {
        ck_assert_int_eq(conn->drv.list(conn->handle, &list, &err),
                         i == 2 ? XLCFG_ERROR_UNREACHABLE : 0);
        ck_assert_int_eq(conn->drv.find(conn->handle, "g", &dom, NULL),
                         XLCFG_ERROR_NI);
    }
    ck_assert_str_eq(err.message, "gone away");
    xlcfg__domains_dispose(&list);
    xlcfg__conn_free(conn);
}
END_TEST

START_TEST(the_script_makes_a_call_late)
{
    struct timespec a, b;
    char *text;

    open_with(",\"fail\":[{\"call\":\"index\",\"delay_ms\":60}]");
    ck_assert_int_eq(conn->drv.find(conn->handle, "g", &dom, NULL), 0);
    clock_gettime(CLOCK_MONOTONIC, &a);
    ck_assert_int_eq(conn->drv.index(conn->handle, &dom, &text, NULL), 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    ck_assert_int_ge((int)((b.tv_sec - a.tv_sec) * 1000 +
                           (b.tv_nsec - a.tv_nsec) / 1000000), 59);
    free(text);
    end();
}
END_TEST

START_TEST(can_says_why_not)
{
    char reason[200] = "";

    begin();
    for (int act = 0; act < XLCFG_ACTS; act++)
        ck_assert_int_eq(conn->drv.can(conn->handle, XLCFG_KIND_DISK,
                                       (enum xlcfg_action)act, reason,
                                       sizeof(reason)),
                         act <= XLCFG_ACT_WATCH);
    ck_assert_ptr_nonnull(strstr(reason, "export-disk"));
    end();
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("mem");

    tcase_add_loop_test(tc, a_malformed_file_is_refused_by_its_pointer, 0,
                        COUNT(refused));
    tcase_add_test(tc, a_domain_is_found_by_name_uuid_and_id);
    tcase_add_test(tc, live_shows_words_and_is_silent_of_what_it_cannot_see);
    tcase_add_test(tc, plugs_keep_the_contract);
    tcase_add_loop_test(tc, prepare_chooses_what_is_open, 0,
                        COUNT(prepared));
    tcase_add_test(tc, update_and_clean_keep_the_contract);
    tcase_add_loop_test(tc, create_makes_a_domain_once, 0, 2);
    tcase_add_test(tc, the_watch_tells_each_change_once);
    tcase_add_test(tc, a_transient_domain_keeps_no_definition);
    tcase_add_test(tc, a_file_is_one_machine_for_all_who_open_it);
    tcase_add_test(tc, the_script_fails_the_nth_call);
    tcase_add_test(tc, the_script_makes_a_call_late);
    tcase_add_test(tc, can_says_why_not);
    return run_case("driver/mem", tc);
}
