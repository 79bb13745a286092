/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON: what is refused and where, and what one value prints as. */
#include "unit.h"
#include "core/json.h"

static const struct {
    const char *text;
    size_t len;                 /* 0: strlen */
    const char *where, *message;        /* parts of them; "": any */
} refused[] = {
    { "", 0, "line 1 column 1", "premature EOF" },
    { " \n ", 0, "line 2", "premature EOF" },
    { "{\"a\": 1,\n \"a\": 2}", 0, "line 2 column", "\"a\" stands twice" },
    { "{\"a\": {\"b\": 1, \"b\": 1}}", 0, "line 1", "\"b\" stands twice" },
    { "{\"a\":1,\"\\u0061\":2}", 0, "", "stands twice" },
    { "\"a\\u0000b\"", 0, "line 1", "NUL in a string" },
    { "{\"\\u0000\": 1}", 0, "line 1", "NUL in a string" },
    { "\"a\0b\"", 5, "line 1", "" },
    { "[1,\n\"\\ud800\"]", 0, "line 2 column 2", "surrogate" },
    { "\"\\udc00\\ud800\"", 0, "line 1 column 2", "surrogate" },
    { "\"\\ud800\\u0041\"", 0, "line 1 column 2", "surrogate" },
    { "\"\\ud83d", 0, "line 1 column 2", "surrogate" },
    { "\"\xff\"", 0, "", "" },
    { "\"\xc0\xaf\"", 0, "", "" },              /* overlong */
    { "\"\xed\xa0\x80\"", 0, "", "" },          /* a surrogate in UTF-8 */
    { "\"\xf4\x90\x80\x80\"", 0, "", "" },      /* past U+10FFFF */
    { "\"\xe2\x82\"", 0, "", "" },              /* cut short */
    { "{} {}", 0, "", "not JSON" },
    { "[1,]", 0, "", "not JSON" },
    { "[01]", 0, "", "not JSON" },
    { "/* c */ 1", 0, "", "not JSON" },
    { "{\"a\"", 0, "", "premature EOF" },
    { "nul", 0, "", "not JSON" },
    { "'a'", 0, "", "not JSON" },
};

START_TEST(refuses_with_line_and_column)
{
    size_t len = refused[_i].len ? refused[_i].len : strlen(refused[_i].text);
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;

    ck_assert_int_eq(xlcfg_doc_parse(refused[_i].text, len, &doc, &err),
                     XLCFG_ERROR_PARSE);
    ck_assert_ptr_null(doc);
    ck_assert_int_eq(err.code, XLCFG_ERROR_PARSE);
    ck_assert_msg(strstr(err.where, refused[_i].where) &&
                  strstr(err.where, "line "), "%s", err.where);
    ck_assert_msg(strstr(err.message, refused[_i].message), "%s",
                  err.message);
}
END_TEST

START_TEST(twice_is_seen_among_many_names)
{
    char text[4096];
    size_t n = 1;
    xlcfg_doc *doc = NULL;

    strcpy(text, "{");
    for (int i = 0; i < 100; i++)
        n += (size_t)sprintf(text + n, "\"k%d\":%d,", i, i);
    strcpy(text + n, "\"k7\":0}");
    ck_assert_int_eq(xlcfg_doc_parse(text, strlen(text), &doc, NULL),
                     XLCFG_ERROR_PARSE);
    strcpy(text + n, "\"new\":0}");
    doc = doc_of(text);
    ck_assert_uint_eq(xlcfg_doc_count(doc), 101);
    xlcfg_doc_free(doc);
}
END_TEST

START_TEST(nesting_ends_at_the_limit)
{
    char text[2 * XLCFG__JSON_DEPTH + 8];

    for (size_t depth = XLCFG__JSON_DEPTH; depth < XLCFG__JSON_DEPTH + 2;
         depth++) {
        xlcfg_doc *doc = NULL;
        int want = depth > XLCFG__JSON_DEPTH ? XLCFG_ERROR_PARSE : 0;

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        ck_assert_int_eq(xlcfg_doc_parse(text, 2 * depth, &doc, NULL), want);
        xlcfg_doc_free(doc);
    }
}
END_TEST

START_TEST(size_and_number_end_at_the_limit)
{
    char *text = malloc(2000);
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;

    memset(text, '1', 2000);
    ck_assert_int_eq(xlcfg_doc_parse(text, XLCFG__JSON_NUMBER, &doc, NULL),
                     0);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_doc_parse(text, XLCFG__JSON_NUMBER + 1, &doc,
                                     &err), XLCFG_ERROR_PARSE);
    ck_assert_msg(strstr(err.message, "1024"), "%s", err.message);
    /* too long is known before a byte is looked at */
    ck_assert_int_eq(xlcfg_doc_parse(text, XLCFG__JSON_SIZE + 1, &doc, &err),
                     XLCFG_ERROR_PARSE);
    ck_assert_msg(strstr(err.message, "64 MiB"), "%s", err.message);
    free(text);
}
END_TEST

