/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lists URI STATE: one context for many lists, of many domains.  For each line
 * that it reads it prints one: the list as JSON, or "error: ..." in words.
 */
#include "libxl_cfg.h"

#include <stdio.h>
#include <stdlib.h>

static void list(xlcfg_ctx *ctx)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    char *text = NULL;
    size_t len;

    if (xlcfg_domain_list(ctx, true, &doc, &err) ||
        xlcfg_doc_print(doc, 0, &text, &len, &err))
        printf("error: %s\n", err.message);
    else
        printf("%s\n", text);
    free(text);
    xlcfg_doc_free(doc);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx;
    char line[80];

    if (argc != 3) {
        fprintf(stderr, "usage: lists URI STATE\n");
        return 2;
    }
    opt.state_dir = argv[2];
    opt.deadline_ms = 60000;
    if (xlcfg_ctx_open(argv[1], &opt, &ctx, &err)) {
        fprintf(stderr, "%s: %s\n", argv[1], err.message);
        return 1;
    }
    while (fgets(line, sizeof(line), stdin))
        list(ctx);
    xlcfg_ctx_close(ctx);
    return 0;
}
