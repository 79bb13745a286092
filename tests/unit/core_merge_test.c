/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The merge table is total and sane, and the merge does what it says. */
#include "unit.h"
#include "core/merge.h"

#define CELLS (2 * XLCFG_OPS * XLCFG_LIVES)
_Static_assert(CELLS == 72, "the table has 72 cells");

static void each(int i, int *t, int *op, int *live)
{
    *live = i % XLCFG_LIVES;
    *op = i / XLCFG_LIVES % XLCFG_OPS;
    *t = i / XLCFG_LIVES / XLCFG_OPS;
}

START_TEST(every_cell_is_filled_and_sane)
{
    const struct xlcfg_cell *c;
    int t, op, live;

    each(_i, &t, &op, &live);
    c = &xlcfg__merge_table[t][op][live];
    ck_assert_ptr_nonnull(c->words);
    ck_assert_uint_gt(strlen(c->words), 5);
    ck_assert(c->body < XLCFG_BODIES && c->state < XLCFG_STATES);
    /* a body needs the source that it is taken from */
    if (c->body == XLCFG_BODY_TEMPLATE || c->body == XLCFG_BODY_FIELDS)
        ck_assert(t);
    if (c->body == XLCFG_BODY_INTENT)
        ck_assert_int_eq(op, XLCFG_OP_ATTACH);
    if (c->body == XLCFG_BODY_LIVE)
        ck_assert(live != XLCFG_LIVE_ABSENT && live != XLCFG_LIVE_UNKNOWN);
    /* what is gone, going or broken is not in the configuration */
    if (c->state == XLCFG_STATE_DETACHED ||
        c->state == XLCFG_STATE_DETACHING ||
        c->state == XLCFG_STATE_FAILED || c->state == XLCFG_STATE_LEAKED)
        ck_assert_int_eq(c->body, XLCFG_BODY_NONE);
    /* what is said to be there is in it */
    if (c->state == XLCFG_STATE_ATTACHED || c->state == XLCFG_STATE_FOREIGN)
        ck_assert_int_ne(c->body, XLCFG_BODY_NONE);
    if (c->state == XLCFG_STATE_FOREIGN)
        ck_assert(!t);
    if (c->state == XLCFG_STATE_ATTACHED)
        ck_assert_int_eq(live, XLCFG_LIVE_PRESENT);
    /* not looked at is never taken for gone */
    ck_assert_int_eq(c->state == XLCFG_STATE_UNKNOWN,
                     live == XLCFG_LIVE_UNKNOWN);
    ck_assert_int_eq(c->state == XLCFG_STATE_LEAKED,
                     live == XLCFG_LIVE_LEAKED);
    /* a begun unplug is never in the configuration */
    if (op == XLCFG_OP_DETACH)
        ck_assert_int_eq(c->body, XLCFG_BODY_NONE);
}
END_TEST

/* A view of one disk, xvda, from `who`; live as given. */
static void one_disk(struct xlcfg_view *view, const char *who,
                     enum xlcfg_live live)
{
    char body[80];

    xlcfg__view_init(view);
    memset(view->sees, 1, sizeof(view->sees));
    snprintf(body, sizeof(body),
             "{\"vdev\":\"xvda\",\"pdev_path\":\"/%s\"}", who);
    ck_assert_int_eq(xlcfg__view_add(view, XLCFG_KIND_DISK, doc_of(body),
                                     NULL, live, NULL), 0);
}

static void one_intent(struct xlcfg_intents *list, enum xlcfg_op op,
                       enum xlcfg_phase phase)
{
    struct xlcfg_intent *in = xlcfg__intents_add(list);

    *in = (struct xlcfg_intent){
        .id = 7, .op = op, .phase = phase, .kind = XLCFG_KIND_DISK,
        .key = strdup("disk/xvda"), .match = strdup("disk/#51712"),
        .reason = strdup("because"),
        .after = op == XLCFG_OP_DETACH ? NULL
            : doc_of("{\"vdev\":\"xvda\",\"pdev_path\":\"/intent\"}"),
    };
}

