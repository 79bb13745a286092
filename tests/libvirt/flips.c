/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flips URI NAME: give a guest one title after the other, in what runs and in
 * what is kept at once, some hundred in a second, until the standard input
 * ends.  libvirt does both under one lock: nobody ever sees two titles.
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

int main(int argc, char **argv)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    virConnectPtr conn;
    virDomainPtr d;
    char title[40];
    int n = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: flips URI NAME\n");
        return 2;
    }
    conn = virConnectOpen(argv[1]);
    d = conn ? virDomainLookupByName(conn, argv[2]) : NULL;
    if (!d)
        die(argv[2]);
    while (poll(&in, 1, n % 4) == 0) {
        snprintf(title, sizeof(title), "title number %d", n++);
        if (virDomainSetMetadata(d, VIR_DOMAIN_METADATA_TITLE, title, NULL,
                                 NULL, VIR_DOMAIN_AFFECT_LIVE |
                                 VIR_DOMAIN_AFFECT_CONFIG) < 0)
            die("title");
    }
    printf("%d\n", n);
    virDomainFree(d);
    virConnectClose(conn);
    return 0;
}
