/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach, detach and settle over the in-memory driver. */
#define U1 "11111111-2222-3333-4444-555555555555"
#define LIVE "{\"c_info\":{\"name\":\"g\"},\"disks\":[" \
    "{\"vdev\":\"xvda\"},{\"vdev\":\"xvdb\"},{\"vdev\":\"xvdc\"}]}"
#define DOM "{\"uuid\":\"" U1 "\",\"name\":\"g\",\"domid\":5," \
    "\"run\":\"r1\",\"stored\":" LIVE ",\"live\":" LIVE "," \
    "\"devices\":{\"disk/xvdb\":{\"holds\":true},\"disk/xvdc\":" \
    "{\"refuses\":\"busy\"},\"vtpm/0\":{\"refuses\":\"no room\"}," \
    "\"nic/7\":{\"live\":\"failed\",\"reason\":\"left\"}}}"

#include "guest.h"

static int attach(const char *kind, const char *body,
                  const xlcfg_plug_options *opt)
{
    xlcfg_doc *b = doc_of(body);
    int rc;

    rc = xlcfg_device_attach(ctx, "g", kind, b, opt, &doc, &err);
    xlcfg_doc_free(b);
    return rc;
}

/* The state of a device as get has it, "" when it is not listed. */
static void has_state(const char *key, const char *want)
{
    const char *state = "";
    xlcfg_doc *all;

    ck_assert_int_eq(xlcfg_domain_get(ctx, "g", NULL, &all, &err), 0);
    for (size_t i = 0; i < 16; i++) {
        char p[64];
        const xlcfg_doc *dev;

        snprintf(p, sizeof(p), "/devices/%zu", i);
        dev = xlcfg_doc_pointer(all, p);
        if (dev && !strcmp(xlcfg__doc_getstr(dev, "key"), key))
            state = xlcfg__doc_getstr(dev, "state");
    }
    ck_assert_msg(!strcmp(state, want), "%s is '%s', expected '%s'", key,
                  state, want);
    xlcfg_doc_free(all);
}

static void template_disks(const char *want)
{
    xlcfg_doc *t;

    ck_assert_int_eq(xlcfg_domain_template(ctx, "g", &t, &err), 0);
    is_text(xlcfg_doc_ref(xlcfg_doc_pointer(t, "/config/disks")), want);
    xlcfg_doc_free(t);
}

START_TEST(what_is_attached_is_in_the_template)
{
    char *was;

    begin_with("");
    ck_assert_int_eq(attach("disk", "{}", NULL), 0);
    ck_assert_str_eq(text("/device/key"), "disk/xvdd");
    ck_assert_str_eq(text("/device/state"), "attached");
    was = strdup(text("/version"));
    xlcfg_doc_free(doc);
    template_disks("[{\"vdev\":\"xvda\"},{\"vdev\":\"xvdb\"},"
                   "{\"vdev\":\"xvdc\"},{\"vdev\":\"xvdd\"}]");
    intents_open(0);
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvdd", NULL, &doc,
                                         &err), 0);
    ck_assert_str_eq(text("/device/state"), "detached");
    ck_assert_str_ne(text("/version"), was);
    xlcfg_doc_free(doc);
    free(was);
    template_disks("[{\"vdev\":\"xvda\"},{\"vdev\":\"xvdb\"},"
                   "{\"vdev\":\"xvdc\"}]");
    has_state("disk/xvdd", "");
    intents_open(0);
    end();
}
END_TEST

static const struct {
    const char *kind, *body;
    int code;
} wrong[] = {
    { "toaster", "{}", XLCFG_ERROR_INVAL },
    { "disk", "[]", XLCFG_ERROR_INVAL },
    { "pci", "{}", XLCFG_ERROR_INVAL },
    { "disk", "{\"vdev\":\"xvda\"}", XLCFG_ERROR_DEVICE_EXISTS },
    { "disk", "{\"vdev\":\"51712\"}", XLCFG_ERROR_DEVICE_EXISTS },
};

START_TEST(what_is_wrong_touches_nothing)
{
    begin_with("");
    ck_assert_int_eq(attach(wrong[_i].kind, wrong[_i].body, NULL),
                     wrong[_i].code);
    ck_assert_uint_gt(strlen(err.message), 5);
    intents_open(0);
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvdz", NULL, &doc,
                                         &err), XLCFG_ERROR_NOTFOUND);
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "xvda", NULL, &doc,
                                         &err), XLCFG_ERROR_INVAL);
    end();
}
END_TEST

