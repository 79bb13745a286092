/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * asks URI STATE [DEADLINE]: one context for many questions.  For each line
 * that it reads it prints one: of an empty one the list of all, of a domain's
 * name what get says, of "pending" and a name what is pending, as JSON, or
 * "error: ..." in words.  The deadline is in ms, 60000 if it is not given.
 */
#include "libxl_cfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int answer(xlcfg_ctx *ctx, const char *line, xlcfg_doc **doc_r,
                  xlcfg_error *err)
{
    static const char pending[] = "pending ";

    if (!strncmp(line, pending, strlen(pending)))
        return xlcfg_domain_pending(ctx, line + strlen(pending), doc_r, err);
    return *line ? xlcfg_domain_get(ctx, line, NULL, doc_r, err)
        : xlcfg_domain_list(ctx, true, doc_r, err);
}

static void ask(xlcfg_ctx *ctx, const char *line)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    char *text = NULL;
    size_t len;

    if (answer(ctx, line, &doc, &err) ||
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

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: asks URI STATE [DEADLINE]\n");
        return 2;
    }
    opt.state_dir = argv[2];
    opt.deadline_ms = argc > 3 ? (unsigned)atoi(argv[3]) : 60000;
    if (xlcfg_ctx_open(argv[1], &opt, &ctx, &err)) {
        fprintf(stderr, "%s: %s\n", argv[1], err.message);
        return 1;
    }
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        ask(ctx, line);
    }
    xlcfg_ctx_close(ctx);
    return 0;
}
