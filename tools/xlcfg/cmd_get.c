/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg get, template, live: configurations. */
#include "xlcfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The named member alone, doc being freed. */
static xlcfg_doc *only(xlcfg_doc *doc, const char *name)
{
    xlcfg_doc *part = xlcfg_doc_ref(xlcfg_doc_get(doc, name));

    xlcfg_doc_free(doc);
    return part;
}

static void summary(const struct tool *t, const xlcfg_doc *doc)
{
    const xlcfg_doc *dom = xlcfg_doc_get(doc, "domain");
    const xlcfg_doc *unknown = xlcfg_doc_get(doc, "unknown");

    if (t->quiet)
        return;
    text_line(stderr, "# %s, domid %s, %s; version %s; %s",
              cell_text(dom, "name"), cell_text(dom, "domid"),
              cell_text(dom, "state"), cell_text(doc, "version"),
              xlcfg_doc_is_true(xlcfg_doc_get(doc, "complete"))
              ? "complete" : "not complete:");
    if (xlcfg_doc_get(doc, "no_version"))
        text_line(stderr, "#   no version: %s",
                  cell_text(doc, "no_version"));
    tool_unknown(t, unknown);
}

static int run_get(struct tool *t, int argc, char **argv)
{
    const char *config = NULL, *version = NULL;
    const struct option_row rows[] = {
        { "config", &config }, { "version=", &version }, { 0 },
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int code;

    code = tool_args(t, &argc, argv, rows, 1, 1,
                     "get DOM [--config] [--version V]");
    if (code)
        return code;
    if (config && (t->format == FORMAT_NAME || t->format == FORMAT_XML))
        return tool_lacks(t, t->format, "get --config");
    if (version && t->format == FORMAT_XML)
        return tool_usage(t, "-o xml", "expected json or yaml for a version "
                          "that was");
    code = tool_open(t);
    if (!code && t->format == FORMAT_XML) {
        char *xml;

        if (xlcfg_domain_xml(t->ctx, argv[1], &xml, &err))
            return tool_fail(t, &err);
        fputs(xml, stdout);
        free(xml);
        return EXIT_DONE;
    }
    if (!code &&
        (version ? xlcfg_domain_get_version(t->ctx, argv[1], version, &doc,
                                            &err)
                 : xlcfg_domain_get(t->ctx, argv[1], NULL, &doc, &err)))
        code = tool_fail(t, &err);
    /* for people and programs that look, not to build a guest of */
    if (code && !config && !version && t->format != FORMAT_XML)
        doc = tool_last(t, argv[1], code);
    if (!doc)
        return code;
    if (!config)
        tool_say_last(t, doc);
    if (config) {
        summary(t, doc);
        doc = only(doc, "config");
    } else if (t->format == FORMAT_NAME) {
        text_line(stdout, "%s", cell_text(xlcfg_doc_get(doc, "domain"),
                                          "name"));
        xlcfg_doc_free(doc);
        return code;
    } else if (t->format == FORMAT_TABLE) {
        /* a configuration has no table: its YAML is the readable form */
        t->format = FORMAT_YAML;
    }
    /* the bare configuration is there to build the guest of again */
    if (!config)
        doc = tool_shown(t, doc, &code);
    return doc ? tool_printed(t, doc, code) : code;
}

typedef int question(xlcfg_ctx *, const char *, xlcfg_doc **, xlcfg_error *);

static int run_side(struct tool *t, int argc, char **argv, question *ask)
{
    const struct option_row rows[] = { { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int code;

    code = tool_options(t, &argc, argv, rows);
    if (code)
        return code;
    if (argc != 2)
        return tool_usage(t, NULL, "usage: xlcfg %s DOM", argv[0]);
    if (t->format == FORMAT_XML || t->format == FORMAT_NAME)
        return tool_usage(t, "-o", "expected json or yaml for %s", argv[0]);
    code = tool_open(t);
    if (code)
        return code;
    if (ask(t->ctx, argv[1], &doc, &err))
        return tool_fail(t, &err);
    if (t->format == FORMAT_TABLE)
        t->format = FORMAT_YAML;
    doc = tool_shown(t, doc, &code);
    return doc ? tool_print(t, doc) : code;
}

static int run_template(struct tool *t, int argc, char **argv)
{
    return run_side(t, argc, argv, xlcfg_domain_template);
}

static int run_live(struct tool *t, int argc, char **argv)
{
    return run_side(t, argc, argv, xlcfg_domain_live);
}

const struct command cmd_get = {
    "get", "DOM [--config] [--version V]",
    "the true configuration and device states",
    "Formats: yaml (also as table), json, xml (libvirt), name.\n"
    "  --config         the bare libxl_domain_config, in json (also as table) or\n"
    "                   yaml; what was not known goes to standard error\n"
    "  --version V      as it was recorded at this version", run_get,
};
const struct command cmd_template = {
    "template", "DOM", "the private template as it stands",
    "Exit 3 when there is none that can be used; the reason is printed.",
    run_template,
};
const struct command cmd_live = {
    "live", "DOM", "what the backends show, without the template",
    "Only what the backends know: most scalars are the template's alone.",
    run_live,
};
