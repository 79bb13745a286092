/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Update, create, import, pending and what settles them, in memory. */
#include "core/keep.h"
#include "core/silent.h"

#define U1 "11111111-2222-3333-4444-555555555555"
#define LIVE "{\"c_info\":{\"name\":\"g\"},\"disks\":[" \
    "{\"vdev\":\"xvda\",\"pdev_path\":\"/a\",\"readwrite\":true}," \
    "{\"vdev\":\"xvdc\"}],\"nics\":[{\"devid\":0,\"mac\":" \
    "\"00:16:3e:00:00:01\"}]}"
#define DOM "{\"uuid\":\"" U1 "\",\"name\":\"g\",\"domid\":5," \
    "\"run\":\"r1\",\"stored\":" LIVE ",\"live\":" LIVE "," \
    "\"devices\":{\"disk/xvdc\":{\"refuses\":\"busy\"}," \
    "\"vtpm/3\":{\"live\":\"coming\"}}}"

#include "guest.h"

static int update(const char *key, const char *body,
                  const xlcfg_plug_options *opt)
{
    xlcfg_doc *b = doc_of(body);
    int rc;

    rc = xlcfg_device_update(ctx, "g", key, b, opt, &doc, &err);
    xlcfg_doc_free(b);
    return rc;
}

static int create(const char *config, const xlcfg_create_options *opt)
{
    xlcfg_doc *c = doc_of(config);
    int rc;

    rc = xlcfg_domain_create(ctx, c, opt, &doc, &err);
    xlcfg_doc_free(c);
    return rc;
}

/* A part of a domain's answer, as canonical text. */
static void has(const char *dom, const char *pointer, const char *want)
{
    xlcfg_doc *all;

    ck_assert_int_eq(xlcfg_domain_get(ctx, dom, NULL, &all, &err), 0);
    is_text(xlcfg_doc_ref(xlcfg_doc_pointer(all, pointer)), want);
    xlcfg_doc_free(all);
}

static size_t version(char buf[64])
{
    xlcfg_doc *all;

    ck_assert_int_eq(xlcfg_domain_get(ctx, "g", NULL, &all, &err), 0);
    snprintf(buf, 64, "%s", xlcfg__doc_getstr(all, "version"));
    xlcfg_doc_free(all);
    return strlen(buf);
}

#define XVDA(path) \
    "{\"pdev_path\":\"" path "\",\"readwrite\":true,\"vdev\":\"xvda\"}"

/* ---- update ---- */

START_TEST(what_is_updated_is_so_in_live_view_and_template)
{
    char before[64], after[64];
    xlcfg_doc *t;

    begin_with("");
    version(before);
    ck_assert_msg(!update("disk/xvda", "{\"pdev_path\":\"/b\"}", NULL), "%s",
                  err.message);
    ck_assert_str_eq(text("/device/state"), "attached");
    ck_assert_str_eq(text("/device/incarnation"), "2");
    ck_assert_str_gt(text("/version"), before);
    xlcfg_doc_free(doc);
    has("g", "/config/disks/0", XVDA("/b"));
    ck_assert_int_eq(xlcfg_domain_template(ctx, "g", &t, &err), 0);
    is_text(xlcfg_doc_ref(xlcfg_doc_pointer(t, "/config/disks/0")),
            XVDA("/b"));
    xlcfg_doc_free(t);
    intents_open(0);
    /* null takes a member away; what changes nothing makes no version */
    ck_assert_int_eq(update("disk/xvda", "{\"readwrite\":null}", NULL), 0);
    xlcfg_doc_free(doc);
    has("g", "/config/disks/0", "{\"pdev_path\":\"/b\",\"vdev\":\"xvda\"}");
    version(before);
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/b\"}", NULL), 0);
    xlcfg_doc_free(doc);
    version(after);
    ck_assert_str_eq(before, after);
    end();
}
END_TEST

