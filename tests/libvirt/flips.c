/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Change a guest some hundred times in a second, until the standard input
 * ends:
 *
 *     flips URI NAME           one title after the other, in what runs and in
 *                              what is kept at once.  libvirt does both under
 *                              one lock: nobody ever sees two titles.
 *     flips URI NAME XMLFILE   define this, and undefine it: what is kept is
 *                              this or nothing.
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, virGetLastErrorMessage());
    exit(1);
}

static void give_title(virDomainPtr d, int n)
{
    char title[40];

    snprintf(title, sizeof(title), "title number %d", n);
    if (virDomainSetMetadata(d, VIR_DOMAIN_METADATA_TITLE, title, NULL, NULL,
                             VIR_DOMAIN_AFFECT_LIVE |
                             VIR_DOMAIN_AFFECT_CONFIG) < 0)
        die("title");
}

static void define(virConnectPtr conn, virDomainPtr d, const char *xml, int n)
{
    virDomainPtr same;

    if (n % 2) {
        if (virDomainUndefine(d) < 0)
            die("undefine");
        return;
    }
    same = virDomainDefineXML(conn, xml);
    if (!same)
        die("define");
    virDomainFree(same);
}

static const char *read_file(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");

    if (!f || !fread(text, 1, sizeof(text) - 1, f) || fclose(f)) {
        perror(path);
        exit(1);
    }
    return text;
}

int main(int argc, char **argv)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    const char *xml = NULL;
    virConnectPtr conn;
    virDomainPtr d;
    int n = 0;

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: flips URI NAME [XMLFILE]\n");
        return 2;
    }
    if (argc == 4)
        xml = read_file(argv[3]);
    conn = virConnectOpen(argv[1]);
    d = conn ? virDomainLookupByName(conn, argv[2]) : NULL;
    if (!d)
        die(argv[2]);
    while (poll(&in, 1, n % 4) == 0)
        if (xml)
            define(conn, d, xml, n++);
        else
            give_title(d, n++);
    printf("%d\n", n);
    virDomainFree(d);
    virConnectClose(conn);
    return 0;
}
