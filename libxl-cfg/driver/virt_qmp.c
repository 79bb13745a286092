/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands to QEMU itself, through libvirt.  Each marks the domain as
 * tainted, and waits for whoever is in the monitor. */
#include "driver/virt_qmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int xlcfg__qmp(struct virt *v, virDomainPtr d, const char *command,
               xlcfg_doc *arguments, xlcfg_doc **return_r, xlcfg_error *err)
{
    xlcfg__members m = { 0 };
    xlcfg_doc *ask, *reply = NULL;
    struct xlcfg__virt_call call = { .ask = XLCFG__VIRT_QMP };
    char *text = NULL;
    size_t len;
    int rc;

    xlcfg__members_add(&m, "execute", xlcfg__doc_str(command));
    if (arguments)
        xlcfg__members_add(&m, "arguments", arguments);
    ask = xlcfg__members_end(&m);
    if (!ask)
        return xlcfg__nomem(err);
    rc = xlcfg_doc_print(ask, 0, &text, &len, err);
    xlcfg_doc_free(ask);
    if (rc)
        return rc;
    call.text = text;
    rc = xlcfg__virt_ask(v, d, &call, err);
    if (rc == XLCFG__VIRT_NO)
        rc = xlcfg__virt_said_no(&call, v->conn, XLCFG_ERROR_REFUSED,
                                 command, err);
    else if (!rc)
        rc = xlcfg_doc_parse(call.answer, strlen(call.answer), &reply, err);
    free(text);
    free(call.answer);
    if (!rc && xlcfg_doc_get(reply, "error")) {
        const char *words = xlcfg__doc_getstr(xlcfg_doc_get(reply, "error"),
                                              "desc");

        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, command, "QEMU: %s",
                        words ? words : "no reason given");
    }
    if (!rc && return_r)
        *return_r = xlcfg_doc_ref(xlcfg_doc_get(reply, "return"));
    xlcfg_doc_free(reply);
    return rc;
}

xlcfg_doc *xlcfg__qmp_one(const char *name, const char *value)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, name, xlcfg__doc_str(value));
    return xlcfg__members_end(&m);
}

int xlcfg__qmp_devices(struct virt *v, virDomainPtr d, xlcfg_doc **list_r,
                       xlcfg_error *err)
{
    return xlcfg__qmp(v, d, "qom-list",
                      xlcfg__qmp_one("path", "/machine/peripheral"), list_r,
                      err);
}

bool xlcfg__qmp_has(const xlcfg_doc *devices, const char *id)
{
    for (size_t i = 0; i < xlcfg_doc_count(devices); i++) {
        const char *name = xlcfg__doc_getstr(xlcfg_doc_at(devices, i),
                                             "name");

        if (name && !strcmp(name, id))
            return true;
    }
    return false;
}

xlcfg_doc *xlcfg__qmp_property(struct virt *v, virDomainPtr d,
                               const char *id, const char *property)
{
    xlcfg__members m = { 0 };
    xlcfg_doc *value = NULL;

    xlcfg__members_add(&m, "path",
                       xlcfg__doc_strf("/machine/peripheral/%s", id));
    xlcfg__members_add(&m, "property", xlcfg__doc_str(property));
    if (xlcfg__qmp(v, d, "qom-get", xlcfg__members_end(&m), &value, NULL))
        return NULL;
    return value;
}
