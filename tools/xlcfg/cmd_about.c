/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg features, schema, table, check: about the tool itself. */
#include "xlcfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool wants_document(const struct tool *t)
{
    return t->format == FORMAT_JSON || t->format == FORMAT_YAML;
}

static void rows_of(const struct tool *t, const xlcfg_doc *list,
                    const char *const *heads, const char *const *names,
                    size_t columns)
{
    struct table *tb;

    if (t->format == FORMAT_NAME) {
        print_names(list, "name", NULL);
        return;
    }
    tb = table_new(heads, columns);
    for (size_t i = 0; i < xlcfg_doc_count(list); i++)
        for (size_t c = 0; c < columns; c++)
            table_cell(tb, cell_text(xlcfg_doc_at(list, i), names[c]));
    table_print(tb);
}

static int run_features(struct tool *t, int argc, char **argv)
{
    static const char *const heads[] = { "NAME", "ANSWER", "LEVEL",
                                         "REASON" };
    static const char *const names[] = { "name", "answer", "level",
                                         "reason" };
    const char *why = NULL;
    const struct option_row rows[] = { { "why=", &why }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int code;

    code = tool_begin(t, &argc, argv, rows, 0, 0, "features [--why NAME]");
    if (code)
        return code;
    if (xlcfg_features(t->ctx, why, &doc, &err))
        return tool_fail(t, &err);
    if (wants_document(t))
        return tool_print(t, doc);
    rows_of(t, xlcfg_doc_get(doc, "features"), heads, names, 4);
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

/* The names: lines, or in JSON and YAML one list. */
static int schema_names(struct tool *t)
{
    const char *comma = "{\"schemas\":[";
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text = NULL;
    xlcfg_doc *doc;
    size_t len;
    FILE *f;
    int rc;

    for (size_t i = 0; !wants_document(t) && xlcfg_schema_name(i); i++)
        puts(xlcfg_schema_name(i));
    if (!wants_document(t))
        return EXIT_DONE;
    f = open_memstream(&text, &len);
    if (!f)
        return EXIT_INTERNAL;
    for (size_t i = 0; xlcfg_schema_name(i); i++, comma = ",")
        fprintf(f, "%s\"%s\"", comma, xlcfg_schema_name(i));
    fputs("]}", f);
    rc = fclose(f) ? XLCFG_ERROR_NOMEM
        : xlcfg_doc_parse(text, len, &doc, &err);
    free(text);
    return rc ? tool_fail(t, &err) : tool_print(t, doc);
}

/* One of them, which is JSON whatever the form; but YAML when asked for. */
static int schema_text(struct tool *t, const char *text)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;

    if (t->format != FORMAT_YAML) {
        fputs(text, stdout);
        return EXIT_DONE;
    }
    return xlcfg_doc_parse(text, strlen(text), &doc, &err)
        ? tool_fail(t, &err) : tool_print(t, doc);
}

static int run_schema(struct tool *t, int argc, char **argv)
{
    const struct option_row rows[] = { { 0 } };
    const char *text;
    int code;

    code = tool_args(t, &argc, argv, rows, 0, 1, "schema [NAME]");
    if (!code)
        code = tool_lacks(t, FORMAT_XML, "schema");
    if (!code && argc > 1)
        code = tool_lacks(t, FORMAT_NAME, "a schema");
    if (code)
        return code;
    if (argc == 1)
        return schema_names(t);
    text = xlcfg_schema(argv[1]);
    if (!text) {
        xlcfg_error err = { XLCFG_ERROR_NOTFOUND, "", "" };

        snprintf(err.where, sizeof(err.where), "%s", argv[1]);
        snprintf(err.message, sizeof(err.message),
                 "no schema of that name: `xlcfg schema` lists them");
        return tool_fail(t, &err);
    }
    return schema_text(t, text);
}

static int run_table(struct tool *t, int argc, char **argv)
{
    static const char *const heads[] = { "TEMPLATE", "INTENT", "LIVE",
                                         "IN CONFIG", "BODY", "STATE",
                                         "VERDICT" };
    static const char *const names[] = { "template", "intent", "live",
                                         "in_config", "body", "state",
                                         "verdict" };
    static const char *const kind_heads[] = { "NAME", "ARRAY", "TITLE" };
    static const char *const kind_names[] = { "name", "array", "title" };
    const char *kinds = NULL;
    const struct option_row rows[] = { { "kinds", &kinds }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int code;

    code = tool_args(t, &argc, argv, rows, 0, 0, "table [--kinds]");
    if (!code)
        code = tool_lacks(t, FORMAT_XML, "table");
    if (!code && !kinds)
        code = tool_lacks(t, FORMAT_NAME, "table");
    if (code)
        return code;
    if (xlcfg_table(kinds != NULL, &doc, &err))
        return tool_fail(t, &err);
    if (wants_document(t))
        return tool_print(t, doc);
    if (kinds)
        rows_of(t, xlcfg_doc_get(doc, "kinds"), kind_heads, kind_names, 3);
    else
        rows_of(t, xlcfg_doc_get(doc, "cells"), heads, names, 7);
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

/* A JSON file in its canonical form. */
static int canonical(struct tool *t, const char *path)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text, *out;
    xlcfg_doc *doc;
    size_t len;
    int rc;

    rc = tool_read(t, path, &text, &len);
    if (rc)
        return rc;
    rc = xlcfg_doc_parse(text, len, &doc, &err);
    free(text);
    if (rc) {
        char where[sizeof(err.where)];

        snprintf(where, sizeof(where), "%.200s: %.200s", path, err.where);
        snprintf(err.where, sizeof(err.where), "%s", where);
        return tool_fail(t, &err);
    }
    rc = xlcfg_doc_print(doc, XLCFG_PRINT_CANONICAL, &out, NULL, &err);
    xlcfg_doc_free(doc);
    if (rc)
        return tool_fail(t, &err);
    puts(out);
    free(out);
    return EXIT_DONE;
}

static int run_check(struct tool *t, int argc, char **argv)
{
    static const char *const heads[] = { "WHAT", "OK", "MESSAGE" };
    static const char *const names[] = { "name", "ok", "message" };
    const char *file = NULL;
    const struct option_row rows[] = { { "canonical=", &file }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    bool fine = true;
    const xlcfg_doc *list;
    xlcfg_doc *doc;
    int code;

    code = tool_args(t, &argc, argv, rows, 0, 0, "check [--canonical FILE]");
    if (!code)
        code = tool_lacks(t, FORMAT_XML, "check");
    if (code)
        return code;
    if (file)
        return canonical(t, file);
    code = tool_open(t);
    if (code)
        return code;
    if (xlcfg_check(t->ctx, &doc, &err))
        return tool_fail(t, &err);
    list = xlcfg_doc_get(doc, "checks");
    for (size_t i = 0; i < xlcfg_doc_count(list); i++)
        fine = fine && xlcfg_doc_is_true(xlcfg_doc_get(
                           xlcfg_doc_at(list, i), "ok"));
    code = fine ? EXIT_DONE : EXIT_DIFFERS;
    if (wants_document(t)) {
        int printed = tool_print(t, doc);

        return printed ? printed : code;
    }
    rows_of(t, list, heads, names, 3);
    xlcfg_doc_free(doc);
    return code;
}

const struct command cmd_features = {
    "features", "[--why NAME]", "what can be done here, and why not",
    "Each answer is the driver's own for this connection, with the reason\n"
    "of each no.  Exit 2 for a name that is no feature.", run_features,
};
const struct command cmd_schema = {
    "schema", "[NAME]", "the JSON Schemas of what is read and printed",
    "Without a name: their names.", run_schema,
};
const struct command cmd_table = {
    "table", "[--kinds]", "the merge table, or the table of kinds",
    "Every combination of template, intent and live view has its row; with\n"
    "-o json --kinds also the rule of each field is shown.", run_table,
};
const struct command cmd_check = {
    "check", "[--canonical FILE]", "look whether all parts can be used",
    "Exit 1 when one cannot.  --canonical prints a JSON file in canonical\n"
    "form and looks at nothing else; - is standard input.", run_check,
};