static const struct {
    const char *key, *body;
    int code;
    const char *where;
} wrong[] = {
    { "disk/xvda", "{\"vdev\":\"xvdz\"}", XLCFG_ERROR_INVAL, "/vdev" },
    { "nic/0", "{\"devid\":4}", XLCFG_ERROR_INVAL, "/devid" },
    { "disk/xvda", "[]", XLCFG_ERROR_INVAL, "" },
    { "xvda", "{}", XLCFG_ERROR_INVAL, "xvda" },
    { "disk/xvdq", "{}", XLCFG_ERROR_NOTFOUND, "disk/xvdq" },
    { "disk/xvdc", "{\"pdev_path\":\"/c\"}", XLCFG_ERROR_REFUSED,
      "disk/xvdc" },
    { "vtpm/3", "{\"uuid\":\"x\"}", XLCFG_ERROR_REFUSED, "vtpm/3" },
};

START_TEST(an_update_that_cannot_be_changes_nothing)
{
    begin_with("");
    ck_assert_int_eq(update(wrong[_i].key, wrong[_i].body, NULL),
                     wrong[_i].code);
    ck_assert_str_eq(err.where, wrong[_i].where);
    ck_assert_uint_gt(strlen(err.message), 3);
    has("g", "/config/disks/0", XVDA("/a"));
    intents_open(0);
    end();
}
END_TEST

START_TEST(what_the_driver_cannot_change_is_said_with_its_place)
{
    begin_with(",\"fail\":[{\"call\":\"update\",\"error\":\"NOT_ABLE\","
               "\"message\":\"/mac cannot be changed\"}]");
    ck_assert_int_eq(update("nic/0", "{\"mac\":\"00:16:3e:00:00:02\"}",
                            NULL), XLCFG_ERROR_NI);
    ck_assert_ptr_nonnull(strstr(err.message, "/mac"));
    intents_open(0);
    end();
}
END_TEST

/* Bit 0: a dry run; bit 1: without a start. */
START_TEST(what_the_driver_does_not_read_changes_nothing)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_create_options how = XLCFG_CREATE_OPTIONS_INIT;

    begin_with(",\"fail\":[{\"call\":\"check\",\"error\":\"INVAL\","
               "\"message\":\"no\"}]");
    opt.dry_run = how.dry_run = _i & 1;
    how.define = _i & 2;
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/b\"}", &opt),
                     XLCFG_ERROR_INVAL);
    ck_assert_str_eq(err.message, "no");
    has("g", "/config/disks/0", XVDA("/a"));
    err.message[0] = '\0';
    ck_assert_int_eq(create("{\"c_info\":{\"name\":\"n\"}}", &how),
                     XLCFG_ERROR_INVAL);
    ck_assert_str_eq(err.message, "no");
    ck_assert_int_eq(xlcfg_domain_get(ctx, "n", NULL, &doc, &err),
                     XLCFG_ERROR_DOMAIN_NOTFOUND);
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_dry_update_only_says)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;

    begin_with("");
    opt.dry_run = true;
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/b\"}", &opt), 0);
    is_text(xlcfg_doc_ref(xlcfg_doc_pointer(doc, "/device/body")),
            XVDA("/b"));
    xlcfg_doc_free(doc);
    has("g", "/config/disks/0", XVDA("/a"));
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_backend_lost_in_an_update_leaves_it_to_settle)
{
    begin_with(",\"fail\":[{\"call\":\"update\",\"nth\":1,"
               "\"error\":\"UNREACHABLE\"}]");
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/b\"}", NULL),
                     XLCFG_ERROR_UNREACHABLE);
    intents_open(1);
    settles("0", "0");
    intents_open(0);
    has("g", "/config/disks/0", XVDA("/a"));
    end();
}
END_TEST

/* What a process that died in an update left; the live view decides. */
static const struct {
    const char *before, *after, *want;
} deaths[] = {
    /* not done: back */
    { XVDA("/a"), XVDA("/b"), XVDA("/a") },
    /* done: forward */
    { XVDA("/old"), XVDA("/a"), XVDA("/a") },
    /* neither is shown: asked for again */
    { XVDA("/old"), XVDA("/new"), XVDA("/new") },
};

