/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * retrieve DOMID: xlcfg_retrieve_domain_configuration into a real
 * libxl_domain_config, printed by the real libxl.  A second context answers
 * from another thread at the same time.  Exit 0, or 1 with the error.
 */
#include "libxl_cfg_xl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t domid;

static void *other(void *arg)
{
    xlcfg_ctx *cfg;
    xlcfg_doc *doc;
    char id[16];

    (void)arg;
    snprintf(id, sizeof(id), "%u", domid);
    if (xlcfg_ctx_open("xen:///", NULL, &cfg, NULL))
        return NULL;
    if (!xlcfg_domain_get(cfg, id, NULL, &doc, NULL))
        xlcfg_doc_free(doc);
    xlcfg_ctx_close(cfg);
    return NULL;
}

int main(int argc, char **argv)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    libxl_domain_config config;
    pthread_t thread;
    xlcfg_ctx *cfg;
    libxl_ctx *xl;
    char *text;

    if (argc != 2)
        return 2;
    domid = (uint32_t)strtoul(argv[1], NULL, 10);
    if (libxl_ctx_alloc(&xl, LIBXL_VERSION, 0, NULL)) {
        fputs("no libxl context\n", stderr);
        return 2;
    }
    if (xlcfg_ctx_open("xen:///", NULL, &cfg, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (pthread_create(&thread, NULL, other, NULL))
        return 2;
    if (xlcfg_retrieve_domain_configuration(cfg, xl, domid, &config, &err)) {
        fprintf(stderr, "%s: %s\n", xlcfg_error_name(err.code), err.message);
        pthread_join(thread, NULL);
        libxl_domain_config_dispose(&config);
        xlcfg_ctx_close(cfg);
        libxl_ctx_free(xl);
        return 1;
    }
    text = libxl_domain_config_to_json(xl, &config);
    puts(text);
    free(text);
    pthread_join(thread, NULL);
    libxl_domain_config_dispose(&config);
    xlcfg_ctx_close(cfg);
    libxl_ctx_free(xl);
    return 0;
}
