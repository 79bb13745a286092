/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg attach, detach, update */
#include "xlcfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

/* --wait and --wait=S: taken here, for its value is optional. */
static int take_wait(const struct tool *t, int *argc, char **argv,
                     xlcfg_plug_options *opt)
{
    int out = 1;

    for (int i = 1; i < *argc; i++) {
        char *end;
        double s;

        if (!strcmp(argv[i], "--wait")) {
            opt->wait_ms = UINT32_MAX;
            continue;
        }
        if (strncmp(argv[i], "--wait=", 7)) {
            argv[out++] = argv[i];
            continue;
        }
        s = strtod(argv[i] + 7, &end);
        if (*end || end == argv[i] + 7 || !(s >= 0 && s <= 4000000))
            return tool_usage(t, argv[i], "expected seconds up to 4000000");
        opt->wait_ms = s >= 0.001 ? (unsigned)(s * 1000) : 1;
    }
    argv[out] = NULL;
    *argc = out;
    return 0;
}

static int take_incarnation(const struct tool *t, const char *text,
                            xlcfg_plug_options *opt)
{
    char *end;
    long long n;

    if (!text)
        return 0;
    if (!strcmp(text, "none")) {
        opt->if_incarnation = -1;
        return 0;
    }
    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno || *end || end == text || n < 1)
        return tool_usage(t, "--if-incarnation",
                          "expected a number from 1, or none, not '%s'",
                          text);
    opt->if_incarnation = n;
    return 0;
}

/* The options of all; words is how many arguments there must be
 * behind the name. */
static int plug_options(struct tool *t, int *argc, char **argv, int words,
                        const char *usage, xlcfg_plug_options *opt)
{
    const char *dry = NULL, *force = NULL, *incarnation = NULL;
    const char *keep = NULL, *reset = NULL, *unused = NULL;
    bool detach = !strcmp(argv[0], "detach");
    const struct option_row rows[] = {
        { "if-version=", &opt->if_version },
        { "if-incarnation=", &incarnation }, { "dry-run", &dry },
        { detach ? "force" : strcmp(argv[0], "attach") ? NULL
          : "unused-address", detach ? &force : &unused },
        { detach ? "keep-address" : NULL, &keep },
        { "reset-address", &reset }, { 0 },
    };
    int code;

    code = take_wait(t, argc, argv, opt);
    if (!code)
        code = tool_args(t, argc, argv, rows, words, words, usage);
    if (!code)
        code = take_incarnation(t, incarnation, opt);
    if (!code && opt->if_version && !tool_is_version(opt->if_version))
        code = tool_usage(t, "--if-version", "expected 12 hexadecimal "
                          "digits, a dot and 20 digits, not '%s'",
                          opt->if_version);
    if (!code)
        code = tool_lacks(t, FORMAT_XML, argv[0]);
    if (code)
        return code;
    if (keep && reset)
        return tool_usage(t, "--reset-address",
                          "it is kept or given up, not both");
    opt->reset_address = reset;
    opt->unused_address = unused;
    opt->dry_run = dry;
    opt->force = force;
    return tool_open(t);
}

/* ---- what comes and goes ---- */

static const char *note_of(const xlcfg_plug_options *opt)
{
    return opt->dry_run ? " (dry run: nothing was touched)" : "";
}

/* A device's body, JSON or the driver's XML; kind is what it must be. */
static int read_body(struct tool *t, const char *path, const char *kind,
                     xlcfg_doc **body_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    const char *found;
    char *text;
    size_t len;
    int code;

    code = tool_read(t, path, &text, &len);
    if (code)
        return code;
    if (xlcfg_device_parse(t->ctx, text, len, &found, body_r, &err)) {
        code = tool_fail_in(t, path, &err);
    } else if (found && strcmp(found, kind)) {
        code = tool_usage(t, path, "this is a %s, not a %s", found, kind);
        xlcfg_doc_free(*body_r);
    }
    free(text);
    return code;
}

