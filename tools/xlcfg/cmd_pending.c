/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg pending */
#include "xlcfg.h"

static int run(struct tool *t, int argc, char **argv)
{
    const struct option_row rows[] = { { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int code;

    code = tool_begin(t, &argc, argv, rows, 1, 1, "pending DOM");
    if (code)
        return code;
    if (xlcfg_domain_pending(t->ctx, argv[1], &doc, &err))
        return tool_fail(t, &err);
    return diff_print(t, doc, "NOW", "NEXT START");
}

const struct command cmd_pending = {
    "pending", "DOM", "what the next start would change",
    "The backend's own definition, or the template, against what runs.\n"
    "Exit 1 when something differs.", run,
};
