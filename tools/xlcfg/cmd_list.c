/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg list */
#include "xlcfg.h"

#include <stdio.h>

static void print_rows(const struct tool *t, const xlcfg_doc *doc)
{
    static const char *const heads[] = { "NAME", "UUID", "DOMID", "STATE",
                                         "VERSION", "HASH" };
    static const char *const names[] = { "name", "uuid", "domid", "state",
                                         "version", "hash" };
    const xlcfg_doc *rows = xlcfg_doc_get(doc, "domains");
    struct table *tb = NULL;

    if (t->format != FORMAT_NAME)
        tb = table_new(heads, 6);
    for (size_t i = 0; i < xlcfg_doc_count(rows); i++) {
        const xlcfg_doc *row = xlcfg_doc_at(rows, i);
        char hash[13];

        if (t->format == FORMAT_NAME) {
            puts(cell_text(row, "name"));
            continue;
        }
        for (int c = 0; c < 5; c++)
            table_cell(tb, cell_text(row, names[c]));
        snprintf(hash, sizeof(hash), "%s", cell_text(row, "hash"));
        table_cell(tb, hash);
    }
    table_print(tb);
}

static int run(struct tool *t, int argc, char **argv)
{
    const char *full = NULL;
    const struct option_row rows[] = { { "long", &full }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int code;

    code = tool_options(t, &argc, argv, rows);
    if (code)
        return code;
    if (argc > 1)
        return tool_usage(t, argv[1], "list takes no arguments");
    if (t->format == FORMAT_XML)
        return tool_usage(t, "-o xml", "list has no XML form");
    code = tool_open(t);
    if (code)
        return code;
    if (xlcfg_domain_list(t->ctx, full != NULL, &doc, &err))
        return tool_fail(t, &err);
    doc = tool_shown(t, doc, &code);
    if (!doc)
        return code;
    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML)
        return tool_print(t, doc);
    print_rows(t, doc);
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

const struct command cmd_list = {
    "list", "[--long]", "the domains, with version and hash",
    "--long puts the whole answer of `get` into each row (json, yaml).\n"
    "A domain that cannot be looked at has - for version and hash.", run,
};