START_TEST(the_merge_follows_every_cell)
{
    struct xlcfg_view tmpl, live;
    struct xlcfg_intents intents = { 0 };
    struct xlcfg_answer a;
    const struct xlcfg_row *row;
    const xlcfg_doc *disks;
    int t, op, l;

    each(_i, &t, &op, &l);
    xlcfg__view_init(&tmpl);
    if (t) {
        one_disk(&tmpl, "template", XLCFG_LIVE_PRESENT);
    }
    one_disk(&live, "live", (enum xlcfg_live)l);
    if (op)
        one_intent(&intents, (enum xlcfg_op)op, XLCFG_PHASE_ACTING);
    ck_assert_int_eq(xlcfg__merge(&tmpl, &intents, &live, &a, NULL), 0);
    ck_assert_uint_eq(a.count, 1);
    row = &a.rows[0];
    ck_assert_ptr_eq(row->cell, &xlcfg__merge_table[t][op][l]);
    ck_assert_int_eq(row->state, row->cell->state);
    ck_assert_str_eq(row->key, "disk/xvda");
    ck_assert_int_eq((int)row->intent, op ? 7 : 0);
    ck_assert_int_eq(xlcfg__row_in_config(row),
                     row->cell->body != XLCFG_BODY_NONE);
    disks = xlcfg_doc_get(a.config, "disks");
    ck_assert_uint_eq(xlcfg_doc_count(disks), xlcfg__row_in_config(row));
    if (xlcfg__row_in_config(row))
        ck_assert(xlcfg__doc_equal(xlcfg_doc_at(disks, row->index),
                                   row->body));
    if (row->cell->body == XLCFG_BODY_TEMPLATE)
        ck_assert_str_eq(xlcfg__doc_getstr(row->body, "pdev_path"),
                         "/template");
    if (row->cell->body == XLCFG_BODY_LIVE)
        ck_assert_str_eq(xlcfg__doc_getstr(row->body, "pdev_path"), "/live");
    ck_assert_int_eq(a.complete, l != XLCFG_LIVE_UNKNOWN);
    xlcfg__answer_dispose(&a);
    xlcfg__answer_dispose(&a);
    xlcfg__intents_dispose(&intents);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
}
END_TEST

static const struct {
    enum xlcfg_op op;
    enum xlcfg_phase phase;
    int t, live;
    enum xlcfg_state state;
    bool in;
} phases[] = {
    { XLCFG_OP_DETACH, XLCFG_PHASE_REFUSED, 1, XLCFG_LIVE_PRESENT,
      XLCFG_STATE_REFUSED, true },
    { XLCFG_OP_DETACH, XLCFG_PHASE_WAITING, 1, XLCFG_LIVE_PRESENT,
      XLCFG_STATE_DETACHING, false },
    { XLCFG_OP_ATTACH, XLCFG_PHASE_FAILED, 0, XLCFG_LIVE_PARTIAL,
      XLCFG_STATE_FAILED, false },
    { XLCFG_OP_ATTACH, XLCFG_PHASE_FAILED, 0, XLCFG_LIVE_PRESENT,
      XLCFG_STATE_ATTACHED, true },
    { XLCFG_OP_ATTACH, XLCFG_PHASE_REFUSED, 0, XLCFG_LIVE_PARTIAL,
      XLCFG_STATE_FAILED, false },
    { XLCFG_OP_DETACH, XLCFG_PHASE_REFUSED, 1, XLCFG_LIVE_LEAVING,
      XLCFG_STATE_DETACHING, false },
};

START_TEST(a_phase_turns_the_state)
{
    struct xlcfg_view tmpl, live;
    struct xlcfg_intents intents = { 0 };
    struct xlcfg_answer a;

    xlcfg__view_init(&tmpl);
    if (phases[_i].t)
        one_disk(&tmpl, "template", XLCFG_LIVE_PRESENT);
    one_disk(&live, "live", (enum xlcfg_live)phases[_i].live);
    one_intent(&intents, phases[_i].op, phases[_i].phase);
    ck_assert_int_eq(xlcfg__merge(&tmpl, &intents, &live, &a, NULL), 0);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_str_eq(xlcfg__state_name(a.rows[0].state),
                     xlcfg__state_name(phases[_i].state));
    ck_assert_int_eq(xlcfg__row_in_config(&a.rows[0]), phases[_i].in);
    ck_assert_str_eq(a.rows[0].reason, "because");
    xlcfg__answer_dispose(&a);
    xlcfg__intents_dispose(&intents);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
}
END_TEST

