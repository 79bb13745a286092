/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg devices */
#include "xlcfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_rows(const struct tool *t, const xlcfg_doc *devices)
{
    static const char *const heads[] = {
        "KEY", "KIND", "STATE", "ADDRESS", "SINCE", "SOURCE", "REASON",
    };
    struct table *tb;

    if (t->format == FORMAT_NAME) {
        print_names(devices, "key", NULL);
        return;
    }
    tb = table_new(heads, 7);
    for (size_t i = 0; i < xlcfg_doc_count(devices); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(devices, i);
        char buf[256];

        table_cell(tb, cell_text(dev, "key"));
        table_cell(tb, cell_text(dev, "kind"));
        table_cell(tb, cell_text(dev, "state"));
        table_cell(tb, cell_address(dev, buf, sizeof(buf)));
        table_cell(tb, cell_text(dev, "since"));
        table_cell(tb, cell_text(dev, "source"));
        table_cell(tb, cell_text(dev, "reason"));
    }
    table_print(tb);
}

/* These members alone: their texts put together. */
static xlcfg_doc *part(const xlcfg_doc *doc, xlcfg_error *err)
{
    static const char *const names[] = { "version", "no_version", "last_seen",
                                         "devices" };
    const char *before = "{";
    xlcfg_doc *out = NULL;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    bool ok = f;

    for (size_t i = 0; ok && i < sizeof(names) / sizeof(names[0]); i++) {
        const xlcfg_doc *member = xlcfg_doc_get(doc, names[i]);
        char *its;

        if (!member)
            continue;
        ok = !xlcfg_doc_print(member, 0, &its, NULL, err);
        if (!ok)
            break;
        fprintf(f, "%s\"%s\":%s", before, names[i], its);
        before = ",";
        free(its);
    }
    if (f) {
        fputc('}', f);
        ok = !fclose(f) && ok;
    }
    if (ok)
        (void)xlcfg_doc_parse(text, len, &out, err);
    free(text);
    return out;
}

static int run(struct tool *t, int argc, char **argv)
{
    const struct option_row rows[] = { { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL, *out;
    int code;

    code = tool_begin(t, &argc, argv, rows, 1, 1, "devices DOM");
    if (!code && xlcfg_domain_get(t->ctx, argv[1], NULL, &doc, &err))
        code = tool_fail(t, &err);
    if (code)
        doc = tool_last(t, argv[1], code);
    if (!doc)
        return code;
    tool_say_last(t, doc);
    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML) {
        out = part(doc, &err);
        xlcfg_doc_free(doc);
        return !out ? tool_fail(t, &err) : tool_printed(t, out, code);
    }
    print_rows(t, xlcfg_doc_get(doc, "devices"));
    xlcfg_doc_free(doc);
    return code;
}

const struct command cmd_devices = {
    "devices", "DOM", "each device, its state and why",
    "States: attaching, attached, detaching, refused, failed, orphaned,\n"
    "foreign, leaked, unknown, detached.  Only what has `in_config` true in\n"
    "the JSON form is part of the configuration.", run,
};
