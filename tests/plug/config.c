/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads JSON texts, one a line, as the Xen driver reads what a domain is to
 * be created of; answers each by a line: `ok`, or `POINTER: WORDS`.
 */
#include "driver/xen_plug_config.h"
#include "driver/xen_plug_words.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer(libxl_ctx *ctx, const char *text, size_t len)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    libxl_domain_config config;
    xlcfg_doc *doc = NULL;
    int rc;

    libxl_domain_config_init(&config);
    rc = xlcfg_doc_parse(text, len, &doc, &err);
    if (!rc)
        rc = xlcfg__xen_config_read(ctx, doc, &config, &err);
    if (rc)
        printf("%s: %s\n", err.where, err.message);
    else
        puts("ok");
    fflush(stdout);
    libxl_domain_config_dispose(&config);
    xlcfg_doc_free(doc);
}

int main(void)
{
    struct xlcfg__xen_words words;
    xlcfg_error err = XLCFG_ERROR_INIT;
    libxl_ctx *ctx = xlcfg__xen_ctx(&words, &err);
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    if (!ctx) {
        fprintf(stderr, "config: %s\n", err.message);
        return 1;
    }
    while ((len = getline(&line, &room, stdin)) > 0)
        answer(ctx, line, (size_t)len);
    free(line);
    libxl_ctx_free(ctx);
    return 0;
}