/* Whole views: template, live, the configuration, complete, unknown. */
static const struct {
    const char *tmpl, *live, *config;
    size_t rows, unknown;
} views[] = {
    /* a second identity finds its partner, and shows the first */
    { "{\"nics\":[{\"mac\":\"00:16:3E:00:00:01\",\"bridge\":\"b\"}]}",
      "{\"nics\":[{\"devid\":2,\"mac\":\"00:16:3e:00:00:01\"}]}",
      "{\"nics\":[{\"bridge\":\"b\",\"devid\":2,"
      "\"mac\":\"00:16:3E:00:00:01\"}]}", 1, 0 },
    /* one disk under two names */
    { "{\"disks\":[{\"vdev\":\"51712\",\"pdev_path\":\"/a\"}]}",
      "{\"disks\":[{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"}]}",
      "{\"disks\":[{\"pdev_path\":\"/a\",\"vdev\":\"51712\"}]}", 1, 0 },
    /* twins by MAC both stay, twins by number do not */
    { "{\"nics\":[{\"mac\":\"00:16:3e:00:00:01\"},"
      "{\"mac\":\"00:16:3e:00:00:01\"}]}",
      "{\"nics\":[{\"mac\":\"00:16:3e:00:00:01\"},"
      "{\"mac\":\"00:16:3e:00:00:01\"}]}",
      "{\"nics\":[{\"mac\":\"00:16:3e:00:00:01\"},"
      "{\"mac\":\"00:16:3e:00:00:01\"}]}", 2, 0 },
    { "{\"vtpms\":[{\"devid\":0},{\"devid\":0,\"uuid\":\"u\"}]}",
      "{\"vtpms\":[{\"devid\":0}]}", "{\"vtpms\":[{\"devid\":0}]}", 1, 1 },
    /* wrong shapes cost themselves alone */
    { "{\"disks\":3,\"nics\":[7,{},{\"devid\":0}],\"b_info\":[],\"x\":1}",
      "{\"nics\":[{\"devid\":0}],\"disks\":[{\"vdev\":\"xvda\"}]}",
      "{\"disks\":[{\"vdev\":\"xvda\"}],\"nics\":[{\"devid\":0}],\"x\":1}",
      2, 4 },
    /* what is gone is dropped, what is new is kept, the rest is laid over */
    { "{\"disks\":[{\"vdev\":\"xvda\"}],\"b_info\":{\"a\":1,\"b\":2}}",
      "{\"disks\":[{\"vdev\":\"xvdb\"}],\"b_info\":{\"b\":3}}",
      "{\"b_info\":{\"a\":1,\"b\":3},\"disks\":[{\"vdev\":\"xvdb\"}]}",
      2, 0 },
    /* channels are known by name: a template counts them from 0, the
     * machine's first is console 1 */
    { "{\"channels\":[{\"devid\":0,\"name\":\"a\"},"
      "{\"devid\":1,\"name\":\"b\"}]}",
      "{\"channels\":[{\"devid\":1,\"name\":\"a\"},"
      "{\"devid\":2,\"name\":\"b\"}]}",
      "{\"channels\":[{\"devid\":0,\"name\":\"a\"},"
      "{\"devid\":1,\"name\":\"b\"}]}", 2, 0 },
    { "{}", "{}", "{}", 0, 0 },
};

START_TEST(two_views_make_one_configuration)
{
    struct xlcfg_view tmpl, live;
    struct xlcfg_answer a;
    xlcfg_doc *t = doc_of(views[_i].tmpl), *l = doc_of(views[_i].live);

    xlcfg__view_init(&tmpl);
    xlcfg__view_init(&live);
    ck_assert_int_eq(xlcfg__view_from_config(t, &tmpl, NULL), 0);
    ck_assert_int_eq(xlcfg__view_from_config(l, &live, NULL), 0);
    memset(live.sees, 1, sizeof(live.sees));
    ck_assert_int_eq(xlcfg__merge(&tmpl, NULL, &live, &a, NULL), 0);
    is_text(xlcfg_doc_ref(a.config), views[_i].config);
    ck_assert_uint_eq(a.count, views[_i].rows);
    ck_assert_uint_eq(xlcfg_doc_count(a.unknown), views[_i].unknown);
    ck_assert_int_eq(a.complete, !views[_i].unknown);
    xlcfg__answer_dispose(&a);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
    xlcfg_doc_free(t);
    xlcfg_doc_free(l);
}
END_TEST

