/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the suites of this room share. */
#ifndef XLCFG_TESTS_UNIT_H
#define XLCFG_TESTS_UNIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doc.h"

#define COUNT(v) ((int)(sizeof(v) / sizeof((v)[0])))

/* The document of a text that must be JSON. */
static inline xlcfg_doc *doc_of(const char *text)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;

    ck_assert_msg(xlcfg_doc_parse(text, strlen(text), &doc, &err) == 0,
                  "%s: %s: %s", text, err.where, err.message);
    return doc;
}

/* A document must print as this canonical text; takes the document. */
static inline void is_text(xlcfg_doc *doc, const char *want)
{
    char *text = NULL;

    ck_assert_ptr_nonnull(doc);
    ck_assert_int_eq(xlcfg_doc_print(doc, XLCFG_PRINT_CANONICAL, &text, NULL,
                                     NULL), 0);
    ck_assert_str_eq(text, want);
    free(text);
    xlcfg_doc_free(doc);
}

/* Run one suite of one case; the exit status of main. */
static inline int run_case(const char *name, TCase *tc)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int passed, failed;

    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    passed = srunner_ntests_run(runner) - failed;
    srunner_free(runner);
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