/* ---- the commands ---- */

static int run_attach(struct tool *t, int argc, char **argv)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *body, *doc;
    struct progress p;
    int code, rc;

    code = plug_options(t, &argc, argv, 3, "attach DOM KIND FILE|-", &opt);
    if (!code)
        code = read_body(t, argv[3], argv[2], &body);
    if (code)
        return code;
    progress_begin(&p, t, "attaching a", argv[2]);
    rc = xlcfg_device_attach(t->ctx, argv[1], argv[2], body, &opt, &doc,
                             &err);
    progress_end(&p);
    xlcfg_doc_free(body);
    return rc ? tool_fail(t, &err) : tool_print_device(t, doc, note_of(&opt));
}

static int run_update(struct tool *t, int argc, char **argv)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *body, *doc;
    struct progress p;
    char kind[32];
    int code, rc;

    code = plug_options(t, &argc, argv, 3, "update DOM KEY FILE|-", &opt);
    if (code)
        return code;
    snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(argv[2], "/"),
             argv[2]);
    code = read_body(t, argv[3], kind, &body);
    if (code)
        return code;
    progress_begin(&p, t, "updating", argv[2]);
    rc = xlcfg_device_update(t->ctx, argv[1], argv[2], body, &opt, &doc,
                             &err);
    progress_end(&p);
    xlcfg_doc_free(body);
    return rc ? tool_fail(t, &err) : tool_print_device(t, doc, note_of(&opt));
}

static int run_detach(struct tool *t, int argc, char **argv)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct progress p;
    xlcfg_doc *doc;
    int code, rc;

    code = plug_options(t, &argc, argv, 2, "detach DOM KEY", &opt);
    if (code)
        return code;
    progress_begin(&p, t, "waiting for the guest to let go of", argv[2]);
    rc = xlcfg_device_detach(t->ctx, argv[1], argv[2], &opt, &doc, &err);
    progress_end(&p);
    return rc ? tool_fail(t, &err) : tool_print_device(t, doc, note_of(&opt));
}

#define CONDITIONS \
    "  --if-version V   only if the domain still has this version\n" \
    "  --if-incarnation N|none\n" \
    "                   only if the device still has this incarnation, or " \
    "is not there\n"

const struct command cmd_attach = {
    "attach", "DOM KIND FILE|-", "attach a device",
    "FILE is the device in libxl's shape, as JSON, or the driver's XML.  Ends\n"
    "when the device is attached, or when a failed attach is taken back\n"
    "(exit 6).\n"
    CONDITIONS
    "  --wait[=S]       wait so long for it to be ready, or for ever "
    "(5 seconds)\n"
    "  --unused-address  refuse rather than take an address that is kept for\n"
    "                   a device that has left (see addresses)\n"
    "  --dry-run        check and choose, touch nothing", run_attach,
}, cmd_detach = {
    "detach", "DOM KEY", "detach a device",
    "Exit 5: asked for, and the guest has not let go; `xlcfg settle` goes\n"
    "on with it.\n"
    "  --wait[=S]       wait so long, or for ever (10 seconds)\n"
    "  --force          do not ask the guest\n"
    "  --keep-address   it has its address again when it comes again, and no\n"
    "                   other gets it: the default\n"
    "  --reset-address  its address is given up\n"
    CONDITIONS
    "  --dry-run        check, touch nothing", run_detach,
}, cmd_update = {
    "update", "DOM KEY FILE|-", "change an attached device",
    "FILE has the members that change, in libxl's shape, as JSON: null takes\n"
    "one away, the others stay; or the device's XML.  Exit 7: the driver\n"
    "cannot change one of them.\n"
    CONDITIONS
    "  --wait[=S]       wait so long for the backend to show it (5 seconds)\n"
    "  --dry-run        check, touch nothing", run_update,
};