START_TEST(an_unreadable_disk_is_unknown_not_gone)
{
    struct xlcfg_view tmpl, live;
    struct xlcfg_answer a;

    one_disk(&tmpl, "template", XLCFG_LIVE_PRESENT);
    xlcfg__view_init(&live);
    live.sees[XLCFG_KIND_DISK] = true;
    ck_assert_int_eq(xlcfg__view_add(&live, XLCFG_KIND_DISK, NULL,
                                     "disk/xvda", XLCFG_LIVE_UNKNOWN, NULL),
                     0);
    ck_assert_int_eq(xlcfg__merge(&tmpl, NULL, &live, &a, NULL), 0);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_int_eq(a.rows[0].state, XLCFG_STATE_UNKNOWN);
    ck_assert(xlcfg__row_in_config(&a.rows[0]));
    ck_assert(!a.complete);
    xlcfg__answer_dispose(&a);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
}
END_TEST

START_TEST(a_kind_not_looked_at_is_unknown_not_gone)
{
    struct xlcfg_view tmpl, live;
    struct xlcfg_answer a;

    one_disk(&tmpl, "template", XLCFG_LIVE_PRESENT);
    xlcfg__view_init(&live);
    ck_assert_int_eq(xlcfg__merge(&tmpl, NULL, &live, &a, NULL), 0);
    ck_assert_int_eq(a.rows[0].state, XLCFG_STATE_UNKNOWN);
    ck_assert(xlcfg__row_in_config(&a.rows[0]) && !a.complete);
    xlcfg__answer_dispose(&a);
    /* without a template nothing is complete */
    ck_assert_int_eq(xlcfg__merge(NULL, NULL, &live, &a, NULL), 0);
    ck_assert(!a.complete && a.count == 0);
    xlcfg__answer_dispose(&a);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
}
END_TEST

/* Whose body a device has does not hang on whether two that are alike are
   one document: `same`. */
static const struct {
    bool whole, same, unlike, as_stored;
} whose[] = {
    { .as_stored = true },
    { .same = true, .as_stored = true },
    { .unlike = true },
    { .whole = true },
    { .whole = true, .same = true },
    { .whole = true, .unlike = true },
};

START_TEST(a_body_is_of_the_template_by_rule_not_by_place)
{
    static const char one[] = "{\"vdev\":\"xvda\",\"pdev_path\":\"/1\"}";
    static const char two[] = "{\"vdev\":\"xvda\",\"pdev_path\":\"/2\"}";
    xlcfg_doc *stored = doc_of(one);
    xlcfg_doc *runs = whose[_i].same ? xlcfg_doc_ref(stored)
                                     : doc_of(whose[_i].unlike ? two : one);
    struct xlcfg_view tmpl, live;
    struct xlcfg_answer a;

    xlcfg__view_init(&tmpl);
    xlcfg__view_init(&live);
    live.whole = whose[_i].whole;
    ck_assert_int_eq(xlcfg__view_add(&tmpl, XLCFG_KIND_DISK, stored, NULL,
                                     XLCFG_LIVE_PRESENT, NULL), 0);
    ck_assert_int_eq(xlcfg__view_add(&live, XLCFG_KIND_DISK, runs, NULL,
                                     XLCFG_LIVE_PRESENT, NULL), 0);
    ck_assert_int_eq(xlcfg__merge(&tmpl, NULL, &live, &a, NULL), 0);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_int_eq(a.rows[0].as_stored, whose[_i].as_stored);
    xlcfg__answer_dispose(&a);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
}
END_TEST

START_TEST(the_newest_intent_of_a_device_counts)
{
    struct xlcfg_view live;
    struct xlcfg_intents intents = { 0 };
    struct xlcfg_answer a;

    one_disk(&live, "live", XLCFG_LIVE_PRESENT);
    one_intent(&intents, XLCFG_OP_ATTACH, XLCFG_PHASE_ACTING);
    one_intent(&intents, XLCFG_OP_DETACH, XLCFG_PHASE_ACTING);
    ck_assert_int_eq(xlcfg__merge(NULL, &intents, &live, &a, NULL), 0);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_int_eq(a.rows[0].op, XLCFG_OP_DETACH);
    xlcfg__answer_dispose(&a);
    xlcfg__intents_dispose(&intents);
    xlcfg__view_dispose(&live);
}
END_TEST

