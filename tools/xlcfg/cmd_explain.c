/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg explain */
#include "xlcfg.h"

#include <stdio.h>
#include <stdlib.h>

static void line(const char *label, const xlcfg_doc *doc)
{
    char *text;

    if (xlcfg_doc_kind(doc) == XLCFG_DOC_NULL) {
        printf("  %-9s nothing\n", label);
    } else if (!xlcfg_doc_print(doc, 0, &text, NULL, NULL)) {
        text_line(stdout, "  %-9s %s", label, text);
        free(text);
    }
}

static void explain(const xlcfg_doc *d)
{
    bool in_config = xlcfg_doc_is_true(xlcfg_doc_get(d, "in_config"));
    const xlcfg_doc *cell = xlcfg_doc_get(d, "cell");
    const char *reason = xlcfg_doc_string(xlcfg_doc_get(d, "reason"));

    text_line(stdout, "%s: %s", cell_text(d, "key"), cell_text(d, "state"));
    line("template", xlcfg_doc_get(d, "template"));
    line("intent", xlcfg_doc_get(d, "intent"));
    text_line(stdout, "  %-9s %s%s%s%s", "live", cell_text(d, "live"),
              reason ? " (" : "", reason ? reason : "", reason ? ")" : "");
    line("live body", xlcfg_doc_get(d, "live_body"));
    text_line(stdout, "  %-9s template %s, intent %s, live %s", "cell",
              cell_text(cell, "template"), cell_text(cell, "intent"),
              cell_text(cell, "live"));
    text_line(stdout, "  %-9s %s; %s the configuration%s%s", "verdict",
              cell_text(d, "verdict"), in_config ? "in" : "not in",
              in_config ? ", body: " : "",
              in_config ? cell_text(d, "body") : "");
}

static int run(struct tool *t, int argc, char **argv)
{
    const struct option_row rows[] = { { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    bool names = t->format == FORMAT_NAME;
    const xlcfg_doc *list;
    xlcfg_doc *doc;
    int code;

    code = tool_begin(t, &argc, argv, rows, 1, 2, "explain DOM [KEY]");
    if (code)
        return code;
    if (xlcfg_domain_explain(t->ctx, argv[1], argc == 3 ? argv[2] : NULL,
                             &doc, &err))
        return tool_fail(t, &err);
    if (tool_print_whole(t, &doc, &code))
        return code;
    list = xlcfg_doc_get(doc, "devices");
    if (names)
        print_names(list, "key", NULL);
    for (size_t i = 0; !names && i < xlcfg_doc_count(list); i++)
        explain(xlcfg_doc_at(list, i));
    list = xlcfg_doc_get(doc, "unknown");
    for (size_t i = 0; !names && i < xlcfg_doc_count(list); i++)
        text_line(stdout, "not known: %s",
                  xlcfg_doc_string(xlcfg_doc_at(list, i)));
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

const struct command cmd_explain = {
    "explain", "DOM [KEY]", "why each device is what it is said to be",
    "Per device: what template, intent and live view said, the cell of the\n"
    "merge table that this is, and the verdict.  `xlcfg table` prints the\n"
    "whole table.", run,
};