START_TEST(a_death_in_an_update_is_settled)
{
    struct xlcfg_intents list = { 0 };
    struct xlcfg_intent *in = xlcfg__intents_add(&list);

    begin_with("");
    *in = (struct xlcfg_intent){
        .op = XLCFG_OP_UPDATE, .phase = XLCFG_PHASE_ACTING,
        .kind = XLCFG_KIND_DISK, .key = strdup("disk/xvda"),
        .match = strdup("disk/#51712"), .since = 1, .domain = strdup("r1"),
        .before = doc_of(deaths[_i].before),
        .after = doc_of(deaths[_i].after),
    };
    ck_assert_int_eq(xlcfg__intent_save(ctx, U1, in, &err), 0);
    xlcfg__intents_dispose(&list);
    settles("0", "0");
    has("g", "/config/disks/0", deaths[_i].want);
    intents_open(0);
    settles("0", "0");
    has("g", "/config/disks/0", deaths[_i].want);
    end();
}
END_TEST

/* ---- compare-and-set ---- */

START_TEST(a_conflict_says_what_changed_since)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    char seen[64], now[64];

    begin_with("");
    version(seen);
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/b\"}", NULL), 0);
    xlcfg_doc_free(doc);
    version(now);
    opt.if_version = seen;
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/c\"}", &opt),
                     XLCFG_ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, now));
    ck_assert_ptr_nonnull(strstr(err.message,
                                 "disk/xvda changed (pdev_path)"));
    opt.if_version = "000000000000.00000000000000000001";
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/c\"}", &opt),
                     XLCFG_ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "of another store"));
    has("g", "/config/disks/0", XVDA("/b"));
    opt.if_version = now;
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/c\"}", &opt), 0);
    xlcfg_doc_free(doc);
    end();
}
END_TEST

START_TEST(an_incarnation_is_of_one_device)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;

    begin_with("");
    opt.if_incarnation = 1;
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/b\"}", &opt), 0);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(update("disk/xvda", "{\"pdev_path\":\"/c\"}", &opt),
                     XLCFG_ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "incarnation is 2"));
    ck_assert_int_eq(update("nic/0", "{\"bridge\":\"b\"}", &opt), 0);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvda", &opt, &doc,
                                         &err), XLCFG_ERROR_CONFLICT);
    opt.if_incarnation = 2;
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvda", &opt, &doc,
                                         &err), 0);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvda", &opt, &doc,
                                         &err), XLCFG_ERROR_CONFLICT);
    opt.if_incarnation = -1;
    {
        xlcfg_doc *b = doc_of("{\"vdev\":\"xvda\"}");

        ck_assert_int_eq(xlcfg_device_attach(ctx, "g", "disk", b, &opt, &doc,
                                             &err), 0);
        ck_assert_str_eq(text("/device/incarnation"), "3");
        xlcfg_doc_free(doc);
        ck_assert_int_eq(xlcfg_device_attach(ctx, "g", "disk", b, &opt, &doc,
                                             &err), XLCFG_ERROR_CONFLICT);
        xlcfg_doc_free(b);
    }
    opt.if_incarnation = -2;
    ck_assert_int_eq(update("nic/0", "{}", &opt), XLCFG_ERROR_INVAL);
    end();
}
END_TEST

static int no_owner(void *arg, int64_t id, xlcfg_error *e)
{
    (void)arg; (void)id; (void)e;
    return 0;
}

