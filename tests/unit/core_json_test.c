/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON: what is refused and where, and what one value prints as. */
#include "unit.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/number.h"

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
    ck_assert_int_eq(xlcfg_doc_parse(text, XLCFG__NUMBER_MAX, &doc, NULL),
                     0);
    xlcfg_doc_free(doc);
    ck_assert_int_eq(xlcfg_doc_parse(text, XLCFG__NUMBER_MAX + 1, &doc,
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
    { "-1200", "-1200" }, { "1200", "1200" }, { "-0.0e5", "0" },
    { "0.001", "1e-3" }, { "-12.50e1", "-125" }, { "1e-0", "1" },
    { "1e+007", "10000000" }, { "1000e-3", "1" }, { "0.1e1", "1" },
    { "1e40", "1e40" }, { "1e39", "1" "000000000000000000000000000000"
      "000000000" },
    { "10e1000000", "1e1000001" }, { "1e999999999", "1e999999999" },
    { "10e99999999999999999999", "1e100000000000000000000" },
    { "0.01e-99999999999999999999", "1e-100000000000000000001" },
    { "0.1e100000000000000000000", "1e99999999999999999999" },
    { "10e-100000000000000000000", "1e-99999999999999999999" },
    { "1e18446744073709551616", "1e18446744073709551616" },
    { "0e99999999999999999999999", "0" },
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

static const struct { const char *domid; bool same; } asked[] = {
    { "0", true }, { "4294967295", true }, { "7", false },
    { "\"0\"", false }, { "null", false }, { "[0]", false },
};

START_TEST(a_number_that_is_not_asked_for_does_not_count)
{
    char text[100], a[65], b[65];
    xlcfg_doc *with, *without = doc_of("{\"c_info\":{\"name\":\"g\"}}");

    snprintf(text, sizeof(text),
             "{\"c_info\":{\"name\":\"g\",\"domid\":%s}}", asked[_i].domid);
    with = doc_of(text);
    ck_assert_int_eq(xlcfg__config_hash(with, a, NULL), 0);
    ck_assert_int_eq(xlcfg__config_hash(without, b, NULL), 0);
    ck_assert_int_eq(!strcmp(a, b), asked[_i].same);
    ck_assert_int_eq(xlcfg_doc_hash(without, a, NULL), 0);
    ck_assert_str_eq(a, b);
    xlcfg_doc_free(with);
    xlcfg_doc_free(without);
}
END_TEST

/* The canonical text is taken, equal, and its own canonical text. */
static void again(const xlcfg_doc *doc)
{
    char *text, *text2;
    xlcfg_doc *doc2;

    ck_assert_int_eq(xlcfg_doc_print(doc, XLCFG_PRINT_CANONICAL, &text, NULL,
                                     NULL), 0);
    doc2 = doc_of(text);
    ck_assert(xlcfg__doc_equal(doc, doc2));
    ck_assert_int_eq(xlcfg_doc_print(doc2, XLCFG_PRINT_CANONICAL, &text2,
                                     NULL, NULL), 0);
    ck_assert_str_eq(text, text2);
    free(text);
    free(text2);
    xlcfg_doc_free(doc2);
}

/* One value in many spellings: digits times ten to the power of e. */
static size_t spell(char *buf, const char *digits, long e, unsigned way)
{
    size_t n = strlen(digits), at = 0;
    long point = way % (n + 3);         /* digits in front of the point */
    bool minus = way & 64;

    if (minus)
        buf[at++] = '-';
    if (point == 0 || point > (long)n) {
        at += (size_t)sprintf(buf + at, "%s", digits);
        for (long z = (long)n; point > 0 && z < point; z++, e--)
            buf[at++] = '0';
    } else {
        at += (size_t)sprintf(buf + at, "%.*s", (int)point, digits);
        if (point < (long)n)
            at += (size_t)sprintf(buf + at, ".%s", digits + point);
        for (unsigned z = way / 128 % 3; point < (long)n && z; z--)
            buf[at++] = '0';
        e += (long)n - point;
    }
    if (e || way & 32)
        at += (size_t)sprintf(buf + at, "%c%s%0*ld", way & 256 ? 'E' : 'e',
                              e < 0 ? "-" : way & 512 ? "+" : "",
                              (int)(way / 1024 % 4), labs(e));
    buf[at] = '\0';
    return at;
}

static const struct {
    const char *digits;
    long e;
} values[] = {
    { "1", 0 }, { "1", 3 }, { "25", -1 }, { "123456789", 0 },
    { "9223372036854775807", 0 }, { "18446744073709551615", 0 },
    { "1", 39 }, { "1", 40 }, { "1", 41 }, { "7", -40 }, { "99", 999999 },
    { "99", -999999 }, { "3", 2147483647 }, { "3", -2147483647 },
    { "123456789012345678901234567890123456789012345", 2 },
};

/* Equal documents have one canonical text and one hash, and the other way. */
START_TEST(spellings_of_a_number_are_one_value)
{
    char text[300], first[65], hash[65], *one = NULL, *out;

    for (unsigned way = 0; way < 4096; way++) {
        bool minus = way & 64;
        xlcfg_doc *doc, *plain;

        spell(text, values[_i].digits, values[_i].e, way);
        doc = doc_of(text);
        spell(text, values[_i].digits, values[_i].e, minus ? 64 : 0);
        plain = doc_of(text);
        ck_assert_msg(xlcfg__doc_equal(doc, plain), "%s",
                      xlcfg_doc_string(doc));
        ck_assert_int_eq(xlcfg_doc_hash(doc, hash, NULL), 0);
        ck_assert_int_eq(xlcfg_doc_hash(plain, first, NULL), 0);
        ck_assert_str_eq(hash, first);
        ck_assert_int_eq(xlcfg_doc_print(doc, XLCFG_PRINT_CANONICAL, &out,
                                         NULL, NULL), 0);
        if (!one && !minus)
            one = strdup(out);
        if (!minus)
            ck_assert_str_eq(out, one);
        free(out);
        xlcfg_doc_free(doc);
        xlcfg_doc_free(plain);
    }
    free(one);
}
END_TEST

START_TEST(other_values_are_not_equal)
{
    for (int i = 0; i < COUNT(values); i++)
        for (int j = 0; j < COUNT(values); j++) {
            char a[300], b[300], x[65], y[65];
            xlcfg_doc *one, *other;

            spell(a, values[i].digits, values[i].e, 33);
            spell(b, values[j].digits, values[j].e, 2);
            one = doc_of(a);
            other = doc_of(b);
            ck_assert_int_eq(xlcfg__doc_equal(one, other), i == j);
            ck_assert_int_eq(xlcfg_doc_hash(one, x, NULL), 0);
            ck_assert_int_eq(xlcfg_doc_hash(other, y, NULL), 0);
            ck_assert_int_eq(!strcmp(x, y), i == j);
            xlcfg_doc_free(one);
            xlcfg_doc_free(other);
        }
}
END_TEST

/* A number that is taken has a canonical text that is taken, too. */
START_TEST(the_longest_numbers_stay_within_the_limit)
{
    char text[XLCFG__NUMBER_MAX + 64];
    size_t taken = 0;

    for (size_t n = XLCFG__NUMBER_MAX - 40; n < XLCFG__NUMBER_MAX + 4; n++)
        for (int form = 0; form < 4; form++) {
            static const char *const ends[] = { "", "e5", "e-99999", "e" };
            size_t point = form % 2 ? 1 : 0, len = 0;
            xlcfg_doc *doc = NULL;
            int rc;

            text[len++] = form == 2 ? '-' : '3';
            for (text[len++] = '7'; len < n; len++)
                text[len] = point && len == 5 ? '.' : '7';
            strcpy(text + len, ends[form]);
            if (form == 3)      /* an exponent as long as the digits */
                memset(text + 500, '9', n - 500), text[499] = 'e',
                    text[n] = '\0';
            rc = xlcfg_doc_parse(text, strlen(text), &doc, NULL);
            ck_assert(rc == 0 || rc == XLCFG_ERROR_PARSE);
            if (rc)
                continue;
            taken++;
            again(doc);
            xlcfg_doc_free(doc);
        }
    ck_assert_uint_ge(taken, 100);
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
                            "1.5,\"1\",-9223372036854775808,1.0,"
                            "-922337203685477580.8e1,1e99]");
    int64_t n = 5;

    ck_assert(xlcfg__doc_is_int(xlcfg_doc_at(doc, 0), 0, INT64_MAX, &n));
    ck_assert(n == INT64_MAX);
    ck_assert(!xlcfg__doc_is_int(xlcfg_doc_at(doc, 1), 0, INT64_MAX, &n));
    ck_assert(!xlcfg__doc_is_int(xlcfg_doc_at(doc, 2), 0, 9, &n));
    ck_assert(!xlcfg__doc_is_int(xlcfg_doc_at(doc, 3), 0, 9, &n));
    ck_assert(xlcfg__doc_to_int(xlcfg_doc_at(doc, 4), 0) == INT64_MIN);
    ck_assert(xlcfg__doc_to_int(xlcfg_doc_at(doc, 5), 0) == 1);
    ck_assert(xlcfg__doc_to_int(xlcfg_doc_at(doc, 6), 0) == INT64_MIN);
    ck_assert(xlcfg__doc_to_int(xlcfg_doc_at(doc, 7), 7) == 7);
    ck_assert(xlcfg__doc_to_int(NULL, 42) == 42);
    xlcfg_doc_free(doc);
}
END_TEST

static const struct {
    const char *text, *pretty, *plain;
} prints[] = {
    { "{}", "{}\n", "{}" }, { "[]", "[]\n", "[]" }, { "null", "null\n",
      "null" },
    { "{\"b\":[1,{\"c\":null}],\"a\":{}}",
      "{\n  \"b\": [\n    1,\n    {\n      \"c\": null\n    }\n  ],\n"
      "  \"a\": {}\n}\n",
      "{\"b\":[1,{\"c\":null}],\"a\":{}}" },
    { "[\"\\u0001\\n\\/\\\\\\\"\\u007f\"]",
      "[\n  \"\\u0001\\n/\\\\\\\"\x7f\"\n]\n",
      "[\"\\u0001\\n/\\\\\\\"\x7f\"]" },
    { "{\"\\t\":\"\\b\\f\\r\\u001f\"}",
      "{\n  \"\\t\": \"\\b\\f\\r\\u001F\"\n}\n",
      "{\"\\t\":\"\\b\\f\\r\\u001F\"}" },
};

START_TEST(what_is_printed_is_this)
{
    xlcfg_doc *doc = doc_of(prints[_i].text);
    char *out;
    size_t len;

    ck_assert_int_eq(xlcfg_doc_print(doc, XLCFG_PRINT_PRETTY, &out, &len,
                                     NULL), 0);
    ck_assert_str_eq(out, prints[_i].pretty);
    ck_assert_uint_eq(len, strlen(out));
    free(out);
    ck_assert_int_eq(xlcfg_doc_print(doc, 0, &out, &len, NULL), 0);
    ck_assert_str_eq(out, prints[_i].plain);
    ck_assert_uint_eq(len, strlen(out));
    free(out);
    xlcfg_doc_free(doc);
}
END_TEST

static void take_text(void *arg, const char *text, size_t len)
{
    fwrite(text, 1, len, arg);
}

/* Texts of every length around the sizes things are copied and given away
 * in; the pieces together are the print. */
START_TEST(pieces_are_the_whole)
{
    static const size_t lens[] = { 0, 1, 7, 8, 9, 255, 256, 257, 4095, 4096,
                                   4097, 8191, 8192, 8193, 20000 };
    xlcfg__members m = { 0 };
    char *big = malloc(20001), *pieces, *whole, name[16];
    size_t size, len;
    xlcfg_doc *doc;
    FILE *f = open_memstream(&pieces, &size);

    memset(big, 'x', 20000);
    for (int i = 0; i < 3 * COUNT(lens); i++) {
        size_t n = lens[i % COUNT(lens)];

        big[n] = '\0';
        if (i >= COUNT(lens) && n)
            big[n - 1] = i >= 2 * COUNT(lens) ? '\n' : 'y';
        sprintf(name, "k%d", i * 37 % 101);
        xlcfg__members_add(&m, name, xlcfg__doc_str(big));
        if (n)
            big[n - 1] = 'x';
        big[n] = 'x';
    }
    doc = xlcfg__members_end(&m);
    ck_assert_ptr_nonnull(doc);
    ck_assert_int_eq(xlcfg__json_emit(doc, XLCFG_PRINT_CANONICAL, take_text,
                                      f, NULL), 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(xlcfg_doc_print(doc, XLCFG_PRINT_CANONICAL, &whole,
                                     &len, NULL), 0);
    ck_assert_uint_eq(len, size);
    ck_assert(!memcmp(whole, pieces, len));
    again(doc);
    free(whole);
    free(pieces);
    free(big);
    xlcfg_doc_free(doc);
}
END_TEST

/* A part of a text outlives the rest of it. */
START_TEST(parts_hold_what_they_are_in)
{
    xlcfg_doc *doc = doc_of("{\"a\":{\"b\":[\"deep\",1]},\"c\":2}");
    xlcfg_doc *part = xlcfg_doc_ref(xlcfg_doc_pointer(doc, "/a/b"));
    xlcfg_doc *other = xlcfg__doc_with(doc, "d", xlcfg__doc_null());

    xlcfg_doc_free(doc);
    is_text(part, "[\"deep\",1]");
    is_text(other, "{\"a\":{\"b\":[\"deep\",1]},\"c\":2,\"d\":null}");
}
END_TEST

/* Of each length around that of what is written at once. */
START_TEST(long_texts_come_back_whatever_is_escaped)
{
    static const char odd[] = "a\"\x01\\\n\x1f\x7f\xc3\xa9/b";
    const char *const fills[] = { odd, "\x02", "\"", "plain ", "\xe2\x82\xac" };

    for (size_t f = 0; f < COUNT(fills); f++)
        for (size_t times = 0; times < 1100; times += times < 4 ? 1 : 109) {
            size_t each = strlen(fills[f]), len, size;
            char *text = malloc(each * times + 1), *print;
            xlcfg_doc *doc, *again;

            for (size_t i = 0; i < times; i++)
                memcpy(text + i * each, fills[f], each);
            len = each * times;
            text[len] = '\0';
            doc = xlcfg__doc_strn(text, len);
            ck_assert_int_eq(xlcfg_doc_print(doc, 0, &print, &size, NULL), 0);
            ck_assert_uint_eq(strlen(print), size);
            ck_assert_int_eq(xlcfg_doc_parse(print, size, &again, NULL), 0);
            ck_assert_str_eq(xlcfg_doc_string(again), text);
            xlcfg_doc_free(doc);
            xlcfg_doc_free(again);
            free(print);
            free(text);
        }
}
END_TEST

START_TEST(words_are_one_document_each)
{
    static const char *const some[] = { "key", "x-libvirt", "0x0000", "dev",
                                        "template+live", "was", "0" };
    static const char *const none[] = { "", "ke", "keys", "zzz",
                                        "a name that is longer than all" };
    xlcfg_doc *doc = doc_of("{\"key\":7}"), *made;
    xlcfg__members m = { 0 };

    ck_assert(xlcfg__words_in_order());
    for (size_t i = 0; i < COUNT(some); i++) {
        ck_assert_str_eq(xlcfg_doc_string(xlcfg__word(some[i])), some[i]);
        ck_assert_int_eq(xlcfg_doc_kind(xlcfg__word(some[i])),
                         XLCFG_DOC_STRING);
        ck_assert_ptr_eq(xlcfg__doc_word(some[i]), xlcfg__word(some[i]));
    }
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_ptr_null(xlcfg__word(none[i]));
    for (int i = -1; i < 12; i++) {
        xlcfg_doc *n = xlcfg__doc_int(i);

        ck_assert_int_eq(xlcfg__doc_to_int(n, 99), i);
        ck_assert(!xlcfg__digit(i) == (i < 0 || i > 9));
        xlcfg_doc_free(n);
    }
    xlcfg__members_add(&m, "key", xlcfg__doc_int(7));
    made = xlcfg__members_end(&m);
    ck_assert(xlcfg__doc_equal(made, doc));
    xlcfg_doc_free(made);
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
    tcase_add_loop_test(tc, a_number_that_is_not_asked_for_does_not_count, 0,
                        COUNT(asked));
    tcase_add_loop_test(tc, one_value_has_one_canonical_text, 0,
                        COUNT(same));
    tcase_add_test(tc, order_and_numbers_are_kept_as_written);
    tcase_add_test(tc, integers_are_whole_in_64_bits);
    tcase_add_loop_test(tc, spellings_of_a_number_are_one_value, 0,
                        COUNT(values));
    tcase_add_test(tc, other_values_are_not_equal);
    tcase_add_test(tc, the_longest_numbers_stay_within_the_limit);
    tcase_add_loop_test(tc, what_is_printed_is_this, 0, COUNT(prints));
    tcase_add_test(tc, pieces_are_the_whole);
    tcase_add_test(tc, parts_hold_what_they_are_in);
    tcase_add_test(tc, long_texts_come_back_whatever_is_escaped);
    tcase_add_test(tc, words_are_one_document_each);
    tcase_add_test(tc, pointers_walk_escapes_and_indexes);
    return run_case("core/json", tc);
}
