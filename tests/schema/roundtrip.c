/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads JSON on standard input with the real libxl_domain_config_from_json
 * and prints what the real libxl_domain_config_to_json makes of it.
 *
 * libxl reads only with a context, and opens the hypervisor and xenstore for
 * one.  Both are answered here, because neither is asked anything: these
 * definitions in the program come before those of the libraries.
 */
#include <stdio.h>
#include <stdlib.h>

#include <libxl.h>
#include <xentoollog.h>

struct xc_interface_core;
struct xs_handle;

struct xc_interface_core *xc_interface_open(void *logger, void *dombuild,
                                            unsigned flags);
int xc_interface_close(struct xc_interface_core *handle);
struct xs_handle *xs_open(unsigned long flags);
void xs_close(struct xs_handle *handle);

static char nowhere;

struct xc_interface_core *xc_interface_open(void *logger, void *dombuild,
                                            unsigned flags)
{
    (void)logger;
    (void)dombuild;
    (void)flags;
    return (struct xc_interface_core *)&nowhere;
}

int xc_interface_close(struct xc_interface_core *handle)
{
    (void)handle;
    return 0;
}

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    return (struct xs_handle *)&nowhere;
}

void xs_close(struct xs_handle *handle)
{
    (void)handle;
}

static char *read_all(FILE *f)
{
    size_t used = 0, room = 0;
    char *text = NULL;

    for (;;) {
        if (room - used < 2) {
            room = room ? room * 2 : 65536;
            text = realloc(text, room);
            if (!text)
                return NULL;
        }
        size_t got = fread(text + used, 1, room - used - 1, f);

        if (!got)
            break;
        used += got;
    }
    text[used] = '\0';
    if (ferror(f)) {
        free(text);
        return NULL;
    }
    return text;
}

int main(void)
{
    xentoollog_logger_stdiostream *logger;
    libxl_domain_config config;
    char *text = NULL, *out = NULL;
    libxl_ctx *ctx = NULL;
    int status = 1, r;

    libxl_domain_config_init(&config);
    logger = xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
    if (!logger)
        goto out;
    r = libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, (xentoollog_logger *)logger);
    if (r) {
        fprintf(stderr, "roundtrip: libxl_ctx_alloc: %d\n", r);
        goto out;
    }
    text = read_all(stdin);
    if (!text) {
        perror("roundtrip: standard input");
        goto out;
    }
    r = libxl_domain_config_from_json(ctx, &config, text);
    if (r) {
        fprintf(stderr, "roundtrip: libxl_domain_config_from_json: %d\n", r);
        status = 3;
        goto out;
    }
    out = libxl_domain_config_to_json(ctx, &config);
    if (!out) {
        fprintf(stderr, "roundtrip: libxl_domain_config_to_json failed\n");
        goto out;
    }
    puts(out);
    status = 0;
out:
    free(out);
    free(text);
    libxl_domain_config_dispose(&config);
    if (ctx)
        libxl_ctx_free(ctx);
    if (logger)
        xtl_logger_destroy((xentoollog_logger *)logger);
    return status;
}
