/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg create, import */
#include "xlcfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_config(struct tool *t, const char *path,
                       xlcfg_doc **config_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text;
    size_t len;
    int code;

    code = tool_read(t, path, &text, &len);
    if (code)
        return code;
    if (xlcfg_is_ovf(text, len))
        code = tool_read_ovf(t, path, text, len, config_r);
    else if (xlcfg_config_parse(t->ctx, text, len, config_r, &err))
        code = tool_fail_in(t, path, &err);
    free(text);
    return code;
}

/* What would be made: the bare configuration, or the driver's XML. */
static int print_config(struct tool *t, xlcfg_doc *doc)
{
    xlcfg_doc *config = xlcfg_doc_ref(xlcfg_doc_get(doc, "config"));
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *xml;

    xlcfg_doc_free(doc);
    if (t->format != FORMAT_XML)
        return tool_print(t, config);
    if (xlcfg_config_xml(t->ctx, config, &xml, &err)) {
        xlcfg_doc_free(config);
        return tool_fail(t, &err);
    }
    xlcfg_doc_free(config);
    fputs(xml, stdout);
    free(xml);
    return EXIT_DONE;
}

static int finish(struct tool *t, xlcfg_doc *doc, const char *did)
{
    const xlcfg_doc *dom;
    int code;

    if (tool_print_whole(t, &doc, &code))
        return code;
    dom = xlcfg_doc_get(doc, "domain");
    if (t->format == FORMAT_NAME)
        text_line(stdout, "%s", cell_text(dom, "name"));
    else if (!t->quiet)
        text_line(stdout, "%s %s: %s", cell_text(dom, "name"),
                  cell_text(dom, "uuid"), did);
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

static int run(struct tool *t, int argc, char **argv, bool define)
{
    xlcfg_create_options opt = XLCFG_CREATE_OPTIONS_INIT;
    const char *dry = NULL, *transient = NULL, *absent = NULL;
    const char *fresh = NULL;
    const struct option_row rows[] = {
        { "dry-run", &dry }, { "if-absent", &absent },
        { "new-addresses", &fresh },
        { define ? NULL : "transient", &transient },
        { "if-version=", &opt.if_version }, { 0 },
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *config, *doc;
    struct progress p;
    int code, rc;

    code = tool_args(t, &argc, argv, rows, 1, 1,
                     define ? "import FILE|-" : "create FILE|-");
    if (code)
        return code;
    if (t->format == FORMAT_XML && !dry)
        return tool_usage(t, "-o xml", "only with --dry-run");
    code = tool_open(t);
    if (!code)
        code = read_config(t, argv[1], &config);
    if (code)
        return code;
    opt.define = define;
    opt.dry_run = dry;
    opt.transient = transient;
    opt.if_absent = absent;
    opt.new_addresses = fresh;
    progress_begin(&p, t, define ? "importing" : "creating", argv[1]);
    rc = xlcfg_domain_create(t->ctx, config, &opt, &doc, &err);
    progress_end(&p);
    xlcfg_doc_free(config);
    if (rc && err.where[0] == '/')
        return tool_fail_in(t, argv[1], &err);
    if (rc)
        return tool_fail(t, &err);
    return dry ? print_config(t, doc)
        : finish(t, doc, define ? "imported" : "created");
}

static int run_create(struct tool *t, int argc, char **argv)
{
    return run(t, argc, argv, false);
}

static int run_import(struct tool *t, int argc, char **argv)
{
    return run(t, argc, argv, true);
}

const struct command cmd_create = {
    "create", "FILE|-", "make a domain and start it",
    "FILE is a configuration in libxl's shape, as JSON, the driver's XML, or\n"
    "an OVF envelope; what is not understood of that is named on stderr.\n"
    "What it leaves open - uuid, device numbers, addresses - is as it was\n"
    "kept under its name or uuid: by import, or by an earlier start.\n"
    "Exit 6: there is a domain of this name or uuid, or it failed.\n"
    "On Xen a process stays that acts on the domain's end (on_reboot ...).\n"
    "  --dry-run        print what would be made (-o json, yaml, xml)\n"
    "  --transient      nothing is left of it when it ends (libvirt)\n"
    "  --new-addresses  those that FILE leaves open are chosen anew\n"
    "  --if-absent      exit 4 also when there is one that is stopped\n"
    "  --if-version V   exit 4 unless it is there, and still has this version",
    run_create,
}, cmd_import = {
    "import", "FILE|-", "define a domain, or keep it for the next create",
    "As create, without the start.  Where the backend keeps no definitions\n"
    "(Xen) it is kept in state.db for the create of that name or uuid.\n"
    "  --dry-run        print what would be defined\n"
    "  --new-addresses  as of create\n"
    "  --if-absent      exit 4 instead of 6 when there is one", run_import,
};
