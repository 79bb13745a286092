/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was last seen of a domain, where nothing can be looked at. */
#include "xlcfg.h"

#include <stdio.h>

xlcfg_doc *tool_last(const struct tool *t, const char *dom, int code)
{
    xlcfg_doc *doc;

    if (code != EXIT_UNREACHABLE ||
        xlcfg_domain_last(t->uri, &t->opt, dom, &doc, NULL))
        return NULL;
    return doc;
}

int tool_printed(struct tool *t, xlcfg_doc *doc, int code)
{
    int printed = tool_print(t, doc);

    return printed ? printed : code;
}

void tool_say_last(const struct tool *t, const xlcfg_doc *doc)
{
    const xlcfg_doc *last = xlcfg_doc_get(doc, "last_seen");

    if (last && !t->quiet && t->format != FORMAT_JSON)
        text_line(stderr, "# not looked at: as it was last seen %s s ago, "
                  "version %s", cell_text(last, "age"),
                  cell_text(last, "version"));
}
