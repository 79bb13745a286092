/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

#include <ftw.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define STEP_MS 20

static void nap(void)
{
    static const struct timespec step = { 0, STEP_MS * 1000000 };

    nanosleep(&step, NULL);
}

/* ---- the host ---- */

static const char conf[] =
    "user = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\n"
    "remember_owner = 0\nsecurity_driver = \"none\"\nnamespaces = [ ]\n"
    "cgroup_controllers = [ ]\nstdio_handler = \"file\"\n";

static bool put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    return f && fputs(text, f) >= 0 && !fclose(f);
}

bool host_begin(struct host *h)
{
    char path[128];

    *h = (struct host){ 0 };
    /* what it logs is not what is tested; libvirt reads this once */
    setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", 0);
    /* short: there are sockets below it */
    strcpy(h->root, "/tmp/xlcfg-lv-XXXXXX");
    if (!mkdtemp(h->root) || chmod(h->root, 0755))
        return claim(false, "a folder: %m");
    snprintf(h->uri, sizeof(h->uri), "qemu:///embed?root=%s", h->root);
    snprintf(h->state, sizeof(h->state), "%s/state", h->root);
    snprintf(path, sizeof(path), "%s/etc", h->root);
    if (mkdir(path, 0755))
        return claim(false, "%s: %m", path);
    strcat(path, "/qemu.conf");
    return claim(put(path, conf), "a host in %s", h->root);
}

static int rm(const char *path, const struct stat *st, int type,
              struct FTW *ftw)
{
    (void)st; (void)type; (void)ftw;
    return remove(path);
}

void host_end(struct host *h)
{
    virDomainPtr *all;
    int count = h->conn ? virConnectListAllDomains(h->conn, &all, 0) : -1;

    for (int i = 0; i < count; i++)
        host_drop(all[i]);
    if (count >= 0)
        free(all);
    if (h->conn)
        virConnectClose(h->conn);
    nftw(h->root, rm, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- guests ---- */

bool host_image(struct host *h, const char *name, char *path_r)
{
    int fd;
    bool ok;

    snprintf(path_r, 160, "%s/%s", h->root, name);
    fd = open(path_r, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    ok = fd >= 0 && !ftruncate(fd, 4 << 20);
    if (fd >= 0)
        close(fd);
    return ok ? true : claim(false, "%s: %m", path_r);
}

static const char ports[] =
    "<controller type='pci' model='pcie-root'/>"
    "<controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/>";

virDomainPtr host_guest(struct host *h, const char *name,
                        const char *machine, const char *extra, bool keep)
{
    virDomainPtr d = NULL;
    char *xml;

    if (asprintf(&xml, "<domain type='qemu'><name>%s</name>"
                 "<memory unit='MiB'>32</memory><vcpu>1</vcpu>"
                 "<os><type arch='x86_64' machine='%s'>hvm</type></os>"
                 "<features><acpi/></features><devices>"
                 "<emulator>/usr/bin/qemu-system-x86_64</emulator>"
                 "<controller type='usb' model='none'/>"
                 "<memballoon model='none'/>%s%s</devices></domain>", name,
                 machine, strstr(machine, "q35") ? ports : "", extra) < 0)
        return NULL;
    if (keep)
        d = virDomainDefineXML(h->conn, xml);
    if (keep && d && virDomainCreate(d) < 0) {
        virDomainFree(d);
        d = NULL;
    }
    if (!keep)
        d = virDomainCreateXML(h->conn, xml, 0);
    free(xml);
    claim(d != NULL, "%s runs %s", name, d ? "" : virGetLastErrorMessage());
    return d;
}

void host_drop(virDomainPtr d)
{
    bool keep = virDomainIsPersistent(d) == 1;

    if (virDomainIsActive(d) == 1)
        (void)virDomainDestroy(d);
    if (keep)
        (void)virDomainUndefine(d);
    virDomainFree(d);
}

char *host_xml(virDomainPtr d, unsigned flags)
{
    char *xml = virDomainGetXMLDesc(d, flags);

    return xml ? xml : strdup("");
}

bool host_shows(virDomainPtr d, unsigned flags, const char *text)
{
    char *xml = host_xml(d, flags);
    bool shows = strstr(xml, text) != NULL;

    free(xml);
    return shows;
}

bool host_reset(struct host *h, virDomainPtr d, const char *alias)
{
    int left = PATIENCE_MS;

    (void)h;
    if (virDomainReset(d, 0) < 0)
        return false;
    for (; left && host_shows(d, 0, alias); left -= STEP_MS)
        nap();
    return left > 0;
}

char *host_qmp(virDomainPtr d, const char *command)
{
    char *said = NULL;

    if (virDomainQemuMonitorCommand(d, command, &said, 0) < 0)
        return strdup(virGetLastErrorMessage());
    return said;
}

/* ---- what is tested ---- */

xlcfg_ctx *host_open(const struct host *h, bool deep)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_ctx *ctx = NULL;

    opt.state_dir = h->state;
    opt.deadline_ms = 20000;
    opt.deep = deep;
    if (xlcfg_ctx_open(h->uri, &opt, &ctx, &err))
        claim(false, "open: %s: %s", err.where, err.message);
    return ctx;
}

bool host_join(struct host *h)
{
    /* the event loop first: the embedded driver needs one */
    xlcfg_ctx_close(host_open(h, false));
    h->conn = virConnectOpen(h->uri);
    return claim(h->conn != NULL, "a second connection to it");
}

int64_t host_settle(xlcfg_ctx *ctx, const char *dom)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int64_t open;

    if (xlcfg_settle(ctx, dom, false, &doc, &err)) {
        claim(false, "settle: %s: %s", err.where, err.message);
        return -1;
    }
    open = (int64_t)xlcfg_doc_count(xlcfg_doc_get(doc, "open"));
    xlcfg_doc_free(doc);
    return open;
}
