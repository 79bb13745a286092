/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Backends that do not answer, do not let us in, or talk nonsense; and each
 * class of libvirt's errors, of a domain that is looked up and of one that is
 * read: a clear error of the right kind, with libvirt's own words.
 */
#define XLCFG__VIR_BARE
#include "driver/driver.h"
#include "driver/virt_hush.h"
#include "driver/virt_lib.h"
#include "claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define WORDS "what libvirt has to say"

static char folder[] = "/tmp/xlcfg-bad-XXXXXX";
static struct xlcfg_driver_options options = { .deadline_ms = 1500 };

/* ---- sockets ---- */

static int listener(char path[108])
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(path, 108, "%s/sock", folder);
    unlink(path);
    strcpy(at.sun_path, path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
        listen(fd, 5)) {
        claim(false, "%s: %m", path);
        exit(1);
    }
    return fd;
}

static int open_at(const char *path, xlcfg_error *err)
{
    struct xlcfg_conn *conn = NULL;
    char uri[200];
    int rc;

    snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s", path);
    *err = (xlcfg_error)XLCFG_ERROR_INIT;
    rc = xlcfg__conn_open(uri, &options, &conn, err);
    if (!rc)
        xlcfg__conn_free(conn);
    return rc;
}

static void silent(void)
{
    char path[108];
    xlcfg_error err;
    int fd = listener(path);

    claim(open_at(path, &err) == XLCFG_ERROR_UNREACHABLE &&
          strstr(err.message, "did not answer") && strstr(err.where, path),
          "one that never answers: %s: %s", err.where, err.message);
    close(fd);
}

/* As a peer that is no libvirtd: a child that takes one and says so much. */
static void rude(const char *what, const char *says, size_t len)
{
    char path[108], drain[512];
    xlcfg_error err;
    int fd = listener(path), status;
    pid_t child = fork();

    if (!child) {
        int peer = accept(fd, NULL, NULL);

        (void)!read(peer, drain, sizeof(drain));
        (void)!write(peer, says, len);
        _exit(0);
    }
    close(fd);
    claim(open_at(path, &err) == XLCFG_ERROR_UNREACHABLE && err.message[0],
          "%s: %s", what, err.message);
    waitpid(child, &status, 0);
}

/* In a child, for it may end it: a socket goes while it is written to. */
static void broken(bool own, bool hushed)
{
    int status = 0;
    pid_t child = fork();

    if (!child) {
        struct xlcfg__virt_hushed was;
        sigset_t pipe, mask;
        int pair[2];

        signal(SIGPIPE, SIG_DFL);
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || close(pair[1]))
            _exit(1);
        if (own) {
            sigprocmask(SIG_BLOCK, &pipe, NULL);
            raise(SIGPIPE);
        }
        if (hushed)
            xlcfg__virt_hush(&was);
        if (write(pair[0], "x", 1) >= 0)
            _exit(2);
        if (hushed)
            xlcfg__virt_unhush(&was);
        sigprocmask(SIG_BLOCK, NULL, &mask);
        _exit(sigismember(&mask, SIGPIPE) == own &&
              !sigpending(&mask) && sigismember(&mask, SIGPIPE) == own ? 0
              : 3);
    }
    waitpid(child, &status, 0);
    claim(hushed ? status == 0 : WIFSIGNALED(status) &&
          WTERMSIG(status) == SIGPIPE, "a socket that goes while it is "
          "written to%s: %s", own ? ", beside a signal of the caller's own"
          : "", hushed ? "nobody is ended by it" : "that ends who is not "
          "hushed");
}

/* In a child before anything else: it is somebody else from then on. */
static void forbidden(void)
{
    char path[108], words[512] = "";
    xlcfg_error err;
    int fd = listener(path), said[2], status = 1;
    pid_t child;

    if (pipe(said) || chmod(path, 0) || chmod(folder, 0755)) {
        claim(false, "a socket that nobody may use: %m");
        return;
    }
    child = fork();
    if (!child) {
        bool ok = geteuid() || (!setgid(NOBODY) && !setuid(NOBODY));

        ok = ok && open_at(path, &err) == XLCFG_ERROR_UNREACHABLE;
        (void)!write(said[1], err.message, strlen(err.message));
        _exit(!ok);
    }
    close(said[1]);
    waitpid(child, &status, 0);
    (void)!read(said[0], words, sizeof(words) - 1);
    claim(!status && strstr(words, "Permission denied"), "not let in: %s",
          words);
    close(said[0]);
    close(fd);
}

/* ---- classes ---- */

static struct xlcfg__vir real;
static int code, domain;
static _Thread_local bool struck;

static virDomainPtr no_lookup(virConnectPtr c, const char *name)
{
    (void)c; (void)name;
    struck = true;
    return NULL;
}

static char *no_xml(virDomainPtr d, unsigned flags)
{
    (void)d; (void)flags;
    struck = true;
    return NULL;
}

