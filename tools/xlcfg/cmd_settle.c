/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg settle */
#include "xlcfg.h"

#include <stdio.h>
#include <string.h>

static void print_lines(const xlcfg_doc *list, const char *member,
                        const char *before)
{
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *row = xlcfg_doc_at(list, i);

        text_line(stdout, "%s %s: %s%s", cell_text(row, "domain"),
                  cell_text(row, "key"), before, cell_text(row, member));
    }
}

static int run_settle(struct tool *t, int argc, char **argv)
{
    const char *dry = NULL;
    const struct option_row rows[] = { { "dry-run", &dry }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    bool pending, failed;
    struct progress p;
    xlcfg_doc *doc;
    int code, rc;

    code = tool_begin(t, &argc, argv, rows, 0, 1, "settle [DOM]");
    if (!code)
        code = tool_lacks(t, FORMAT_NAME, "settle");
    if (code)
        return code;
    progress_begin(&p, t, "settling", argc > 1 ? argv[1] : "all domains");
    rc = xlcfg_settle(t->ctx, argc > 1 ? argv[1] : NULL, dry, &doc, &err);
    progress_end(&p);
    if (rc)
        return tool_fail(t, &err);
    pending = strcmp(cell_text(doc, "pending"), "0");
    failed = strcmp(cell_text(doc, "failed"), "0");
    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML) {
        code = tool_print(t, doc);
    } else {
        print_lines(xlcfg_doc_get(doc, "steps"), "step",
                    dry ? "would: " : "");
        print_lines(xlcfg_doc_get(doc, "open"), "message", "open: ");
        xlcfg_doc_free(doc);
    }
    return code ? code : failed ? EXIT_REFUSED : pending ? EXIT_PENDING
                                                         : EXIT_DONE;
}

const struct command cmd_settle = {
    "settle", "[DOM]", "finish what was left open",
    "Goes on with attaches and unplugs whose process is gone, and ends half\n"
    "states that are safe to end; prints each step.  Exit 5 or 6: something\n"
    "is still open.\n"
    "  --dry-run        say what would be done", run_settle,
};