/* Two who looked at the same moment: the second begins too late. */
static const struct {
    const char *match;
    bool seen, version;
    int64_t incarnation;
    int want;
} races[] = {
    { "disk/#51712", false, true, 0, XLCFG_ERROR_CONFLICT },
    { "disk/#51712", false, false, 1, XLCFG_ERROR_CONFLICT },
    { "disk/#51712", false, false, 0, XLCFG_ERROR_LOCK_FAIL },
    { "disk/#51712", true, true, 0, XLCFG_ERROR_CONFLICT },
    { "disk/#51712", true, false, 1, XLCFG_ERROR_CONFLICT },
    { "disk/#51712", true, false, 0, XLCFG_ERROR_LOCK_FAIL },
    { "nic/0", false, true, 0, XLCFG_ERROR_CONFLICT },
    { "nic/0", true, true, 0, 0 },
    { "nic/0", false, false, 1, 0 },
    { "nic/0", false, false, 0, 0 },
};

START_TEST(of_two_who_saw_the_same_one_loses)
{
    struct xlcfg__condition cond = { .known = NULL };
    struct xlcfg_intent first, second;
    struct xlcfg_intents known = { &first, 1, 1 };
    char seen[64];
    xlcfg__state *st;

    begin_with("");
    version(seen);
    ck_assert_int_eq(xlcfg__state_open(folder, true, 1000, &st, &err), 0);
    first = (struct xlcfg_intent){
        .op = XLCFG_OP_UPDATE, .kind = XLCFG_KIND_DISK,
        .key = (char *)"disk/xvda", .match = (char *)"disk/#51712",
    };
    cond.version = seen;
    ck_assert_int_eq(xlcfg__state_intent_begin(st, "mem", U1, &first, &cond,
                                               no_owner, NULL, &err), 0);
    second = first;
    second.id = 0;
    second.match = (char *)races[_i].match;
    second.key = (char *)(races[_i].match[0] == 'd' ? "disk/xvda" : "nic/0");
    cond.version = races[_i].version ? seen : NULL;
    cond.incarnation = races[_i].incarnation;
    /* that the first had begun may have been seen: it is at work all the
     * same */
    if (races[_i].seen)
        cond.known = &known;
    ck_assert_int_eq(xlcfg__state_intent_begin(st, "mem", U1, &second, &cond,
                                               no_owner, NULL, &err),
                     races[_i].want);
    xlcfg__state_close(st);
    end();
}
END_TEST

/* ---- create, import, pending ---- */

#define NEW "{\"c_info\":{\"name\":\"new\"},\"b_info\":{},\"nics\":" \
    "[{\"mac\":\"00:16:3e:00:00:09\"}]}"
#define KEPT "{\"c_info\":{\"name\":\"new\"},\"b_info\":{},\"nics\":" \
    "[{\"devid\":7,\"mac\":\"00:16:3e:00:00:09\"}]}"

START_TEST(what_is_created_runs_and_has_a_template)
{
    xlcfg_doc *t;

    begin_with("");
    ck_assert_msg(!create(KEPT, NULL), "%s", err.message);
    ck_assert_str_eq(text("/domain/name"), "new");
    ck_assert_str_eq(text("/domain/state"), "running");
    ck_assert_str_eq(text("/devices/0/state"), "attached");
    ck_assert_uint_eq(strlen(text("/domain/uuid")), 36);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_domain_template(ctx, "new", &t, &err), 0);
    is_text(xlcfg_doc_ref(xlcfg_doc_pointer(t, "/config/nics/0/devid")),
            "7");
    xlcfg_doc_free(t);
    intents_open(0);
    /* again: it is there */
    ck_assert_int_eq(create(KEPT, NULL), XLCFG_ERROR_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.message, "name already"));
    intents_open(0);
    end();
}
END_TEST

