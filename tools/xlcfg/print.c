/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output: JSON, YAML, tables. */
#include "xlcfg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

xlcfg_doc *tool_shown(const struct tool *t, xlcfg_doc *doc, int *code)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *shown;

    if (t->secrets)
        return doc;
    if (xlcfg_doc_redact(doc, &shown, &err)) {
        *code = tool_fail(t, &err);
        shown = NULL;
    }
    xlcfg_doc_free(doc);
    return shown;
}

int tool_print(struct tool *t, xlcfg_doc *doc)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text;
    int rc;

    if (t->format == FORMAT_YAML) {
        rc = yaml_print(doc);
        xlcfg_doc_free(doc);
        return rc;
    }
    rc = xlcfg_doc_print(doc, XLCFG_PRINT_PRETTY, &text, NULL, &err);
    xlcfg_doc_free(doc);
    if (rc)
        return tool_fail(t, &err);
    fputs(text, stdout);
    if (!*text || text[strlen(text) - 1] != '\n')
        putchar('\n');
    free(text);
    return EXIT_DONE;
}

void tool_unknown(const struct tool *t, const xlcfg_doc *unknown)
{
    for (size_t i = 0; i < xlcfg_doc_count(unknown) && !t->quiet; i++)
        text_line(stderr, "#   %s",
                  xlcfg_doc_string(xlcfg_doc_at(unknown, i)));
}

bool tool_print_whole(struct tool *t, xlcfg_doc **doc, int *code)
{
    *code = EXIT_DONE;
    *doc = tool_shown(t, *doc, code);
    if (!*doc)
        return true;
    if (t->format != FORMAT_JSON && t->format != FORMAT_YAML)
        return false;
    *code = tool_print(t, *doc);
    *doc = NULL;
    return true;
}

int tool_print_device(struct tool *t, xlcfg_doc *doc, const char *note)
{
    const xlcfg_doc *dev;
    int code;

    if (tool_print_whole(t, &doc, &code))
        return code;
    dev = xlcfg_doc_get(doc, "device");
    if (t->format == FORMAT_NAME)
        text_line(stdout, "%s", cell_text(dev, "key"));
    else if (!t->quiet)
        text_line(stdout, "%s: %s%s", cell_text(dev, "key"),
                  cell_text(dev, "state"), note);
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

/* ---- YAML: strings always quoted, so that no reader guesses ---- */

static void yaml_value(const xlcfg_doc *doc, int depth, bool in_list);

static void yaml_text(const char *s)
{
    putchar('"');
    while (*s) {
        uint32_t c;
        size_t len = text_next(s, &c);

        if (c == '"' || c == '\\')
            printf("\\%c", (int)c);
        else if (c == TEXT_NONE)
            fputs("\\ufffd", stdout);
        else if (!text_is_safe(c))
            printf(c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        else
            fwrite(s, 1, len, stdout);
        s += len;
    }
    putchar('"');
}

static void indent(int depth)
{
    printf("%*s", depth * 2, "");
}

static bool is_word(const char *s)
{
    static const char *const taken[] = { "y", "n", "yes", "no", "true",
                                         "false", "on", "off", "null" };

    if (!isalpha((unsigned char)*s))
        return false;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (!strcasecmp(s, taken[i]))
            return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_' && *s != '-' &&
            *s != '.')
            return false;
    return true;
}

static void yaml_object(const xlcfg_doc *doc, int depth, bool in_list)
{
    for (size_t i = 0; i < xlcfg_doc_count(doc); i++) {
        const char *name = xlcfg_doc_name(doc, i);

        if (i || !in_list)
            indent(depth);
        if (is_word(name))
            fputs(name, stdout);
        else
            yaml_text(name);
        putchar(':');
        yaml_value(xlcfg_doc_at(doc, i), depth + 1, false);
    }
}

static void yaml_value(const xlcfg_doc *doc, int depth, bool in_list)
{
    size_t n = xlcfg_doc_count(doc);

    switch (xlcfg_doc_kind(doc)) {
    case XLCFG_DOC_NULL:
        puts(" null");
        return;
    case XLCFG_DOC_BOOL:
        puts(xlcfg_doc_is_true(doc) ? " true" : " false");
        return;
    case XLCFG_DOC_NUMBER:
        printf(" %s\n", xlcfg_doc_string(doc));
        return;
    case XLCFG_DOC_STRING:
        putchar(' ');
        yaml_text(xlcfg_doc_string(doc));
        putchar('\n');
        return;
    case XLCFG_DOC_ARRAY:
        puts(n ? "" : " []");
        for (size_t i = 0; i < n; i++) {
            indent(depth);
            putchar('-');
            yaml_value(xlcfg_doc_at(doc, i), depth + 1, true);
        }
        return;
    case XLCFG_DOC_OBJECT:
        if (!n)
            puts(" {}");
        else if (in_list)
            putchar(' ');
        else
            putchar('\n');
        yaml_object(doc, depth, in_list);
        return;
    }
}

int yaml_print(const xlcfg_doc *doc)
{
    puts("---");
    if (xlcfg_doc_kind(doc) == XLCFG_DOC_OBJECT && xlcfg_doc_count(doc))
        yaml_object(doc, 0, false);
    else
        yaml_value(doc, 0, false);
    return EXIT_DONE;
}

/* ---- names and tables ---- */

void print_names(const xlcfg_doc *list, const char *member,
                 const char *other)
{
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *row = xlcfg_doc_at(list, i);

        text_line(stdout, "%s",
                  cell_text(row, other && !xlcfg_doc_get(row, member)
                                 ? other : member));
    }
}