static virErrorPtr last_error(void)
{
    virErrorPtr e = struck ? calloc(1, sizeof(*e)) : NULL;

    if (!e)
        return real.virSaveLastError();
    struck = false;
    e->code = code;
    e->domain = domain;
    e->message = strdup(WORDS);
    return e;
}

static const struct {
    int code, domain, find, live;
} rows[] = {
    { VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, XLCFG_ERROR_DOMAIN_NOTFOUND,
      XLCFG_ERROR_DOMAIN_NOTFOUND },
    /* the daemon has gone under the call, whatever it is called */
    { VIR_ERR_RPC, VIR_FROM_RPC, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_INTERNAL_ERROR, VIR_FROM_REMOTE, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_INVALID_CONN, VIR_FROM_NONE, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_NO_CONNECT, VIR_FROM_NONE, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_AUTH_FAILED, VIR_FROM_POLKIT, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_AUTH_CANCELLED, VIR_FROM_POLKIT, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_POLKIT, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    /* let in, but not to do this */
    { VIR_ERR_ACCESS_DENIED, VIR_FROM_ACCESS, XLCFG_ERROR_REFUSED,
      XLCFG_ERROR_REFUSED },
    { VIR_ERR_OPERATION_DENIED, VIR_FROM_QEMU, XLCFG_ERROR_REFUSED,
      XLCFG_ERROR_REFUSED },
    { VIR_ERR_NO_SUPPORT, VIR_FROM_QEMU, XLCFG_ERROR_NI, XLCFG_ERROR_NI },
    { VIR_ERR_OPERATION_UNSUPPORTED, VIR_FROM_QEMU, XLCFG_ERROR_NI,
      XLCFG_ERROR_NI },
    { VIR_ERR_INVALID_ARG, VIR_FROM_QEMU, XLCFG_ERROR_INVAL,
      XLCFG_ERROR_INVAL },
    { VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, XLCFG_ERROR_INVAL,
      XLCFG_ERROR_INVAL },
    { VIR_ERR_NO_MEMORY, VIR_FROM_NONE, XLCFG_ERROR_NOMEM,
      XLCFG_ERROR_NOMEM },
    /* what has no class of its own: it did not answer */
    { VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_OPERATION_TIMEOUT, VIR_FROM_QEMU, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU, XLCFG_ERROR_UNREACHABLE,
      XLCFG_ERROR_UNREACHABLE },
};

static void one_class(struct xlcfg_conn *conn, const struct xlcfg_domain *dom,
                      size_t i)
{
    struct xlcfg_domain found = { .domid = -1 };
    xlcfg_error err = XLCFG_ERROR_INIT, why = XLCFG_ERROR_INIT;
    struct xlcfg_view view;
    int rc;

    code = rows[i].code;
    domain = rows[i].domain;
    xlcfg__vir.virDomainLookupByUUIDString = no_lookup;
    xlcfg__vir.virDomainLookupByName = no_lookup;
    rc = conn->drv.find(conn->handle, "test-new", &found, &err);
    xlcfg__vir.virDomainLookupByUUIDString =
        real.virDomainLookupByUUIDString;
    xlcfg__vir.virDomainLookupByName = real.virDomainLookupByName;
    claim(rc == rows[i].find && err.code == rc &&
          strstr(err.message, WORDS) && strstr(err.where, "test"),
          "error %d of %d, looked up: %s: %s", code, domain,
          xlcfg_error_name(rc), err.where);
    xlcfg__view_init(&view);
    xlcfg__vir.virDomainGetXMLDesc = no_xml;
    rc = conn->drv.live(conn->handle, dom, &view, &why);
    xlcfg__vir.virDomainGetXMLDesc = real.virDomainGetXMLDesc;
    claim(rc == rows[i].live && why.code == rc &&
          strstr(why.message, WORDS) && !view.count,
          "error %d of %d, read: %s: %s", code, domain, xlcfg_error_name(rc),
          why.where);
    xlcfg__view_dispose(&view);
}

static void classes(void)
{
    struct xlcfg_domain dom = { .domid = -1 };
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_conn *conn;

    if (!claim(!xlcfg__conn_open("test:///default", &options, &conn, &err) &&
               !conn->drv.find(conn->handle, "test", &dom, &err),
               "test:///default %s", err.message))
        return;
    real = xlcfg__vir;
    xlcfg__vir.virSaveLastError = last_error;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        one_class(conn, &dom, i);
    xlcfg__vir = real;
    xlcfg__domain_dispose(&dom);
    xlcfg__conn_free(conn);
}

int main(void)
{
    char path[108];

    if (!claim(mkdtemp(folder) != NULL, "a folder"))
        return claims();
    setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", 0);
    forbidden();
    rude("one that hangs up", "", 0);
    rude("one that talks HTTP", "HTTP/1.0 400 no\r\n\r\n", 19);
    rude("one with a message of 4 GB", "\377\377\377\377", 4);
    silent();
    broken(false, false);
    broken(false, true);
    broken(true, true);
    classes();
    snprintf(path, sizeof(path), "%s/sock", folder);
    unlink(path);
    rmdir(folder);
    return claims();
}