START_TEST(what_is_imported_keeps_its_addresses)
{
    xlcfg_create_options opt = XLCFG_CREATE_OPTIONS_INIT;
    char uuid[64];

    begin_with("");
    opt.define = true;
    ck_assert_msg(!create(KEPT, &opt), "%s", err.message);
    ck_assert_str_eq(text("/domain/state"), "stopped");
    snprintf(uuid, sizeof(uuid), "%s", text("/domain/uuid"));
    xlcfg_doc_free(doc);
    ck_assert_int_eq(create(KEPT, &opt), XLCFG_ERROR_REFUSED);
    opt.define = false;
    opt.if_absent = true;
    ck_assert_int_eq(create(NEW, &opt), XLCFG_ERROR_CONFLICT);
    opt.if_absent = false;
    opt.dry_run = true;
    ck_assert_int_eq(create(NEW, &opt), 0);
    ck_assert_str_eq(text("/config/nics/0/devid"), "7");
    xlcfg_doc_free(doc);
    opt.dry_run = false;
    ck_assert_msg(!create(NEW, &opt), "%s", err.message);
    ck_assert_str_eq(text("/domain/uuid"), uuid);
    ck_assert_str_eq(text("/config/nics/0/devid"), "7");
    xlcfg_doc_free(doc);
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_create_is_of_the_version_that_was_asked_for)
{
    xlcfg_create_options opt = XLCFG_CREATE_OPTIONS_INIT;
    struct xlcfg__creation c = { .uuid = U1, .name = (char *)"g",
                                 .since = 1 };
    xlcfg__state *st;

    begin_with("");
    opt.if_version = c.was = "0123456789ab.00000000000000000001";
    for (int dry = 0; dry < 2; dry++) {
        opt.dry_run = dry;
        ck_assert_int_eq(create(NEW, &opt), XLCFG_ERROR_CONFLICT);
        ck_assert_msg(strstr(err.message, "not there"), "%s", err.message);
    }
    opt.if_absent = true;
    ck_assert_int_eq(create(NEW, &opt), XLCFG_ERROR_INVAL);
    opt.if_absent = false;
    opt.if_version = "nonsense";
    ck_assert_int_eq(create(NEW, &opt), XLCFG_ERROR_INVAL);
    /* who was quicker than the look is seen by the transaction */
    ck_assert_int_eq(xlcfg__state_open(folder, true, 1000, &st, &err), 0);
    ck_assert_int_eq(xlcfg__state_creation_begin(st, "mem", &c, no_owner,
                                                 NULL, &err),
                     XLCFG_ERROR_CONFLICT);
    xlcfg__state_close(st);
    intents_open(0);
    end();
}
END_TEST

static const struct {
    const char *config;
    const char *where;
} bad[] = {
    { "[]", "" },
    { "{}", "/c_info/name" },
    { "{\"c_info\":{\"name\":\"\"}}", "/c_info/name" },
    { "{\"c_info\":{\"name\":\"a/../b\"}}", "/c_info/name" },
    { "{\"c_info\":{\"name\":\"../b\"}}", "/c_info/name" },
    { "{\"c_info\":{\"name\":\"b/..\"}}", "/c_info/name" },
    { "{\"c_info\":{\"name\":\"a\\nb\"}}", "/c_info/name" },
    { "{\"c_info\":{\"name\":\"a\",\"uuid\":\"1\"}}", "/c_info/uuid" },
    { "{\"c_info\":{\"name\":\"a\"},\"disks\":{}}", "/disks" },
};

START_TEST(a_configuration_that_cannot_be_is_bad_input)
{
    begin_with("");
    ck_assert_int_eq(create(bad[_i].config, NULL), XLCFG_ERROR_INVAL);
    ck_assert_str_eq(err.where, bad[_i].where);
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_creation_that_fails_leaves_nothing)
{
    begin_with(",\"fail\":[{\"call\":\"create\",\"nth\":1,"
               "\"error\":\"FAIL\",\"message\":\"no memory for it\"}]");
    ck_assert_int_eq(create(NEW, NULL), XLCFG_ERROR_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.message, "no memory for it"));
    intents_open(0);
    ck_assert_int_eq(create(NEW, NULL), 0);
    xlcfg_doc_free(doc);
    end();
}
END_TEST