struct table {
    char **cells;
    size_t count, room, columns;
    bool failed;
};

struct table *table_new(const char *const *heads, size_t columns)
{
    struct table *tb = calloc(1, sizeof(*tb));

    if (!tb)
        return NULL;
    tb->columns = columns;
    for (size_t i = 0; i < columns; i++)
        table_cell(tb, heads[i]);
    return tb;
}

void table_cell(struct table *tb, const char *text)
{
    char *copy;

    if (!tb)
        return;
    copy = strdup(text && *text ? text : "-");
    if (copy && tb->count == tb->room) {
        size_t more = tb->room ? tb->room * 2 : 64;
        char **bigger = realloc(tb->cells, more * sizeof(*bigger));

        if (!bigger) {
            free(copy);
            copy = NULL;
        } else {
            tb->cells = bigger;
            tb->room = more;
        }
    }
    if (!copy) {
        tb->failed = true;
        return;
    }
    tb->cells[tb->count++] = copy;
}

/* A cell wider than this moves what comes after it, in its own row alone. */
#define WIDE 64

static size_t *column_widths(const struct table *tb)
{
    size_t *width = calloc(tb->columns, sizeof(*width));

    for (size_t i = 0; width && i < tb->count; i++) {
        size_t n = text_put(NULL, tb->cells[i]);

        if (n <= WIDE && n > width[i % tb->columns])
            width[i % tb->columns] = n;
    }
    return width;
}

void table_print(struct table *tb)
{
    size_t *width;

    if (!tb)
        return;
    width = column_widths(tb);
    for (size_t i = 0; width && i < tb->count; i++) {
        size_t n = text_put(stdout, tb->cells[i]);
        size_t room = width[i % tb->columns];

        if (i % tb->columns == tb->columns - 1)
            putchar('\n');
        else
            printf("%*s", (int)(room > n ? room - n : 0) + 2, "");
    }
    if (!width || tb->failed)
        fputs("xlcfg: out of memory: the table is cut\n", stderr);
    for (size_t i = 0; i < tb->count; i++)
        free(tb->cells[i]);
    free(width);
    free(tb->cells);
    free(tb);
}

const char *cell_text(const xlcfg_doc *doc, const char *name)
{
    const xlcfg_doc *v = xlcfg_doc_get(doc, name);
    const char *s = xlcfg_doc_string(v);

    if (s)
        return s;
    if (xlcfg_doc_kind(v) == XLCFG_DOC_BOOL)
        return xlcfg_doc_is_true(v) ? "yes" : "no";
    return "-";
}

const char *cell_address(const xlcfg_doc *dev, char *buf, size_t size)
{
    const xlcfg_doc *a = xlcfg_doc_get(dev, "address");
    size_t n = 0;

    buf[0] = '\0';
    if (xlcfg_doc_string(a))
        return xlcfg_doc_string(a);
    for (size_t i = 0; i < xlcfg_doc_count(a) && n < size; i++) {
        const char *v = xlcfg_doc_string(xlcfg_doc_at(a, i));

        n += (size_t)snprintf(buf + n, size - n, "%s%s=%s", i ? "," : "",
                              xlcfg_doc_name(a, i), v ? v : "...");
    }
    return buf;
}
