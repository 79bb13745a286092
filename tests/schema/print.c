/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints a libxl_domain_config with every field filled, by the real libxl.
 *
 *     print --count         how many variants there are
 *     print 17              one variant
 *     print --readable 17   the same without numbers beyond INT64_MAX, which
 *                           libxl prints and does not read again
 *     print --empty pvh     one that was only initialised, of that type
 *     print --enums         {"libxl_domain_type": ["invalid", ...], ...}
 *
 * No hypervisor is asked: libxl's printer needs no context.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl.h>

static void __attribute__((noreturn)) die(const char *why)
{
    fprintf(stderr, "print: %s\n", why);
    exit(1);
}

#include "fill.h"

static int print(libxl_domain_config *config)
{
    char *text = libxl_domain_config_to_json(NULL, config);

    if (!text)
        die("libxl_domain_config_to_json failed");
    puts(text);
    free(text);
    libxl_domain_config_dispose(config);
    return 0;
}

static int print_enums(void)
{
    printf("{");
    for (const struct enum_row *e = enums; e->name; e++) {
        printf("%s\n\"%s\": [", e == enums ? "" : ",", e->name);
        for (const libxl_enum_string_table *s = e->strings; s->s; s++)
            printf("%s\"%s\"", s == e->strings ? "" : ", ", s->s);
        printf("]");
    }
    printf("\n}\n");
    return 0;
}

int main(int argc, char **argv)
{
    libxl_domain_config config;
    char *end;
    long v;

    if (argc == 2 && !strcmp(argv[1], "--count"))
        return printf("%d\n", ARMS * STEPS) < 0;
    if (argc == 2 && !strcmp(argv[1], "--enums"))
        return print_enums();
    libxl_domain_config_init(&config);
    if (argc == 3 && !strcmp(argv[1], "--empty")) {
        libxl_domain_type type;

        if (libxl_domain_type_from_string(argv[2], &type))
            die("no such domain type");
        libxl_domain_create_info_init(&config.c_info);
        config.c_info.type = type;
        libxl_domain_build_info_init_type(&config.b_info, type);
        return print(&config);
    }
    if (argc == 3 && !strcmp(argv[1], "--readable")) {
        most = INT64_MAX;
        argc--;
        argv++;
    }
    if (argc != 2)
        die("usage: print --count|--enums|--empty TYPE|[--readable] VARIANT");
    v = strtol(argv[1], &end, 10);
    if (*end || end == argv[1] || v < 0 || v >= ARMS * STEPS)
        die("no such variant");
    fill_libxl_domain_config(&config, (int)v);
    return print(&config);
}
