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
    struct table *tb = NULL;

    if (t->format != FORMAT_NAME)
        tb = table_new(heads, 7);
    for (size_t i = 0; i < xlcfg_doc_count(devices); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(devices, i);
        char buf[256];

        if (t->format == FORMAT_NAME) {
            puts(cell_text(dev, "key"));
            continue;
        }
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

/* {"version", "devices"} alone: the text of the two put together. */
static xlcfg_doc *part(const xlcfg_doc *doc, xlcfg_error *err)
{
    char *devices, *version, *both = NULL;
    xlcfg_doc *out = NULL;

    if (xlcfg_doc_print(xlcfg_doc_get(doc, "version"), 0, &version, NULL,
                        err))
        return NULL;
    if (!xlcfg_doc_print(xlcfg_doc_get(doc, "devices"), 0, &devices, NULL,
                         err)) {
        int n = asprintf(&both, "{\"version\":%s,\"devices\":%s}", version,
                         devices);

        if (n >= 0)
            (void)xlcfg_doc_parse(both, (size_t)n, &out, err);
        free(n >= 0 ? both : NULL);
        free(devices);
    }
    free(version);
    return out;
}

static int run(struct tool *t, int argc, char **argv)
{
    const struct option_row rows[] = { { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc, *out;
    int code;

    code = tool_begin(t, &argc, argv, rows, 1, 1, "devices DOM");
    if (code)
        return code;
    if (xlcfg_domain_get(t->ctx, argv[1], NULL, &doc, &err))
        return tool_fail(t, &err);
    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML) {
        out = part(doc, &err);
        xlcfg_doc_free(doc);
        return out ? tool_print(t, out) : tool_fail(t, &err);
    }
    print_rows(t, xlcfg_doc_get(doc, "devices"));
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

const struct command cmd_devices = {
    "devices", "DOM", "each device, its state and why",
    "States: attaching, attached, detaching, refused, failed, orphaned,\n"
    "foreign, leaked, unknown, detached.  Only what has `in_config` true in\n"
    "the JSON form is part of the configuration.", run,
};
