/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg addresses */
#include "xlcfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_rows(const struct tool *t, const xlcfg_doc *doc)
{
    static const char *const heads[] = { "KEY", "HELD", "ADDRESS" };
    const xlcfg_doc *rows = xlcfg_doc_get(doc, "addresses");
    struct table *tb;

    if (t->format == FORMAT_NAME) {
        print_names(rows, "key", NULL);
        return;
    }
    tb = table_new(heads, 3);
    for (size_t i = 0; i < xlcfg_doc_count(rows); i++) {
        const xlcfg_doc *row = xlcfg_doc_at(rows, i);
        char buf[256];

        table_cell(tb, cell_text(row, "key"));
        table_cell(tb, cell_text(row, "held"));
        table_cell(tb, cell_address(row, buf, sizeof(buf)));
    }
    table_print(tb);
    if (!t->quiet)
        text_line(stdout, "chosen by: %s (newest: %s)",
                  cell_text(doc, "choice"), cell_text(doc, "newest"));
}

static int take_choice(const struct tool *t, const char *text,
                       int64_t *choice_r)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno || *end || end == text || n < 1)
        return tool_usage(t, "--choice", "expected a number from 1, not "
                          "'%s'", text);
    *choice_r = n;
    return 0;
}

static int run(struct tool *t, int argc, char **argv)
{
    const char *reset = NULL, *choice = NULL, *version = NULL;
    const struct option_row rows[] = {
        { "reset=", &reset }, { "choice=", &choice },
        { "if-version=", &version }, { 0 },
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    int64_t number = 0;
    xlcfg_doc *doc;
    int code;

    code = tool_args(t, &argc, argv, rows, 1, 1, "addresses DOM");
    if (!code && choice)
        code = take_choice(t, choice, &number);
    if (!code && version && !tool_is_version(version))
        code = tool_usage(t, "--if-version", "expected 12 hexadecimal "
                          "digits, a dot and 20 digits, not '%s'", version);
    if (!code)
        code = tool_lacks(t, FORMAT_XML, "addresses");
    if (!code)
        code = tool_open(t);
    if (code)
        return code;
    if (choice && xlcfg_address_choice(t->ctx, argv[1], number, version,
                                       &err))
        return tool_fail(t, &err);
    if (reset && xlcfg_address_reset(t->ctx, argv[1], reset, version, &err))
        return tool_fail(t, &err);
    if (xlcfg_domain_addresses(t->ctx, argv[1], &doc, &err))
        return tool_fail(t, &err);
    if (tool_print_whole(t, &doc, &code))
        return code;
    print_rows(t, doc);
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

const struct command cmd_addresses = {
    "addresses", "DOM", "the addresses kept for devices, also of before",
    "HELD: device, it is there and has it; kept, it has left: it has the\n"
    "address again when it is attached again, and no other device is given\n"
    "it unasked.  chosen by: the way in which addresses are chosen, which\n"
    "stays the domain's own; 1: any that is free, 2: as said above.\n"
    "  --reset KEY      give up the address kept for a device that has left\n"
    "  --choice N       choose in this way from now on; nothing moves\n"
    "  --if-version V   either only if the domain still has this version", run,
};
