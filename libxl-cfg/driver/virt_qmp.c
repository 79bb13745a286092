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

/* ---- block nodes ---- */

static const xlcfg_doc *by_id(const xlcfg_doc *nodes, const xlcfg_doc *id)
{
    for (size_t i = 0; id && i < xlcfg_doc_count(nodes); i++) {
        const xlcfg_doc *node = xlcfg_doc_at(nodes, i);

        if (xlcfg__doc_equal(xlcfg_doc_get(node, "id"), id))
            return node;
    }
    return NULL;
}

/* "libvirt-7-storage" is under "libvirt-7-format": one image. */
static bool is_used(const xlcfg_doc *graph, const xlcfg_doc *node,
                    const char *name)
{
    const xlcfg_doc *edges = xlcfg_doc_get(graph, "edges");
    const xlcfg_doc *nodes = xlcfg_doc_get(graph, "nodes");
    const char *dash = strrchr(name, '-');
    size_t len = dash ? (size_t)(dash - name) + 1 : strlen(name);

    for (size_t i = 0; i < xlcfg_doc_count(edges); i++) {
        const xlcfg_doc *edge = xlcfg_doc_at(edges, i);
        const char *above;

        if (!xlcfg__doc_equal(xlcfg_doc_get(edge, "child"),
                              xlcfg_doc_get(node, "id")))
            continue;
        above = xlcfg__doc_getstr(by_id(nodes, xlcfg_doc_get(edge, "parent")),
                                  "name");
        if (!above || strncmp(above, name, len))
            return true;
    }
    return false;
}

static void add_node(xlcfg__items *list, const char *name, bool used)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "node-name", xlcfg__doc_str(name));
    xlcfg__members_add(&m, "used", xlcfg__doc_bool(used));
    xlcfg__items_add(list, xlcfg__members_end(&m));
}

/* Of a QEMU that has no graph to show.  With a job at work it may crash of this
 * question: 7.2 does, when a node goes just then. */
static int list_named(struct virt *v, virDomainPtr d, xlcfg__items *list,
                      xlcfg_error *err)
{
    xlcfg_doc *jobs = NULL, *named = NULL;
    int rc = xlcfg__qmp(v, d, "query-jobs", NULL, &jobs, err);

    if (!rc && xlcfg_doc_count(jobs))
        rc = xlcfg__err(err, XLCFG_ERROR_PENDING, "query-named-block-nodes",
                        "not asked while a job is at work");
    if (!rc)
        rc = xlcfg__qmp(v, d, "query-named-block-nodes", NULL, &named, err);
    for (size_t i = 0; !rc && i < xlcfg_doc_count(named); i++) {
        const char *name = xlcfg__doc_getstr(xlcfg_doc_at(named, i),
                                             "node-name");

        if (name)
            add_node(list, name, false);
    }
    xlcfg_doc_free(named);
    xlcfg_doc_free(jobs);
    return rc;
}

int xlcfg__qmp_nodes(struct virt *v, virDomainPtr d, xlcfg_doc **list_r,
                     xlcfg_error *err)
{
    xlcfg__items list = { 0 };
    xlcfg_doc *graph = NULL;
    const xlcfg_doc *nodes;
    int rc;

    /* asks nothing of the images themselves */
    rc = xlcfg__qmp(v, d, "x-debug-query-block-graph", NULL, &graph, NULL);
    if (rc)
        rc = list_named(v, d, &list, err);
    nodes = xlcfg_doc_get(graph, "nodes");
    for (size_t i = 0; !rc && i < xlcfg_doc_count(nodes); i++) {
        const xlcfg_doc *node = xlcfg_doc_at(nodes, i);
        const char *type = xlcfg__doc_getstr(node, "type");
        const char *name = xlcfg__doc_getstr(node, "name");

        if (type && name && !strcmp(type, "block-driver"))
            add_node(&list, name, is_used(graph, node, name));
    }
    xlcfg_doc_free(graph);
    if (rc) {
        xlcfg__items_dispose(&list);
        return rc;
    }
    *list_r = xlcfg__items_end(&list);
    return *list_r ? 0 : xlcfg__nomem(err);
}
