/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scalars of a live view; core/scalar.h finishes them. */
#include "driver/xen_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void unread(struct xlcfg__look *look, const char *pointer,
                   const char *node, const struct xlcfg__xs_value *v,
                   const char *expected)
{
    if (v->text)
        xlcfg__view_note(look->view, "%s: /local/domain/%u/%s is '%.40s', "
                         "expected %s", pointer, look->domid, node, v->text,
                         expected);
    else
        xlcfg__view_note(look->view, "%s: /local/domain/%u/%s: %s", pointer,
                         look->domid, node, v->error == EILSEQ ? "is no text"
                         : strerror(v->error));
}

static void identity(struct xlcfg__look *look, xlcfg__members *m)
{
    struct xlcfg__xs_value name;

    xlcfg__xs_read(look->xs, &name, "/local/domain/%u/name", look->domid);
    if (*look->type)
        xlcfg__members_add(m, "type", xlcfg__doc_str(look->type));
    else
        xlcfg__view_note(look->view, "/c_info/type: neither "
                         "/libxl/%u/type nor the hypervisor names it",
                         look->domid);
    if (name.text && *name.text)
        xlcfg__members_add(m, "name", xlcfg__doc_str(name.text));
    else
        unread(look, "/c_info/name", "name", &name, "a name");
    if (*look->dom->uuid)
        xlcfg__members_add(m, "uuid", xlcfg__doc_str(look->dom->uuid));
    else
        xlcfg__view_note(look->view, "/c_info/uuid: neither the hypervisor "
                         "nor /local/domain/%u/vm names it", look->domid);
    xlcfg__xs_value_dispose(&name, 1);
}

static void memory(struct xlcfg__look *look, xlcfg__members *m)
{
    static const struct {
        const char *node, *member, *pointer;    /* NULL: may be absent */
    } rows[] = {
        { "memory/target", "x-target-node", "/b_info/target_memkb" },
        { "memory/static-max", "max_memkb", "/b_info/max_memkb" },
        { "memory/videoram", "x-videoram-node", NULL },
    };

    static const char kib[] = "a number of KiB";

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xlcfg__xs_value v;
        uint64_t n;

        xlcfg__xs_read(look->xs, &v, "/local/domain/%u/%s", look->domid,
                       rows[i].node);
        if (v.text && xlcfg__xs_number(v.text, INT64_MAX / 1024, &n))
            xlcfg__members_add(m, rows[i].member, xlcfg__doc_uint(n));
        else if (rows[i].pointer)
            unread(look, rows[i].pointer, rows[i].node, &v, kib);
        else if (!xlcfg__xs_absent(&v))
            unread(look, "/b_info/target_memkb", rows[i].node, &v, kib);
        xlcfg__xs_value_dispose(&v, 1);
    }
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* The numbers of the directory `cpu`, in order; the count. */
static size_t vcpu_numbers(const struct xlcfg__xs_names *names,
                           uint64_t *numbers)
{
    size_t count = 0;

    for (unsigned i = 0; i < names->count; i++)
        if (xlcfg__xs_number(names->v[i], 4095, &numbers[count]))
            count++;
    qsort(numbers, count, sizeof(*numbers), by_number);
    return count;
}

/* Every vcpu or none: half a map would take vcpus away from the guest.  False:
 * what is wrong was noted, unless there is none. */
static bool online_vcpus(struct xlcfg__look *look, const uint64_t *numbers,
                         size_t count, xlcfg__items *online)
{
    for (size_t i = 1; i < count; i++)  /* the first is announced already */
        xlcfg__xs_will_read(look->xs,
                            "/local/domain/%u/cpu/%u/availability",
                            look->domid, (unsigned)numbers[i]);
    for (size_t i = 0; i < count; i++) {
        struct xlcfg__xs_value v;
        char node[40];
        bool ok;

        xlcfg__xs_read(look->xs, &v, "/local/domain/%u/cpu/%u/availability",
                       look->domid, (unsigned)numbers[i]);
        ok = numbers[i] == i && (!strcmp(xlcfg__xs_text(&v), "online") ||
                                 !strcmp(xlcfg__xs_text(&v), "offline"));
        if (ok && !strcmp(v.text, "online"))
            xlcfg__items_add(online, xlcfg__doc_uint(numbers[i]));
        if (!ok && numbers[i] == i) {
            snprintf(node, sizeof(node), "cpu/%zu/availability", i);
            unread(look, "/b_info/avail_vcpus", node, &v,
                   "online or offline");
        } else if (!ok) {
            xlcfg__view_note(look->view, "/b_info/avail_vcpus: "
                             "/local/domain/%u/cpu/%zu: No such file or "
                             "directory", look->domid, i);
        }
        xlcfg__xs_value_dispose(&v, 1);
        if (!ok)
            return false;
    }
    return count > 0;
}

static int vcpus(struct xlcfg__look *look, xlcfg__members *m)
{
    struct xlcfg__xs_names names;
    xlcfg__items online = { 0 };
    uint64_t *numbers;
    size_t count;
    int r;

    r = xlcfg__xs_list(look->xs, &names, "/local/domain/%u/cpu",
                       look->domid);
    numbers = calloc(names.count + 1, sizeof(*numbers));
    if (!numbers) {
        xlcfg__xs_names_dispose(&names);
        return XLCFG_ERROR_NOMEM;
    }
    count = vcpu_numbers(&names, numbers);
    if (!r && online_vcpus(look, numbers, count, &online)) {
        xlcfg__members_add(m, "avail_vcpus", xlcfg__items_end(&online));
        xlcfg__members_add(m, "x-max-vcpus", xlcfg__doc_uint(count));
    } else if (r || !count) {
        xlcfg__view_note(look->view, "/b_info/avail_vcpus: "
                         "/local/domain/%u/cpu: %s", look->domid,
                         r ? strerror(r) : "no vcpu is in it");
    }
    xlcfg__items_dispose(&online);
    xlcfg__xs_names_dispose(&names);
    free(numbers);
    return 0;
}

int xlcfg__xen_scalars(struct xlcfg__look *look)
{
    xlcfg__members build = { 0 }, create = { 0 }, rest = { 0 };
    const char *why = "";
    xlcfg_doc *sched;
    int rc;

    identity(look, &create);
    memory(look, &build);
    rc = vcpus(look, &build);
    sched = xlcfg__hv_sched(look->xen->hv, look->domid, &why);
    if (sched)
        xlcfg__members_add(&build, "sched_params", sched);
    else
        xlcfg__view_note(look->view, "/b_info/sched_params: %s", why);
    xlcfg__members_add(&rest, "c_info", xlcfg__members_end(&create));
    xlcfg__members_add(&rest, "b_info", xlcfg__members_end(&build));
    look->view->rest = xlcfg__members_end(&rest);
    return rc ? rc : look->view->rest ? 0 : XLCFG_ERROR_NOMEM;
}