START_TEST(a_creation_cut_short_is_open_until_it_is_settled)
{
    begin_with(",\"fail\":[{\"call\":\"create\",\"nth\":1,"
               "\"error\":\"UNREACHABLE\"}]");
    ck_assert_int_eq(create(NEW, NULL), XLCFG_ERROR_UNREACHABLE);
    intents_open(1);
    ck_assert_int_eq(create(NEW, NULL), XLCFG_ERROR_CONFLICT);
    ck_assert_int_eq(xlcfg_settle(ctx, "new", true, &doc, &err), 0);
    ck_assert_ptr_nonnull(strstr(text("/steps/0/step"), "nothing was made"));
    xlcfg_doc_free(doc);
    intents_open(1);
    settles("0", "0");
    intents_open(0);
    ck_assert_int_eq(create(NEW, NULL), 0);
    xlcfg_doc_free(doc);
    end();
}
END_TEST

/* The process died when the driver was done. */
START_TEST(a_creation_that_was_done_is_closed_with_its_template)
{
    struct xlcfg__creation c = {
        .uuid = U1, .name = (char *)"g", .since = 1,
        .config = doc_of("{\"c_info\":{\"name\":\"g\"},\"disks\":"
                         "[{\"vdev\":\"xvda\",\"pdev_path\":\"/a\","
                         "\"x\":1}]}"),
        .flags = XLCFG_CREATE_START,
    };
    xlcfg__state *st;

    begin_with("");
    ck_assert_int_eq(xlcfg__state_open(folder, true, 1000, &st, &err), 0);
    ck_assert_int_eq(xlcfg__state_creation_begin(st, "mem", &c, no_owner,
                                                 NULL, &err), 0);
    xlcfg__state_close(st);
    settles("0", "0");
    intents_open(0);
    has("g", "/config/disks/0/x", "1");
    xlcfg_doc_free(c.config);
    end();
}
END_TEST

START_TEST(pending_is_what_the_next_start_changes)
{
    begin_with("");
    ck_assert_int_eq(xlcfg_domain_pending(ctx, "g", &doc, &err), 0);
    is_text(xlcfg_doc_ref(xlcfg_doc_get(doc, "changes")),
            "[{\"from\":null,\"key\":\"vtpm/3\",\"kind\":\"removed\","
            "\"to\":null}]");
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "nic/0", NULL, &doc,
                                         &err), 0);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_domain_pending(ctx, "g", &doc, &err), 0);
    ck_assert_str_eq(text("/changes/0/key"), "nic/0");
    ck_assert_str_eq(text("/changes/0/kind"), "added");
    ck_assert_str_eq(text("/changes/0/to/mac"), "00:16:3e:00:00:01");
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_domain_pending(ctx, "nobody", &doc, &err),
                     XLCFG_ERROR_DOMAIN_NOTFOUND);
    end();
}
END_TEST

/* ---- what is pure ---- */

static const struct {
    const char *live, *before, *after;
    enum xlcfg__shown want;
} shown[] = {
    { "{\"a\":1}", "{\"a\":1}", "{\"a\":2}", XLCFG__SHOWN_BEFORE },
    { "{\"a\":2}", "{\"a\":1}", "{\"a\":2}", XLCFG__SHOWN_AFTER },
    { "{\"a\":3}", "{\"a\":1}", "{\"a\":2}", XLCFG__SHOWN_UNCLEAR },
    { "{}", "{\"a\":1}", "{\"a\":2}", XLCFG__SHOWN_UNCLEAR },
    { "{}", "{\"a\":1}", "{}", XLCFG__SHOWN_AFTER },
    { "{\"a\":1}", "{\"a\":1}", "{}", XLCFG__SHOWN_BEFORE },
    { "{\"a\":1}", "{}", "{\"a\":1}", XLCFG__SHOWN_AFTER },
    { "{}", "{}", "{\"a\":1}", XLCFG__SHOWN_BEFORE },
    { "{\"a\":2,\"b\":1}", "{\"a\":1,\"b\":1}", "{\"a\":2,\"b\":2}",
      XLCFG__SHOWN_UNCLEAR },
    { "{\"a\":2,\"c\":9}", "{\"a\":1,\"c\":3}", "{\"a\":2,\"c\":3}",
      XLCFG__SHOWN_AFTER },
};

