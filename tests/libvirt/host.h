/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host for tests: libvirt's QEMU driver inside this process, with a folder
 * of its own, and guests without an operating system, which let go of
 * nothing until they are reset.
 */
#ifndef XLCFG_TESTS_LIBVIRT_HOST_H
#define XLCFG_TESTS_LIBVIRT_HOST_H

#include "claim.h"
#include "libxl_cfg.h"

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stddef.h>

struct host {
    char root[64], uri[128], state[96];
    virConnectPtr conn;         /* beside what is tested */
    char removed[256];          /* alias of the device that left last */
    int removals;
};

bool host_begin(struct host *h);
void host_end(struct host *h);          /* with all its guests and files */

/* An image of this name below the root; path_r has 160 bytes. */
bool host_image(struct host *h, const char *name, char *path_r);
/* Machine "q35" has 4 root ports, the first of them for the first disk of
 * what is only kept; extra goes into <devices>. */
virDomainPtr host_guest(struct host *h, const char *name,
                        const char *machine, const char *extra, bool keep);
void host_drop(virDomainPtr d);

/* Does the XML have this text?  flags as of virDomainGetXMLDesc. */
bool host_shows(virDomainPtr d, unsigned flags, const char *text);
char *host_xml(virDomainPtr d, unsigned flags);
/* What is tested, on this host; NULL: claimed to have failed. */
xlcfg_ctx *host_open(const struct host *h, bool deep);
/* A connection beside it, with the library's event loop. */
bool host_join(struct host *h);
/* How much is open after settle (dom NULL: of all); -1: it failed. */
int64_t host_settle(xlcfg_ctx *ctx, const char *dom);
/* Reset, and wait until this alias has left the XML. */
bool host_reset(struct host *h, virDomainPtr d, const char *alias);
/* QEMU's answer to a command; free() it. */
char *host_qmp(virDomainPtr d, const char *command);

#endif