/* A keyboard that every such guest has, as a driver sees it. */
static void implicit_vkb(struct xlcfg_view *live)
{
    struct xlcfg_dev *dev;

    xlcfg__view_init(live);
    memset(live->sees, 1, sizeof(live->sees));
    ck_assert_int_eq(xlcfg__view_add(live, XLCFG_KIND_VKB,
                                     doc_of("{\"devid\":0}"), NULL,
                                     XLCFG_LIVE_PRESENT, &dev), 0);
    dev->implicit = true;
    ck_assert_int_eq(xlcfg__view_add(live, XLCFG_KIND_VKB,
                                     doc_of("{\"devid\":1}"), NULL,
                                     XLCFG_LIVE_PRESENT, NULL), 0);
}

static const struct {
    const char *tmpl, *intent;          /* NULL: none */
    bool kept;
} implicit[] = {
    { NULL, NULL, false },
    { "{}", NULL, false },
    { "{\"vkbs\":[{\"devid\":1}]}", NULL, false },
    { "{\"vfbs\":[{\"devid\":0}]}", "vfb/0", false },
    { "{\"vkbs\":[{\"devid\":0}]}", NULL, true },
    { "{}", "vkb/0", true },
    { NULL, "vkb/0", true },
};

START_TEST(what_somebody_asked_for_is_not_implicit)
{
    xlcfg_doc *t = implicit[_i].tmpl ? doc_of(implicit[_i].tmpl) : NULL;
    struct xlcfg_intents intents = { 0 };
    struct xlcfg_view tmpl, live;

    xlcfg__view_init(&tmpl);
    if (t)
        ck_assert_int_eq(xlcfg__view_from_config(t, &tmpl, NULL), 0);
    if (implicit[_i].intent)
        *xlcfg__intents_add(&intents) = (struct xlcfg_intent){
            .id = 1, .op = XLCFG_OP_ATTACH, .kind = XLCFG_KIND_VKB,
            .key = strdup(implicit[_i].intent),
            .match = strdup(implicit[_i].intent),
        };
    implicit_vkb(&live);
    xlcfg__merge_own(&live, t ? &tmpl : NULL, &intents);
    ck_assert_uint_eq(live.count, 1 + implicit[_i].kept);
    ck_assert_str_eq(live.devs[live.count - 1].key, "vkb/1");
    if (implicit[_i].kept)
        ck_assert_str_eq(live.devs[0].key, "vkb/0");
    xlcfg__intents_dispose(&intents);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
    xlcfg_doc_free(t);
}
END_TEST

static const struct {
    const char *tmpl, *live, *wanted, *rows;
} orders[] = {
    { "vda vdz", "vda vdb vdz", "", "vda vdb vdz" },
    { "vda vdz", "vdb vda vdz", "", "vdb vda vdz" },
    { "vda vdz", "vda vdb vdc vdz", "", "vda vdb vdc vdz" },
    { "vda vdz", "vda vdz", "vdb", "vda vdb vdz" },
    { "vdb vdz", "vdb vdz", "vda", "vda vdb vdz" },
    { "vda vdz", "vda vdz", "vdaa", "vda vdz vdaa" },
    { "sda vda", "sda vda", "sdb", "sda sdb vda" },
    { "vda", "vda", "sda", "vda sda" },
    { "", "vda vdb", "", "vda vdb" },
    { "", "vda vdz", "vdb", "vda vdb vdz" },
    { "", "", "vda", "vda" },
};

static void disks_of(struct xlcfg_view *view, const char *names)
{
    char name[16], body[64];
    int n;

    xlcfg__view_init(view);
    memset(view->sees, 1, sizeof(view->sees));
    view->in_order = true;
    for (; sscanf(names, " %15s%n", name, &n) == 1; names += n) {
        snprintf(body, sizeof(body),
                 "{\"vdev\":\"%s\",\"pdev_path\":\"/i\"}", name);
        ck_assert_int_eq(xlcfg__view_add(view, XLCFG_KIND_DISK, doc_of(body),
                                         NULL, XLCFG_LIVE_PRESENT, NULL), 0);
    }
}

