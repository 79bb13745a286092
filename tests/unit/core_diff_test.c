/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diff: what differs is said once, and silence is not a difference. */
#include "unit.h"
#include "core/diff.h"

static const struct {
    const char *from, *to;      /* to NULL: a view that read nothing */
    bool over;
    const char *changes;
} cases[] = {
    { "{\"a\":1}", "{\"a\":1}", false, "[]" },
    { "{\"a\":1}", "{\"a\":2}", false,
      "[{\"from\":1,\"kind\":\"changed\",\"path\":\"/a\",\"to\":2}]" },
    { "{\"a\":{\"b/c\":1}}", "{\"a\":{\"d~\":2}}", false,
      "[{\"from\":1,\"kind\":\"removed\",\"path\":\"/a/b~1c\",\"to\":null},"
      "{\"from\":null,\"kind\":\"added\",\"path\":\"/a/d~0\",\"to\":2}]" },
    { "{\"a\":1,\"b\":2}", "{\"b\":3}", true,
      "[{\"from\":2,\"kind\":\"changed\",\"path\":\"/b\",\"to\":3}]" },
    { "{\"a\":1}", NULL, true, "[]" },
    /* nor is a template's silence about a default */
    { "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2}}", true, "[]" },
    { "{\"a\":[1]}", "{\"a\":[1,2]}", false,
      "[{\"from\":[1],\"kind\":\"changed\",\"path\":\"/a\","
      "\"to\":[1,2]}]" },
    { "{\"vtpms\":[{\"devid\":0}]}", "{\"vtpms\":[{\"devid\":1}]}", false,
      "[{\"from\":{\"devid\":0},\"key\":\"vtpm/0\",\"kind\":\"removed\","
      "\"to\":null},{\"from\":null,\"key\":\"vtpm/1\",\"kind\":\"added\","
      "\"to\":{\"devid\":1}}]" },
    /* the order of devices is no difference */
    { "{\"vtpms\":[{\"devid\":0},{\"devid\":1}]}",
      "{\"vtpms\":[{\"devid\":1},{\"devid\":0}]}", false, "[]" },
    /* the template is right about a bridge */
    { "{\"nics\":[{\"devid\":0,\"bridge\":\"a\"}]}",
      "{\"nics\":[{\"devid\":0,\"bridge\":\"b\"}]}", true, "[]" },
    { "{\"nics\":[{\"devid\":0,\"bridge\":\"a\"}]}",
      "{\"nics\":[{\"devid\":0,\"bridge\":\"b\"}]}", false,
      "[{\"from\":{\"bridge\":\"a\",\"devid\":0},\"key\":\"nic/0\","
      "\"kind\":\"changed\",\"to\":{\"bridge\":\"b\",\"devid\":0}}]" },
    { "{\"nics\":[{\"mac\":\"00:16:3e:00:00:01\"}]}",
      "{\"nics\":[{\"mac\":\"00:16:3e:00:00:01\"}]}", false, "[]" },
};

START_TEST(says_what_differs)
{
    xlcfg_doc *f = doc_of(cases[_i].from);
    xlcfg_doc *t = cases[_i].to ? doc_of(cases[_i].to) : NULL;
    struct xlcfg_view from, to;
    xlcfg_doc *doc;

    xlcfg__view_init(&from);
    xlcfg__view_init(&to);
    ck_assert_int_eq(xlcfg__view_from_config(f, &from, NULL), 0);
    if (t)
        ck_assert_int_eq(xlcfg__view_from_config(t, &to, NULL), 0);
    memset(to.sees, 1, sizeof(to.sees));
    doc = xlcfg__diff("x", &from, "y", &to, cases[_i].over);
    ck_assert_ptr_nonnull(doc);
    ck_assert_str_eq(xlcfg__doc_getstr(doc, "from"), "x");
    ck_assert_str_eq(xlcfg__doc_getstr(doc, "to"), "y");
    is_text(xlcfg_doc_ref(xlcfg_doc_get(doc, "changes")),
            cases[_i].changes);
    xlcfg_doc_free(doc);
    xlcfg__view_dispose(&from);
    xlcfg__view_dispose(&to);
    xlcfg_doc_free(f);
    xlcfg_doc_free(t);
}
END_TEST

START_TEST(a_kind_not_seen_is_no_difference)
{
    struct xlcfg_view from, to;
    xlcfg_doc *doc;

    for (int sees = 0; sees < 2; sees++) {
        xlcfg__view_init(&from);
        xlcfg__view_init(&to);
        to.sees[XLCFG_KIND_RDM] = sees;
        ck_assert_int_eq(xlcfg__view_add(&from, XLCFG_KIND_RDM, doc_of("{}"),
                                         NULL, XLCFG_LIVE_PRESENT, NULL), 0);
        doc = xlcfg__diff("x", &from, "y", &to, true);
        ck_assert_uint_eq(xlcfg_doc_count(xlcfg_doc_get(doc, "changes")),
                          (size_t)sees);
        xlcfg_doc_free(doc);
        xlcfg__view_dispose(&from);
        xlcfg__view_dispose(&to);
    }
}
END_TEST

START_TEST(only_what_is_there_counts_as_there)
{
    static const bool there[XLCFG_LIVES] = {
        [XLCFG_LIVE_COMING] = true, [XLCFG_LIVE_PRESENT] = true,
        [XLCFG_LIVE_ORPHANED] = true, [XLCFG_LIVE_UNKNOWN] = true,
    };
    struct xlcfg_view from, to;
    xlcfg_doc *doc;

    xlcfg__view_init(&from);
    xlcfg__view_init(&to);
    ck_assert_int_eq(xlcfg__view_add(&to, XLCFG_KIND_VTPM,
                                     doc_of("{\"devid\":0}"), NULL,
                                     (enum xlcfg_live)_i, NULL), 0);
    doc = xlcfg__diff("x", &from, "y", &to, true);
    ck_assert_uint_eq(xlcfg_doc_count(xlcfg_doc_get(doc, "changes")),
                      there[_i]);
    xlcfg_doc_free(doc);
    xlcfg__view_dispose(&from);
    xlcfg__view_dispose(&to);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("diff");

    tcase_add_loop_test(tc, says_what_differs, 0, COUNT(cases));
    tcase_add_test(tc, a_kind_not_seen_is_no_difference);
    tcase_add_loop_test(tc, only_what_is_there_counts_as_there, 0,
                        XLCFG_LIVES);
    return run_case("core/diff", tc);
}
