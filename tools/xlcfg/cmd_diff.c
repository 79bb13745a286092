/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg diff */
#include "xlcfg.h"

#include <stdio.h>
#include <stdlib.h>

static void cell_doc(struct table *tb, const xlcfg_doc *doc)
{
    char *text;

    if (xlcfg_doc_kind(doc) == XLCFG_DOC_NULL ||
        xlcfg_doc_print(doc, 0, &text, NULL, NULL)) {
        table_cell(tb, NULL);
        return;
    }
    table_cell(tb, text);
    free(text);
}

static void print_rows(const xlcfg_doc *doc)
{
    const char *heads[] = { "WHAT", "CHANGE", "TEMPLATE", "LIVE" };
    const xlcfg_doc *changes = xlcfg_doc_get(doc, "changes");
    struct table *tb = table_new(heads, 4);

    for (size_t i = 0; i < xlcfg_doc_count(changes); i++) {
        const xlcfg_doc *c = xlcfg_doc_at(changes, i);

        table_cell(tb, cell_text(c, xlcfg_doc_get(c, "key") ? "key"
                                                            : "path"));
        table_cell(tb, cell_text(c, "kind"));
        cell_doc(tb, xlcfg_doc_get(c, "from"));
        cell_doc(tb, xlcfg_doc_get(c, "to"));
    }
    table_print(tb);
}

static int run(struct tool *t, int argc, char **argv)
{
    const struct option_row rows[] = { { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    size_t count;
    int code;

    code = tool_options(t, &argc, argv, rows);
    if (code)
        return code;
    if (argc != 2)
        return tool_usage(t, NULL, "usage: xlcfg diff DOM");
    if (t->format == FORMAT_XML)
        return tool_usage(t, "-o xml", "diff has no XML form");
    code = tool_open(t);
    if (code)
        return code;
    if (xlcfg_domain_diff(t->ctx, argv[1], &doc, &err))
        return tool_fail(t, &err);
    doc = tool_shown(t, doc, &code);
    if (!doc)
        return code;
    count = xlcfg_doc_count(xlcfg_doc_get(doc, "changes"));
    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML) {
        code = tool_print(t, doc);
        return code ? code : count ? EXIT_DIFFERS : EXIT_DONE;
    }
    if (count)
        print_rows(doc);
    xlcfg_doc_free(doc);
    return count ? EXIT_DIFFERS : EXIT_DONE;
}

const struct command cmd_diff = {
    "diff", "DOM", "what differs between template and live view",
    "Exit 1 when something differs.  Only what a live view can know is\n"
    "compared; what it cannot see is not a difference.", run,
};
