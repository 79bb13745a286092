/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg diff */
#include "xlcfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From so many bytes on a table shows of XML what differs. */
#define LONG 100

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

static bool is_long_xml(const char *text)
{
    if (!text || *text != '<' || strlen(text) < LONG)
        return false;
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            return false;
    return true;
}

static void cell_part(struct table *tb, const char *text, size_t from,
                      size_t to)
{
    char *part = NULL;

    if (from < to && asprintf(&part, "%s%.*s%s", from ? "..." : "",
                              (int)(to - from), text + from,
                              text[to] ? "..." : "") < 0)
        part = NULL;
    table_cell(tb, part);
    free(part);
}

/* Of two long elements the part that is another, from tag to tag. */
static void cells_of_xml(struct table *tb, const char *a, const char *b)
{
    size_t len_a = strlen(a), len_b = strlen(b), same = 0, tail = 0, most;

    while (a[same] && a[same] == b[same])
        same++;
    if (a[same - 1] != '>')
        while (same && a[same] != '<')
            same--;
    most = (len_a < len_b ? len_a : len_b) - same;
    while (tail < most && a[len_a - tail - 1] == b[len_b - tail - 1])
        tail++;
    while (tail && (a[len_a - tail - 1] != '>' ||
                    (len_b > tail && b[len_b - tail - 1] != '>')))
        tail--;
    cell_part(tb, a, same, len_a - tail);
    cell_part(tb, b, same, len_b - tail);
}

static void print_rows(const xlcfg_doc *doc, const char *from,
                       const char *to)
{
    const char *heads[] = { "WHAT", "CHANGE", from, to };
    const xlcfg_doc *changes = xlcfg_doc_get(doc, "changes");
    struct table *tb = table_new(heads, 4);

    for (size_t i = 0; i < xlcfg_doc_count(changes); i++) {
        const xlcfg_doc *c = xlcfg_doc_at(changes, i);
        const char *a, *b;

        table_cell(tb, cell_text(c, xlcfg_doc_get(c, "key") ? "key"
                                                            : "path"));
        table_cell(tb, cell_text(c, "kind"));
        a = xlcfg_doc_string(xlcfg_doc_get(c, "from"));
        b = xlcfg_doc_string(xlcfg_doc_get(c, "to"));
        if (is_long_xml(a) && is_long_xml(b)) {
            cells_of_xml(tb, a, b);
            continue;
        }
        cell_doc(tb, xlcfg_doc_get(c, "from"));
        cell_doc(tb, xlcfg_doc_get(c, "to"));
    }
    table_print(tb);
}

/* A..B, A.. or A: from a version to another, or to now. */
static int ask_versions(const struct tool *t, const char *dom,
                        const char *range, xlcfg_doc **doc_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    const char *dots = strstr(range, "..");
    char *from = strndup(range, dots ? (size_t)(dots - range)
                                     : strlen(range));
    int rc;

    if (!from)
        return EXIT_INTERNAL;
    if (!*from) {
        free(from);
        return tool_usage(t, "--version", "expected A..B, A.. or A, not '%s'",
                          range);
    }
    rc = xlcfg_domain_diff_versions(t->ctx, dom, from,
                                    dots && dots[2] ? dots + 2 : NULL, doc_r,
                                    &err);
    free(from);
    return rc ? tool_fail(t, &err) : 0;
}

int diff_print(struct tool *t, xlcfg_doc *doc, const char *from,
               const char *to)
{
    size_t count;
    int code;

    doc = tool_shown(t, doc, &code);
    if (!doc)
        return code;
    count = xlcfg_doc_count(xlcfg_doc_get(doc, "changes"));
    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML) {
        code = tool_print(t, doc);
        return code ? code : count ? EXIT_DIFFERS : EXIT_DONE;
    }
    if (t->format == FORMAT_NAME)
        print_names(xlcfg_doc_get(doc, "changes"), "key", "path");
    else if (count)
        print_rows(doc, from, to);
    tool_unknown(t, xlcfg_doc_get(doc, "unknown"));
    xlcfg_doc_free(doc);
    return count ? EXIT_DIFFERS : EXIT_DONE;
}

static int run(struct tool *t, int argc, char **argv)
{
    const char *range = NULL;
    const struct option_row rows[] = { { "version=", &range }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int code;

    code = tool_begin(t, &argc, argv, rows, 1, 1, "diff DOM [--version A..B]");
    if (code)
        return code;
    if (range)
        code = ask_versions(t, argv[1], range, &doc);
    else if (xlcfg_domain_diff(t->ctx, argv[1], &doc, &err))
        code = tool_fail(t, &err);
    if (code)
        return code;
    return diff_print(t, doc, range ? "FROM" : "TEMPLATE",
                      range ? "TO" : "LIVE");
}

const struct command cmd_diff = {
    "diff", "DOM [--version A..B]",
    "what differs between template and live view",
    "Exit 1 when something differs.  Only what a live view can know is\n"
    "compared; what it cannot see is not a difference.\n"
    "  --version A..B   instead, between two versions (A: and now)", run,
};
