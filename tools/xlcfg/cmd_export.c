/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg export, and what create and import read of an OVF */
#include "xlcfg.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The folder of a file, in full: what it names relatively is there. */
static char *folder_of(const char *path)
{
    char *copy = strdup(strcmp(path, "-") ? path : "./-");
    char *full = copy ? realpath(dirname(copy), NULL) : NULL;

    free(copy);
    return full;
}

static void print_notes(const struct tool *t, const char *path,
                        const xlcfg_doc *doc)
{
    const xlcfg_doc *notes = xlcfg_doc_get(doc, "notes");
    const xlcfg_doc *unchanged = xlcfg_doc_get(doc, "unchanged");

    if (t->quiet)
        return;
    for (size_t i = 0; i < xlcfg_doc_count(notes); i++) {
        const xlcfg_doc *n = xlcfg_doc_at(notes, i);

        text_line(stderr, "xlcfg: note: %s: line %s: <%s>: %s", path,
                  cell_text(n, "line"), cell_text(n, "element"),
                  cell_text(n, "message"));
    }
    if (unchanged && !xlcfg_doc_is_true(unchanged) &&
        !xlcfg_doc_count(notes))
        text_line(stderr, "xlcfg: note: %s: its configuration was changed "
                  "after it was exported", path);
}

int tool_read_ovf(struct tool *t, const char *path, const char *text,
                  size_t len, xlcfg_doc **config_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *folder = folder_of(path);
    xlcfg_doc *doc;
    int rc;

    if (!folder)
        return tool_usage(t, path, "its folder cannot be found");
    rc = xlcfg_ovf_parse(text, len, folder, &doc, &err);
    free(folder);
    if (rc)
        return tool_fail_in(t, path, &err);
    print_notes(t, path, doc);
    *config_r = xlcfg_doc_ref(xlcfg_doc_get(doc, "config"));
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

static int run(struct tool *t, int argc, char **argv)
{
    const char *ovf = NULL;
    const struct option_row rows[] = { { "ovf", &ovf }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text;
    int code;

    code = tool_args(t, &argc, argv, rows, 1, 1, "export DOM [--ovf]");
    if (!code)
        code = tool_lacks(t, FORMAT_NAME, "export");
    if (!code)
        code = tool_lacks(t, FORMAT_YAML, "export");
    if (!code)
        code = tool_open(t);
    if (code)
        return code;
    if (xlcfg_domain_ovf(t->ctx, argv[1], t->secrets, &text, &err))
        return tool_fail(t, &err);
    fputs(text, stdout);
    free(text);
    return EXIT_DONE;
}

const struct command cmd_export = {
    "export", "DOM [--ovf]", "an OVF envelope, on the standard output",
    "OVF 1.1: processors, memory, disks and networks in OVF's own words, and\n"
    "in a section of its own the whole configuration with every address.\n"
    "xlcfg import takes it back as it was.  Disks are named by where they\n"
    "are, not copied.  Passwords are left out, unless --secrets is given.\n"
    "  --ovf            the only form, and so the default", run,
};