START_TEST(a_live_body_shows_which_side_of_an_update_it_is)
{
    xlcfg_doc *live = doc_of(shown[_i].live);
    xlcfg_doc *before = doc_of(shown[_i].before);
    xlcfg_doc *after = doc_of(shown[_i].after);

    ck_assert_int_eq(xlcfg__update_shown(live, before, after),
                     shown[_i].want);
    xlcfg_doc_free(live);
    xlcfg_doc_free(before);
    xlcfg_doc_free(after);
}
END_TEST

static const struct {
    const char *config, *kept, *want;
} keeps[] = {
    /* by the second name; what is said stays */
    { "{\"nics\":[{\"mac\":\"00:16:3e:00:00:02\"},"
      "{\"mac\":\"00:16:3e:00:00:01\",\"bridge\":\"b\"}]}",
      "{\"nics\":[{\"devid\":4,\"mac\":\"00:16:3e:00:00:01\","
      "\"bridge\":\"c\"}]}",
      "{\"nics\":[{\"mac\":\"00:16:3e:00:00:02\"},{\"bridge\":\"b\","
      "\"devid\":4,\"mac\":\"00:16:3e:00:00:01\"}]}" },
    { "{\"x\":1}", "{\"nics\":[{\"devid\":4}]}", "{\"x\":1}" },
    { "{\"nics\":[{\"devid\":1}]}", "{\"nics\":3}",
      "{\"nics\":[{\"devid\":1}]}" },
};

START_TEST(kept_addresses_fill_what_is_left_open)
{
    xlcfg_doc *config = doc_of(keeps[_i].config);
    xlcfg_doc *kept = doc_of(keeps[_i].kept);

    is_text(xlcfg__keep_addresses(config, kept), keeps[_i].want);
    xlcfg_doc_free(config);
    xlcfg_doc_free(kept);
}
END_TEST

/* Time is an input: what was recorded then is judged now. */
static const struct {
    const char *state;
    int64_t ago;
    enum xlcfg_phase phase;     /* of an attach; XLCFG_PHASES: no intent */
    enum xlcfg_live live, want;
} silent[] = {
    { "attaching", 39, XLCFG_PHASES, XLCFG_LIVE_COMING, XLCFG_LIVE_COMING },
    { "attaching", 40, XLCFG_PHASES, XLCFG_LIVE_COMING, XLCFG_LIVE_FAILED },
    { "failed", 1, XLCFG_PHASES, XLCFG_LIVE_COMING, XLCFG_LIVE_FAILED },
    { "attached", 99, XLCFG_PHASES, XLCFG_LIVE_COMING, XLCFG_LIVE_COMING },
    { "attaching", 99, XLCFG_PHASES, XLCFG_LIVE_PRESENT,
      XLCFG_LIVE_PRESENT },
    { "attaching", 99, XLCFG_PHASE_ACTING, XLCFG_LIVE_COMING,
      XLCFG_LIVE_COMING },
    { "attaching", 99, XLCFG_PHASE_WAITING, XLCFG_LIVE_COMING,
      XLCFG_LIVE_FAILED },
};

START_TEST(a_hotplug_that_never_said_a_word_has_failed)
{
    struct xlcfg_intent in = { .op = XLCFG_OP_ATTACH,
                               .kind = XLCFG_KIND_VTPM,
                               .match = (char *)"vtpm/0",
                               .phase = silent[_i].phase };
    struct xlcfg_intents intents = { &in, silent[_i].phase != XLCFG_PHASES,
                                     1 };
    struct xlcfg__recorded was = { "vtpm/0", silent[_i].state,
                                   1000 - silent[_i].ago };
    struct xlcfg_view view;

    xlcfg__view_init(&view);
    ck_assert_int_eq(xlcfg__view_add(&view, XLCFG_KIND_VTPM,
                                     doc_of("{\"devid\":0}"), NULL,
                                     silent[_i].live, NULL), 0);
    ck_assert_int_eq(xlcfg__view_silent(&view, &intents, &was, 1, 1000), 0);
    ck_assert_int_eq(view.devs[0].live, silent[_i].want);
    if (silent[_i].want == XLCFG_LIVE_FAILED)
        ck_assert_ptr_nonnull(strstr(view.devs[0].reason, "timeout"));
    xlcfg__view_dispose(&view);
}
END_TEST