START_TEST(what_the_driver_does_not_read_touches_nothing)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;

    begin_with(",\"fail\":[{\"call\":\"check\",\"error\":\"INVAL\","
               "\"message\":\"no\"}]");
    opt.dry_run = _i;
    ck_assert_int_eq(attach("disk", "{}", &opt), XLCFG_ERROR_INVAL);
    ck_assert_str_eq(err.message, "no");
    has_state("disk/xvdd", "");
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_version_that_moved_on_is_a_conflict)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;

    begin_with("");
    opt.if_version = "000000000000.00000000000000000001";
    ck_assert_int_eq(attach("disk", "{}", &opt), XLCFG_ERROR_CONFLICT);
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvda", &opt, &doc,
                                         &err), XLCFG_ERROR_CONFLICT);
    ck_assert_int_eq(xlcfg_domain_get(ctx, "g", NULL, &doc, NULL), 0);
    ck_assert_ptr_nonnull(strstr(err.message, text("/version")));
    opt.if_version = text("/version");
    opt.dry_run = true;
    {
        xlcfg_doc *whole = doc;

        ck_assert_int_eq(attach("disk", "{}", &opt), 0);
        ck_assert_str_eq(text("/device/key"), "disk/xvdd");
        xlcfg_doc_free(doc);
        xlcfg_doc_free(whole);
    }
    has_state("disk/xvdd", "");
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_refused_attach_leaves_nothing)
{
    begin_with("");
    ck_assert_int_eq(attach("vtpm", "{\"devid\":0}", NULL),
                     XLCFG_ERROR_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.message, "no room"));
    has_state("vtpm/0", "");
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_guest_that_holds_on_is_detaching_until_it_lets_go)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;

    begin_with("");
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvdb", NULL, &doc,
                                         &err), XLCFG_ERROR_PENDING);
    has_state("disk/xvdb", "detaching");
    intents_open(1);
    settles("1", "0");
    has_state("disk/xvdb", "detaching");
    opt.force = true;
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvdb", &opt, &doc,
                                         &err), 0);
    xlcfg_doc_free(doc);
    intents_open(0);
    template_disks("[{\"vdev\":\"xvda\"},{\"vdev\":\"xvdc\"}]");
    end();
}
END_TEST

START_TEST(a_guest_that_says_no_keeps_it)
{
    begin_with("");
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvdc", NULL, &doc,
                                         &err), XLCFG_ERROR_REFUSED);
    has_state("disk/xvdc", "refused");
    settles("0", "0");
    has_state("disk/xvdc", "attached");
    intents_open(0);
    end();
}
END_TEST

START_TEST(a_backend_lost_in_the_act_leaves_the_intent)
{
    begin_with(",\"fail\":[{\"call\":\"attach\",\"nth\":1,"
               "\"error\":\"UNREACHABLE\"}]");
    ck_assert_int_eq(attach("disk", "{\"vdev\":\"xvdx\"}", NULL),
                     XLCFG_ERROR_UNREACHABLE);
    intents_open(1);
    has_state("disk/xvdx", "attaching");
    settles("0", "0");
    intents_open(0);
    has_state("disk/xvdx", "");
    end();
}
END_TEST

/* What a process that died at this point left behind. */
static const struct {
    enum xlcfg_op op;
    enum xlcfg_phase phase;
    const char *body, *key, *after;     /* state after settle */
    bool fails;                         /* its clean does, once */
} deaths[] = {
    { XLCFG_OP_ATTACH, XLCFG_PHASE_PREPARED, "{\"vdev\":\"xvdx\"}",
      "disk/xvdx", "", false },
    { XLCFG_OP_ATTACH, XLCFG_PHASE_ACTING, "{\"vdev\":\"xvdx\"}",
      "disk/xvdx", "", false },
    { XLCFG_OP_ATTACH, XLCFG_PHASE_ACTING, "{\"vdev\":\"xvda\"}",
      "disk/xvda", "attached", false },
    { XLCFG_OP_DETACH, XLCFG_PHASE_PREPARED, "{\"vdev\":\"xvda\"}",
      "disk/xvda", "attached", false },
    { XLCFG_OP_DETACH, XLCFG_PHASE_ACTING, "{\"vdev\":\"xvda\"}",
      "disk/xvda", "", false },
    { XLCFG_OP_DETACH, XLCFG_PHASE_WAITING, "{\"vdev\":\"xvda\"}",
      "disk/xvda", "", false },
    { XLCFG_OP_DETACH, XLCFG_PHASE_ACTING, "{\"vdev\":\"xvdx\"}",
      "disk/xvdx", "", false },
    { XLCFG_OP_ATTACH, XLCFG_PHASE_ACTING, "{\"devid\":7}", "nic/7", "",
      false },
    { XLCFG_OP_ATTACH, XLCFG_PHASE_ACTING, "{\"devid\":7}", "nic/7", "",
      true },
};

