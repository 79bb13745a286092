/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds: each row is whole, and the field rules do what they say. */
#include "unit.h"
#include "core/kind.h"

START_TEST(a_row_is_whole)
{
    const struct xlcfg_kind_row *row = &xlcfg__kinds[_i];
    bool identity = false, address = false;

    ck_assert_ptr_nonnull(row->name);
    ck_assert_uint_gt(strlen(row->title), 3);
    ck_assert_int_eq(xlcfg__kind_by_name(row->name), _i);
    ck_assert_int_eq(xlcfg__kind_by_array(row->array), _i);
    for (const struct xlcfg_field *f = row->fields; f->name; f++) {
        identity = identity || f->rule == XLCFG_RULE_IDENTITY;
        address = address || (f->flags & XLCFG_FIELD_ADDRESS);
        for (const struct xlcfg_field *g = row->fields; g != f; g++)
            ck_assert_str_ne(g->name, f->name);
    }
    ck_assert(identity && address);
}
END_TEST

START_TEST(no_such_name_is_no_kind)
{
    ck_assert_int_eq(XLCFG_KINDS, 16);
    ck_assert_int_eq(xlcfg__kind_by_name("disks"), XLCFG_KINDS);
    ck_assert_int_eq(xlcfg__kind_by_array("disk"), XLCFG_KINDS);
    ck_assert_int_eq(xlcfg__kind_by_name(""), XLCFG_KINDS);
}
END_TEST

static const struct {
    enum xlcfg_kind kind;
    const char *tmpl, *live, *want;
} rules[] = {
    /* template wins, also when it is silent */
    { XLCFG_KIND_NIC, "{\"devid\":0,\"bridge\":\"a\"}",
      "{\"devid\":0,\"bridge\":\"b\",\"script\":\"s\"}",
      "{\"bridge\":\"a\",\"devid\":0}" },
    /* fill */
    { XLCFG_KIND_NIC, "{\"devid\":0}", "{\"mac\":\"m\"}",
      "{\"devid\":0,\"mac\":\"m\"}" },
    { XLCFG_KIND_NIC, "{\"mac\":\"t\"}", "{\"mac\":\"m\"}",
      "{\"mac\":\"t\"}" },
    /* identity is filled */
    { XLCFG_KIND_NIC, "{\"mac\":\"m\"}", "{\"devid\":3}",
      "{\"devid\":3,\"mac\":\"m\"}" },
    /* live */
    { XLCFG_KIND_USBDEV, "{\"ctrl\":0,\"port\":1,\"type.hostdev\":1}",
      "{\"type.hostdev\":2}", "{\"ctrl\":0,\"port\":1,\"type.hostdev\":2}" },
    /* a medium: exchanged, ejected, the same, not told */
    { XLCFG_KIND_DISK, "{\"pdev_path\":\"/a\",\"format\":\"qcow2\"}",
      "{\"pdev_path\":\"/b\",\"format\":\"raw\"}",
      "{\"format\":\"raw\",\"pdev_path\":\"/b\"}" },
    { XLCFG_KIND_DISK, "{\"pdev_path\":\"/a\",\"format\":\"raw\"}",
      "{\"pdev_path\":\"\"}", "{\"format\":\"empty\"}" },
    { XLCFG_KIND_DISK, "{\"pdev_path\":\"/a\",\"format\":\"qcow2\"}",
      "{\"pdev_path\":\"/a\",\"format\":\"raw\"}",
      "{\"format\":\"qcow2\",\"pdev_path\":\"/a\"}" },
    { XLCFG_KIND_DISK, "{\"pdev_path\":\"/a\"}", "{\"vdev\":\"xvda\"}",
      "{\"pdev_path\":\"/a\",\"vdev\":\"xvda\"}" },
    { XLCFG_KIND_DISK, "{\"format\":\"empty\"}", "{\"pdev_path\":\"\"}",
      "{\"format\":\"empty\"}" },
    { XLCFG_KIND_DISK, "{\"format\":\"empty\"}",
      "{\"pdev_path\":\"/cd\",\"format\":\"raw\"}",
      "{\"format\":\"raw\",\"pdev_path\":\"/cd\"}" },
    /* unknown members stay the template's, word for word */
    { XLCFG_KIND_DISK, "{\"new\":[1.50]}", "{\"new\":2,\"other\":3}",
      "{\"new\":[15e-1]}" },
    { XLCFG_KIND_VTPM, "{\"devid\":1}", NULL, "{\"devid\":1}" },
};

START_TEST(the_field_rules_hold)
{
    xlcfg_doc *t = doc_of(rules[_i].tmpl);
    xlcfg_doc *l = rules[_i].live ? doc_of(rules[_i].live) : NULL;

    is_text(xlcfg__kind_merge(rules[_i].kind, t, l), rules[_i].want);
    xlcfg_doc_free(t);
    xlcfg_doc_free(l);
}
END_TEST

START_TEST(an_address_is_its_members_alone)
{
    xlcfg_doc *body = doc_of("{\"port\":2,\"ctrl\":0,\"x\":1}");
    struct xlcfg__arena *arena = xlcfg__arena_new(0);
    xlcfg_doc *address;

    ck_assert_ptr_nonnull(arena);
    ck_assert(xlcfg__doc_keep(arena, body));
    xlcfg_doc_free(body);
    address = xlcfg__kind_address(XLCFG_KIND_USBDEV, body, arena);
    is_text(xlcfg_doc_ref(address), "{\"ctrl\":0,\"port\":2}");
    is_text(xlcfg_doc_ref(xlcfg__kind_address(XLCFG_KIND_DISK, body, arena)),
            "{}");
    /* it holds all it is made of */
    xlcfg_doc_ref(address);
    xlcfg__arena_drop(arena);
    is_text(address, "{\"ctrl\":0,\"port\":2}");
}
END_TEST

START_TEST(fields_that_are_asked_about_come_first)
{
    for (int k = 0; k < XLCFG_KINDS; k++) {
        unsigned rank = 0, addresses = 0;

        for (const struct xlcfg_field *f = xlcfg__kinds[k].fields; f->name;
             f++) {
            bool address = f->flags & XLCFG_FIELD_ADDRESS;
            unsigned now = f->rule != XLCFG_RULE_TEMPLATE ? 0 : address ? 1
                : 2;

            ck_assert_msg(now >= rank, "%s: %s", xlcfg__kinds[k].name,
                          f->name);
            rank = now;
            addresses += address;
        }
        ck_assert_uint_le(addresses, XLCFG__ADDRESS_MAX);
    }
}
END_TEST

START_TEST(the_printed_table_has_every_row)
{
    xlcfg_doc *doc = xlcfg__kind_table();
    const xlcfg_doc *rows = xlcfg_doc_get(doc, "kinds");

    ck_assert_uint_eq(xlcfg_doc_count(rows), XLCFG_KINDS);
    for (int k = 0; k < XLCFG_KINDS; k++)
        ck_assert_str_eq(xlcfg__doc_getstr(xlcfg_doc_at(rows, (size_t)k),
                                           "array"), xlcfg__kinds[k].array);
    xlcfg_doc_free(doc);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("kind");

    tcase_add_loop_test(tc, a_row_is_whole, 0, XLCFG_KINDS);
    tcase_add_test(tc, no_such_name_is_no_kind);
    tcase_add_loop_test(tc, the_field_rules_hold, 0, COUNT(rules));
    tcase_add_test(tc, fields_that_are_asked_about_come_first);
    tcase_add_test(tc, an_address_is_its_members_alone);
    tcase_add_test(tc, the_printed_table_has_every_row);
    return run_case("core/kind", tc);
}
