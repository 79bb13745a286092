/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A libxl of another version: its configuration is a struct that no other
 * knows.  What is read into it is the text, so that it can be shown.
 */
#include <libxl.h>
#include <stdlib.h>
#include <string.h>

struct other_config {
    char mark[16];
    char *text;
};

void libxl_domain_config_init(libxl_domain_config *p)
{
    struct other_config *config = (struct other_config *)p;

    memset(config, 0, sizeof(*config));
    strcpy(config->mark, "other libxl");
}

void libxl_domain_config_dispose(libxl_domain_config *p)
{
    struct other_config *config = (struct other_config *)p;

    free(config->text);
    memset(config, 0, sizeof(*config));
}

int libxl_domain_config_from_json(libxl_ctx *ctx, libxl_domain_config *p,
                                  const char *s)
{
    struct other_config *config = (struct other_config *)p;

    (void)ctx;
    config->text = strdup(s);
    return config->text ? 0 : ERROR_NOMEM;
}

int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                        libxl_domain_config *p,
                                        const libxl_asyncop_how *how)
{
    (void)domid;
    (void)how;
    return libxl_domain_config_from_json(ctx, p, "its own");
}