/* vtpm/3 of the guest is coming, and was so long ago. */
START_TEST(one_recorded_long_ago_is_shown_as_failed)
{
    struct xlcfg__memory was = { .key = (char *)"vtpm/3", .since = 1,
                                 .state = "attaching", .incarnation = 1 };
    struct xlcfg__record rec = {
        .driver = "mem", .uuid = U1, .name = "g", .domid = 5,
        .digest = "another", .devices = { &was, 1 }, .event = "changed",
    };
    xlcfg_doc *snapshot = doc_of("{}"), *changes = doc_of("[]");
    char made[XLCFG__VERSION_MAX];
    xlcfg__state *st;

    begin_with("");
    rec.snapshot = snapshot;
    rec.changes = changes;
    ck_assert_int_eq(xlcfg__state_open(folder, true, 1000, &st, &err), 0);
    ck_assert_msg(!xlcfg__state_record(st, &rec, "", made, &err), "%s",
                  err.message);
    xlcfg__state_close(st);
    xlcfg_doc_free(snapshot);
    xlcfg_doc_free(changes);
    for (int i = 0; i < 2; i++) {
        has("g", "/devices/3/key", "\"vtpm/3\"");
        has("g", "/devices/3/state", "\"failed\"");
        has("g", "/devices/3/reason",
            "\"timeout: its backend said nothing for 40 seconds\"");
    }
    end();
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("update");
    int code;

    if (!mkdtemp(dir))
        return EXIT_FAILURE;
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, what_is_updated_is_so_in_live_view_and_template);
    tcase_add_loop_test(tc, an_update_that_cannot_be_changes_nothing, 0,
                        COUNT(wrong));
    tcase_add_test(tc, what_the_driver_cannot_change_is_said_with_its_place);
    tcase_add_loop_test(tc, what_the_driver_does_not_read_changes_nothing, 0,
                        4);
    tcase_add_test(tc, a_dry_update_only_says);
    tcase_add_test(tc, a_backend_lost_in_an_update_leaves_it_to_settle);
    tcase_add_loop_test(tc, a_death_in_an_update_is_settled, 0,
                        COUNT(deaths));
    tcase_add_test(tc, a_conflict_says_what_changed_since);
    tcase_add_test(tc, an_incarnation_is_of_one_device);
    tcase_add_loop_test(tc, of_two_who_saw_the_same_one_loses, 0,
                        COUNT(races));
    tcase_add_test(tc, what_is_created_runs_and_has_a_template);
    tcase_add_test(tc, what_is_imported_keeps_its_addresses);
    tcase_add_test(tc, a_create_is_of_the_version_that_was_asked_for);
    tcase_add_loop_test(tc, a_configuration_that_cannot_be_is_bad_input, 0,
                        COUNT(bad));
    tcase_add_test(tc, a_creation_that_fails_leaves_nothing);
    tcase_add_test(tc, a_creation_cut_short_is_open_until_it_is_settled);
    tcase_add_test(tc, a_creation_that_was_done_is_closed_with_its_template);
    tcase_add_test(tc, pending_is_what_the_next_start_changes);
    tcase_add_loop_test(tc, a_live_body_shows_which_side_of_an_update_it_is,
                        0, COUNT(shown));
    tcase_add_loop_test(tc, kept_addresses_fill_what_is_left_open, 0,
                        COUNT(keeps));
    tcase_add_loop_test(tc, a_hotplug_that_never_said_a_word_has_failed, 0,
                        COUNT(silent));
    tcase_add_test(tc, one_recorded_long_ago_is_shown_as_failed);
    code = run_case("update", tc);
    rmdir(dir);
    return code;
}