static const struct {
    const char *text, *canonical;
} same[] = {
    { "{\"b\":1,\"a\":[true,false,null]}",
      "{\"a\":[true,false,null],\"b\":1}" },
    { " [ ] ", "[]" }, { "{}", "{}" }, { "\"\"", "\"\"" },
    { "1e3", "1000" }, { "1000.0", "1000" }, { "1.50", "15e-1" },
    { "-0", "0" }, { "0e99999999", "0" }, { "0.0", "0" },
    { "-12", "-12" }, { "18446744073709551615", "18446744073709551615" },
    { "-9223372036854775808", "-9223372036854775808" },
    { "100000000000000000000000000000000000000000", "1e41" },
    { "1e41", "1e41" }, { "1E+2", "100" },
    { "\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
    { "\"\\\\ud800\"", "\"\\\\ud800\"" },
};

START_TEST(one_value_has_one_canonical_text)
{
    xlcfg_doc *doc = doc_of(same[_i].text), *again;
    char a[65], b[65];

    is_text(xlcfg_doc_ref(doc), same[_i].canonical);
    again = doc_of(same[_i].canonical);
    ck_assert_int_eq(xlcfg_doc_hash(doc, a, NULL), 0);
    ck_assert_int_eq(xlcfg_doc_hash(again, b, NULL), 0);
    ck_assert_str_eq(a, b);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(again);
}
END_TEST

START_TEST(order_and_numbers_are_kept_as_written)
{
    static const char text[] = "{\"z\":1.50,\"a\":18446744073709551616}";
    xlcfg_doc *doc = doc_of(text);
    char *out;
    size_t len;

    ck_assert_int_eq(xlcfg_doc_print(doc, 0, &out, &len, NULL), 0);
    ck_assert_str_eq(out, text);
    ck_assert_uint_eq(len, strlen(text));
    free(out);
    xlcfg_doc_free(doc);
}
END_TEST

START_TEST(integers_are_whole_in_64_bits)
{
    xlcfg_doc *doc = doc_of("[9223372036854775807,9223372036854775808,"
                            "1.0,\"1\",-9223372036854775808]");
    int64_t n = 5;

    ck_assert(xlcfg__doc_is_int(xlcfg_doc_at(doc, 0), 0, INT64_MAX, &n));
    ck_assert(n == INT64_MAX);
    ck_assert(!xlcfg__doc_is_int(xlcfg_doc_at(doc, 1), 0, INT64_MAX, &n));
    ck_assert(!xlcfg__doc_is_int(xlcfg_doc_at(doc, 2), 0, 9, &n));
    ck_assert(!xlcfg__doc_is_int(xlcfg_doc_at(doc, 3), 0, 9, &n));
    ck_assert(xlcfg__doc_to_int(xlcfg_doc_at(doc, 4), 0) == INT64_MIN);
    ck_assert(xlcfg__doc_to_int(NULL, 42) == 42);
    xlcfg_doc_free(doc);
}
END_TEST

START_TEST(pointers_walk_escapes_and_indexes)
{
    xlcfg_doc *doc = doc_of("{\"a/b\":{\"~\":[10,20]},\"\":3}");

    ck_assert_str_eq(xlcfg_doc_string(xlcfg_doc_pointer(doc, "/a~1b/~0/1")),
                     "20");
    ck_assert_str_eq(xlcfg_doc_string(xlcfg_doc_pointer(doc, "/")), "3");
    ck_assert_ptr_eq(xlcfg_doc_pointer(doc, ""), doc);
    ck_assert_ptr_null(xlcfg_doc_pointer(doc, "/a~1b/~0/2"));
    ck_assert_ptr_null(xlcfg_doc_pointer(doc, "/a~1b/~0/01"));
    ck_assert_ptr_null(xlcfg_doc_pointer(doc, "/a~1b/~0/-1"));
    ck_assert_ptr_null(xlcfg_doc_pointer(doc, "no"));
    xlcfg_doc_free(doc);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("json");

    tcase_add_loop_test(tc, refuses_with_line_and_column, 0, COUNT(refused));
    tcase_add_test(tc, twice_is_seen_among_many_names);
    tcase_add_test(tc, nesting_ends_at_the_limit);
    tcase_add_test(tc, size_and_number_end_at_the_limit);
    tcase_add_loop_test(tc, one_value_has_one_canonical_text, 0,
                        COUNT(same));
    tcase_add_test(tc, order_and_numbers_are_kept_as_written);
    tcase_add_test(tc, integers_are_whole_in_64_bits);
    tcase_add_test(tc, pointers_walk_escapes_and_indexes);
    return run_case("core/json", tc);
}