static int64_t leave(int i)
{
    enum xlcfg_kind kind = xlcfg__key_kind(deaths[i].key);
    xlcfg_doc *body = doc_of(deaths[i].body);
    struct xlcfg_ident id;
    struct xlcfg_intents list = { 0 };
    struct xlcfg_intent *in = xlcfg__intents_add(&list);
    int64_t number;

    xlcfg__key_of(kind, body, &id);
    *in = (struct xlcfg_intent){
        .op = deaths[i].op, .phase = deaths[i].phase, .kind = kind,
        .key = strdup(id.key), .match = strdup(id.match), .since = 1,
        .domain = strdup("r1"),
    };
    *(deaths[i].op == XLCFG_OP_ATTACH ? &in->after : &in->before) = body;
    ck_assert_int_eq(xlcfg__intent_save(ctx, U1, in, &err), 0);
    number = in->id;
    xlcfg__intents_dispose(&list);
    return number;
}

START_TEST(a_death_between_steps_is_settled)
{
    begin_with(deaths[_i].fails ? ",\"fail\":[{\"call\":\"clean\","
               "\"nth\":1,\"error\":\"FAIL\",\"message\":\"stuck\"}]" : "");
    leave(_i);
    if (deaths[_i].fails) {
        settles("0", "1");
        has_state(deaths[_i].key, "failed");
        intents_open(1);
    }
    settles("0", "0");
    has_state(deaths[_i].key, deaths[_i].after);
    intents_open(0);
    settles("0", "0");
    has_state(deaths[_i].key, deaths[_i].after);
    end();
}
END_TEST

START_TEST(what_has_a_living_owner_is_left_alone)
{
    xlcfg__lock *lock;
    int64_t id;

    begin_with("");
    id = leave(4);
    ck_assert_int_eq(xlcfg__intent_own(ctx, id, 0, &lock, &err), 0);
    settles("1", "0");
    has_state("disk/xvda", "detaching");
    ck_assert_int_eq(xlcfg_device_detach(ctx, "g", "disk/xvda", NULL, &doc,
                                         &err), XLCFG_ERROR_LOCK_FAIL);
    xlcfg__lock_drop(lock);
    settles("0", "0");
    has_state("disk/xvda", "");
    end();
}
END_TEST

START_TEST(a_dry_run_only_says)
{
    begin_with("");
    leave(4);
    ck_assert_int_eq(xlcfg_settle(ctx, "g", true, &doc, &err), 0);
    ck_assert_str_eq(text("/steps/0/key"), "disk/xvda");
    xlcfg_doc_free(doc);
    intents_open(1);
    has_state("disk/xvda", "detaching");
    end();
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("plug");
    int code;

    if (!mkdtemp(dir))
        return EXIT_FAILURE;
    tcase_add_test(tc, what_is_attached_is_in_the_template);
    tcase_add_loop_test(tc, what_is_wrong_touches_nothing, 0, COUNT(wrong));
    tcase_add_test(tc, a_version_that_moved_on_is_a_conflict);
    tcase_add_test(tc, a_refused_attach_leaves_nothing);
    tcase_add_test(tc, a_guest_that_holds_on_is_detaching_until_it_lets_go);
    tcase_add_test(tc, a_guest_that_says_no_keeps_it);
    tcase_add_test(tc, a_backend_lost_in_the_act_leaves_the_intent);
    tcase_add_loop_test(tc, a_death_between_steps_is_settled, 0,
                        COUNT(deaths));
    tcase_add_test(tc, what_has_a_living_owner_is_left_alone);
    tcase_add_test(tc, a_dry_run_only_says);
    tcase_add_loop_test(tc, what_the_driver_does_not_read_touches_nothing, 0,
                        2);
    code = run_case("plug", tc);
    rmdir(dir);
    return code;
}
