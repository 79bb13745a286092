/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg list */
#include "xlcfg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_rows(const struct tool *t, const xlcfg_doc *doc)
{
    static const char *const heads[] = { "NAME", "UUID", "DOMID", "STATE",
                                         "VERSION", "HASH" };
    static const char *const names[] = { "name", "uuid", "domid", "state",
                                         "version", "hash" };
    const xlcfg_doc *rows = xlcfg_doc_get(doc, "domains");
    struct table *tb;

    if (t->format == FORMAT_NAME) {
        print_names(rows, "name", NULL);
        return;
    }
    tb = table_new(heads, 6);
    for (size_t i = 0; i < xlcfg_doc_count(rows); i++) {
        const xlcfg_doc *row = xlcfg_doc_at(rows, i);
        char hash[13];

        for (int c = 0; c < 5; c++)
            table_cell(tb, cell_text(row, names[c]));
        snprintf(hash, sizeof(hash), "%s", cell_text(row, "hash"));
        table_cell(tb, hash);
    }
    table_print(tb);
}

static void print_gone(const struct tool *t, const xlcfg_doc *doc)
{
    const xlcfg_doc *gone = xlcfg_doc_get(doc, "gone");

    for (size_t i = 0; i < xlcfg_doc_count(gone) &&
         t->format == FORMAT_TABLE; i++)
        text_line(stdout, "gone %s",
                  xlcfg_doc_string(xlcfg_doc_at(gone, i)));
}

/* ---- what the caller knows ---- */

static bool is_hex(const char *s, size_t n)
{
    return strspn(s, "0123456789abcdef") == n && !s[n];
}

/* `12 hex.20 digits`, or 64 hex. */
static bool is_known(const char *s)
{
    return is_hex(s, 64) || tool_is_version(s);
}

static bool is_uuid(const char *s)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof(shape); i++)
        if (shape[i] == 'x' ? !isxdigit((unsigned char)s[i])
                            : s[i] != shape[i])
            return false;
    return true;
}

/* Lines `uuid version-or-hash` as a JSON object. */
static int known_lines(const struct tool *t, const char *path, char *text,
                       char **json_r)
{
    size_t len, line = 0;
    char *json = NULL, *next = text;
    const char *comma = "{";
    FILE *f = open_memstream(&json, &len);

    if (!f)
        return EXIT_INTERNAL;
    while (next) {
        char *at = strsep(&next, "\n"), *save;
        const char *uuid = strtok_r(at, " \t\r", &save);
        const char *known = uuid ? strtok_r(NULL, " \t\r", &save) : NULL;

        line++;
        if (!uuid)
            continue;
        if (!is_uuid(uuid) || !known || !is_known(known) ||
            strtok_r(NULL, " \t\r", &save)) {
            fclose(f);
            free(json);
            return tool_usage(t, path, "line %zu: expected a uuid and a "
                              "version or a hash", line);
        }
        fprintf(f, "%s\"%s\":\"%s\"", comma, uuid, known);
        comma = ",";
    }
    fputs(*comma == '{' ? "{}" : "}", f);
    if (fclose(f)) {
        free(json);
        return EXIT_INTERNAL;
    }
    *json_r = json;
    return 0;
}

static int read_known(const struct tool *t, const char *path,
                      xlcfg_doc **known_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text, *json = NULL;
    size_t len;
    int code;

    code = tool_read(t, path, &text, &len);
    if (code)
        return code;
    if (text[strspn(text, " \t\r\n")] != '{') {
        if (strlen(text) != len)
            code = tool_usage(t, path, "a NUL in it: expected text");
        else
            code = known_lines(t, path, text, &json);
        free(text);
        if (code)
            return code;
        text = json;
        len = strlen(text);
    }
    if (xlcfg_doc_parse(text, len, known_r, &err))
        code = tool_usage(t, path, "%s%s%s", err.where,
                          err.where[0] ? ": " : "", err.message);
    free(text);
    return code;
}

/* ---- the command ---- */

static int run(struct tool *t, int argc, char **argv)
{
    const char *full = NULL, *known = NULL;
    xlcfg_changes_options opt = XLCFG_CHANGES_OPTIONS_INIT;
    const struct option_row rows[] = {
        { "long", &full }, { "known=", &known },
        { "changes-since=", &opt.since }, { 0 },
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc, *had = NULL;
    int code, rc;

    code = tool_args(t, &argc, argv, rows, 0, 0, "list [--long]");
    if (!code)
        code = tool_lacks(t, FORMAT_XML, "list");
    if (!code && known)
        code = read_known(t, known, &had);
    if (!code)
        code = tool_open(t);
    if (code) {
        xlcfg_doc_free(had);
        return code;
    }
    opt.known = had;
    opt.full = full != NULL;
    rc = xlcfg_changes(t->ctx, &opt, &doc, &err);
    xlcfg_doc_free(had);
    if (rc)
        return tool_fail(t, &err);
    if (tool_print_whole(t, &doc, &code))
        return code;
    print_rows(t, doc);
    print_gone(t, doc);
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

const struct command cmd_list = {
    "list", "[--long]", "the domains, with version and hash",
    "A domain that cannot be looked at has - for version and hash.\n"
    "  --long           the whole answer of `get` in each row (json, yaml)\n"
    "  --known FILE     only those that differ from an earlier\n"
    "                   `list -o json`, or from lines `uuid version-or-hash`;\n"
    "                   and which of these are gone\n"
    "  --changes-since TOKEN  only those that changed after a version", run,
};
