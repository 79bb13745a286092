/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg wait */
#include "xlcfg.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run(struct tool *t, int argc, char **argv)
{
    const char *what = NULL, *timeout = NULL, *state;
    const struct option_row rows[] = {
        { "for=", &what }, { "timeout=", &timeout }, { 0 },
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    unsigned ms = UINT_MAX;
    xlcfg_doc *doc;
    char *key;
    int code, rc;

    code = tool_options(t, &argc, argv, rows);
    if (!code && (argc != 2 || !what))
        code = tool_usage(t, NULL, "usage: xlcfg wait DOM --for KEY=STATE");
    if (!code)
        code = tool_lacks(t, FORMAT_XML, "wait");
    if (!code && timeout)
        code = tool_seconds(t, "--timeout", timeout, 4000000, &ms);
    if (code)
        return code;
    state = strrchr(what, '=');
    if (!state || state == what || !state[1])
        return tool_usage(t, "--for", "expected KEY=STATE, such as "
                          "disk/xvdb=detached, not '%s'", what);
    code = tool_open(t);
    if (code)
        return code;
    key = strndup(what, (size_t)(state - what));
    if (!key)
        return EXIT_INTERNAL;
    rc = xlcfg_wait(t->ctx, argv[1], key, state + 1, ms, &doc, &err);
    free(key);
    if (!rc)
        return tool_print_device(t, doc, "");
    code = tool_fail(t, &err);
    return rc == XLCFG_ERROR_TIMEDOUT ? EXIT_DIFFERS : code;
}

const struct command cmd_wait = {
    "wait", "DOM --for KEY=STATE", "until a device is in a state",
    "`detached` is also a device that is not there.  Exit 1: not in time;\n"
    "exit 3: the domain is gone.\n"
    "  --timeout SECONDS  no longer than this (for ever)", run,
};