START_TEST(a_disk_that_comes_stands_where_it_will)
{
    struct xlcfg_intents intents = { 0 };
    struct xlcfg_view tmpl, live, wanted;
    struct xlcfg_answer a;
    char rows[64] = "";

    disks_of(&tmpl, orders[_i].tmpl);
    disks_of(&live, orders[_i].live);
    disks_of(&wanted, orders[_i].wanted);
    /* another kind behind them stays there */
    ck_assert_int_eq(xlcfg__view_add(&tmpl, XLCFG_KIND_USBCTRL,
                                     doc_of("{\"devid\":0}"), NULL,
                                     XLCFG_LIVE_PRESENT, NULL), 0);
    for (size_t i = 0; i < wanted.count; i++) {
        struct xlcfg_intent *in = xlcfg__intents_add(&intents);

        *in = (struct xlcfg_intent){
            .id = 7, .op = XLCFG_OP_ATTACH, .phase = XLCFG_PHASE_ACTING,
            .kind = XLCFG_KIND_DISK, .key = strdup(wanted.devs[i].key),
            .match = strdup(wanted.devs[i].match),
            .after = xlcfg_doc_ref(wanted.devs[i].body),
        };
    }
    ck_assert_int_eq(xlcfg__merge(&tmpl, &intents, &live, &a, NULL), 0);
    for (size_t i = 0; i + 1 < a.count; i++) {
        strcat(rows, i ? " " : "");
        strcat(rows, a.rows[i].key + strlen("disk/"));
    }
    ck_assert_str_eq(rows, orders[_i].rows);
    ck_assert_str_eq(a.rows[a.count - 1].key, "usbctrl/0");
    xlcfg__answer_dispose(&a);
    xlcfg__intents_dispose(&intents);
    xlcfg__view_dispose(&tmpl);
    xlcfg__view_dispose(&live);
    xlcfg__view_dispose(&wanted);
}
END_TEST

START_TEST(the_printed_table_has_every_cell)
{
    xlcfg_doc *doc = xlcfg__merge_table_doc();
    const xlcfg_doc *cells = xlcfg_doc_get(doc, "cells");

    ck_assert_uint_eq(xlcfg_doc_count(cells), 72);
    for (size_t i = 0; i < 72; i++) {
        const xlcfg_doc *c = xlcfg_doc_at(cells, i);

        ck_assert_int_eq(xlcfg_doc_is_true(xlcfg_doc_get(c, "in_config")),
                         strcmp(xlcfg__doc_getstr(c, "body"), "none") != 0);
    }
    for (int s = 0; s < XLCFG_STATES; s++)
        ck_assert_int_eq(xlcfg__state_by_name(
                             xlcfg__state_name((enum xlcfg_state)s)), s);
    ck_assert_int_eq(xlcfg__state_by_name("no"), XLCFG_STATES);
    xlcfg_doc_free(doc);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("merge");

    tcase_add_loop_test(tc, every_cell_is_filled_and_sane, 0, CELLS);
    tcase_add_loop_test(tc, the_merge_follows_every_cell, 0, CELLS);
    tcase_add_loop_test(tc, a_phase_turns_the_state, 0, COUNT(phases));
    tcase_add_loop_test(tc, two_views_make_one_configuration, 0,
                        COUNT(views));
    tcase_add_test(tc, an_unreadable_disk_is_unknown_not_gone);
    tcase_add_test(tc, a_kind_not_looked_at_is_unknown_not_gone);
    tcase_add_loop_test(tc, a_body_is_of_the_template_by_rule_not_by_place,
                        0, COUNT(whose));
    tcase_add_test(tc, the_newest_intent_of_a_device_counts);
    tcase_add_loop_test(tc, what_somebody_asked_for_is_not_implicit, 0,
                        COUNT(implicit));
    tcase_add_loop_test(tc, a_disk_that_comes_stands_where_it_will, 0,
                        COUNT(orders));
    tcase_add_test(tc, the_printed_table_has_every_cell);
    return run_case("core/merge", tc);
}
