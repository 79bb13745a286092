/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's errors, by class.  The code of a failure inside QEMU is always
 * the same one: there only the text says what it was. */
#include "driver/virt_i.h"

#include <string.h>

static const struct {
    int code, ours;
} classes[] = {
    { VIR_ERR_NO_DOMAIN, XLCFG_ERROR_DOMAIN_NOTFOUND },
    { VIR_ERR_NO_MEMORY, XLCFG_ERROR_NOMEM },
    { VIR_ERR_NO_SUPPORT, XLCFG_ERROR_NI },
    { VIR_ERR_OPERATION_UNSUPPORTED, XLCFG_ERROR_NI },
    { VIR_ERR_CONFIG_UNSUPPORTED, XLCFG_ERROR_NI },
    { VIR_ERR_ARGUMENT_UNSUPPORTED, XLCFG_ERROR_NI },
    { VIR_ERR_XML_ERROR, XLCFG_ERROR_INVAL },
    { VIR_ERR_XML_DETAIL, XLCFG_ERROR_INVAL },
    { VIR_ERR_XML_INVALID_SCHEMA, XLCFG_ERROR_INVAL },
    { VIR_ERR_INVALID_ARG, XLCFG_ERROR_INVAL },
    { VIR_ERR_DEVICE_MISSING, XLCFG_ERROR_NOTFOUND },
    { VIR_ERR_OPERATION_DENIED, XLCFG_ERROR_REFUSED },
    { VIR_ERR_ACCESS_DENIED, XLCFG_ERROR_REFUSED },
    { VIR_ERR_DOM_EXIST, XLCFG_ERROR_REFUSED },
    { VIR_ERR_NO_CONNECT, XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_INVALID_CONN, XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_RPC, XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_AUTH_FAILED, XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_AUTH_CANCELLED, XLCFG_ERROR_UNREACHABLE },
    { VIR_ERR_AUTH_UNAVAILABLE, XLCFG_ERROR_UNREACHABLE },
};

/* What QEMU wrote comes in lines, and is said in one. */
static void in_one_line(char *text)
{
    size_t len = text ? strlen(text) : 0;

    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\n' || text[i] == '\r')
            text[i] = ' ';
}

/* Takes e; the next call of libvirt's would have forgotten it. */
static int said(virErrorPtr e, virConnectPtr conn, int otherwise,
                const char *where, xlcfg_error *err)
{
    int code = otherwise, rc;

    for (size_t i = 0; e && i < sizeof(classes) / sizeof(classes[0]); i++)
        if (e->code == classes[i].code)
            code = classes[i].ours;
    /* whatever it was called: the daemon has gone under the call */
    if (e && e->code != VIR_ERR_NO_DOMAIN &&
        (e->domain == VIR_FROM_RPC || e->domain == VIR_FROM_REMOTE ||
         (conn && virConnectIsAlive(conn) == 0)))
        code = XLCFG_ERROR_UNREACHABLE;
    if (e)
        in_one_line(e->message);
    rc = xlcfg__err(err, code, where, "%s",
                    e && e->message ? e->message
                    : "libvirt gave no reason");
    if (e)
        virFreeError(e);
    return rc;
}

int xlcfg__virt_said(virConnectPtr conn, int otherwise, const char *where,
                     xlcfg_error *err)
{
    return said(virSaveLastError(), conn, otherwise, where, err);
}

int xlcfg__virt_said_of(virDomainPtr d, int otherwise, xlcfg_error *err)
{
    virErrorPtr e = virSaveLastError();

    return said(e, virDomainGetConnect(d), otherwise, virDomainGetName(d),
                err);
}

int xlcfg__virt_said_no(struct xlcfg__virt_call *call, virConnectPtr conn,
                        int otherwise, const char *where, xlcfg_error *err)
{
    virErrorPtr e = call->no;

    call->no = NULL;
    return said(e, conn, otherwise, where, err);
}

bool xlcfg__virt_is_leaving(const char *said)
{
    /* The second is of a native PCIe port whose guest is about to answer. */
    return said && (strstr(said, "in the process of unplug") ||
                    strstr(said, "Hot-unplug failed: guest is busy"));
}
