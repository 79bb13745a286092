/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kind table and its field rules.  Field names are libxl 4.17's
 * (libxl_types.h); `virtios` is that of later releases.  What is read once
 * at creation belongs to the template: xenstore keeps a copy of it that
 * nobody updates.  What changes in a guest's life has its own rule.
 */
#include "core/kind.h"

#include <string.h>

static const struct xlcfg_field disk_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "pdev_path", XLCFG_RULE_MEDIUM, 0 },
    { "vdev", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "format", XLCFG_RULE_MEDIUM, 0 },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "backend", XLCFG_RULE_TEMPLATE, 0 },
    { "script", XLCFG_RULE_TEMPLATE, 0 },
    { "removable", XLCFG_RULE_TEMPLATE, 0 },
    { "readwrite", XLCFG_RULE_TEMPLATE, 0 },
    { "is_cdrom", XLCFG_RULE_TEMPLATE, 0 },
    { "direct_io_safe", XLCFG_RULE_TEMPLATE, 0 },
    { "discard_enable", XLCFG_RULE_TEMPLATE, 0 },
    { "specification", XLCFG_RULE_TEMPLATE, 0 },
    { "transport", XLCFG_RULE_TEMPLATE, 0 },
    { "irq", XLCFG_RULE_TEMPLATE, 0 },
    { "base", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_enable", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_restore_enable", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_host", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_export", XLCFG_RULE_TEMPLATE, 0 },
    { "active_disk", XLCFG_RULE_TEMPLATE, 0 },
    { "hidden_disk", XLCFG_RULE_TEMPLATE, 0 },
    { "trusted", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field nic_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "mac", XLCFG_RULE_FILL, 0 },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "mtu", XLCFG_RULE_TEMPLATE, 0 },
    { "model", XLCFG_RULE_TEMPLATE, 0 },
    { "ip", XLCFG_RULE_TEMPLATE, 0 },
    { "bridge", XLCFG_RULE_TEMPLATE, 0 },
    { "ifname", XLCFG_RULE_TEMPLATE, 0 },
    { "script", XLCFG_RULE_TEMPLATE, 0 },
    { "nictype", XLCFG_RULE_TEMPLATE, 0 },
    { "rate_bytes_per_interval", XLCFG_RULE_TEMPLATE, 0 },
    { "rate_interval_usecs", XLCFG_RULE_TEMPLATE, 0 },
    { "gatewaydev", XLCFG_RULE_TEMPLATE, 0 },
    { "coloft_forwarddev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_mirror_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_mirror_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_mirror_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_pri_in_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_pri_in_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_pri_in_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_sec_in_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_sec_in_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_sec_in_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_notify_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_notify_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_compare_notify_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector0_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector0_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector0_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector1_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector1_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector1_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector2_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector2_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_redirector2_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_mirror_queue", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_mirror_outdev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_redirector0_queue", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_redirector0_indev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_redirector0_outdev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_redirector1_queue", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_redirector1_indev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_redirector1_outdev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_compare_pri_in", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_compare_sec_in", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_compare_out", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_compare_notify_dev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_sec_redirector0_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_sec_redirector0_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_sec_redirector0_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_sec_redirector1_id", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_sec_redirector1_ip", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_sock_sec_redirector1_port", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_sec_redirector0_queue", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_sec_redirector0_indev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_sec_redirector0_outdev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_sec_redirector1_queue", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_sec_redirector1_indev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_sec_redirector1_outdev", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_filter_sec_rewriter0_queue", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_checkpoint_host", XLCFG_RULE_TEMPLATE, 0 },
    { "colo_checkpoint_port", XLCFG_RULE_TEMPLATE, 0 },
    { "trusted", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field pci_fields[] = {
    { "func", XLCFG_RULE_IDENTITY, 0 },
    { "dev", XLCFG_RULE_IDENTITY, 0 },
    { "bus", XLCFG_RULE_IDENTITY, 0 },
    { "domain", XLCFG_RULE_IDENTITY, 0 },
    { "vdevfn", XLCFG_RULE_FILL, XLCFG_FIELD_ADDRESS },
    { "vfunc_mask", XLCFG_RULE_TEMPLATE, 0 },
    { "msitranslate", XLCFG_RULE_TEMPLATE, 0 },
    { "power_mgmt", XLCFG_RULE_TEMPLATE, 0 },
    { "permissive", XLCFG_RULE_TEMPLATE, 0 },
    { "seize", XLCFG_RULE_TEMPLATE, 0 },
    { "rdm_policy", XLCFG_RULE_TEMPLATE, 0 },
    { "name", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field rdm_fields[] = {
    { "start", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "size", XLCFG_RULE_TEMPLATE, 0 },
    { "policy", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field dtdev_fields[] = {
    { "path", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field vfb_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "vnc", XLCFG_RULE_TEMPLATE, XLCFG_FIELD_SECRET },
    { "sdl", XLCFG_RULE_TEMPLATE, 0 },
    { "keymap", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field vkb_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "backend_type", XLCFG_RULE_TEMPLATE, 0 },
    { "unique_id", XLCFG_RULE_TEMPLATE, 0 },
    { "feature_disable_keyboard", XLCFG_RULE_TEMPLATE, 0 },
    { "feature_disable_pointer", XLCFG_RULE_TEMPLATE, 0 },
    { "feature_abs_pointer", XLCFG_RULE_TEMPLATE, 0 },
    { "feature_raw_pointer", XLCFG_RULE_TEMPLATE, 0 },
    { "feature_multi_touch", XLCFG_RULE_TEMPLATE, 0 },
    { "width", XLCFG_RULE_TEMPLATE, 0 },
    { "height", XLCFG_RULE_TEMPLATE, 0 },
    { "multi_touch_width", XLCFG_RULE_TEMPLATE, 0 },
    { "multi_touch_height", XLCFG_RULE_TEMPLATE, 0 },
    { "multi_touch_num_contacts", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field virtio_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "type", XLCFG_RULE_TEMPLATE, 0 },
    { "transport", XLCFG_RULE_TEMPLATE, 0 },
    { "grant_usage", XLCFG_RULE_TEMPLATE, 0 },
    { "irq", XLCFG_RULE_TEMPLATE, 0 },
    { "base", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field vtpm_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "uuid", XLCFG_RULE_FILL, 0 },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field p9_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "tag", XLCFG_RULE_TEMPLATE, 0 },
    { "path", XLCFG_RULE_TEMPLATE, 0 },
    { "security_model", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field pvcallsif_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field vdispl_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "be_alloc", XLCFG_RULE_TEMPLATE, 0 },
    { "connectors", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field vsnd_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "short_name", XLCFG_RULE_TEMPLATE, 0 },
    { "long_name", XLCFG_RULE_TEMPLATE, 0 },
    { "params", XLCFG_RULE_TEMPLATE, 0 },
    { "pcms", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field channel_fields[] = {
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { "name", XLCFG_RULE_TEMPLATE, 0 },
    { "connection.unknown", XLCFG_RULE_TEMPLATE, 0 },
    { "connection.pty", XLCFG_RULE_TEMPLATE, 0 },
    { "connection.socket", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field usbctrl_fields[] = {
    { "devid", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "backend_domname", XLCFG_RULE_FOLLOW, 0 },
    { "type", XLCFG_RULE_TEMPLATE, 0 },
    { "version", XLCFG_RULE_TEMPLATE, 0 },
    { "ports", XLCFG_RULE_TEMPLATE, 0 },
    { "backend_domid", XLCFG_RULE_TEMPLATE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

static const struct xlcfg_field usbdev_fields[] = {
    { "ctrl", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "port", XLCFG_RULE_IDENTITY, XLCFG_FIELD_ADDRESS },
    { "type.hostdev", XLCFG_RULE_LIVE, 0 },
    { NULL, XLCFG_RULE_TEMPLATE, 0 },
};

const struct xlcfg_kind_row xlcfg__kinds[XLCFG_KINDS] = {
    [XLCFG_KIND_DISK] = { "disk", "disks",
        "disk or cdrom drive", disk_fields },
    [XLCFG_KIND_NIC] = { "nic", "nics",
        "network interface", nic_fields },
    [XLCFG_KIND_PCI] = { "pci", "pcidevs",
        "PCI device passed through", pci_fields },
    [XLCFG_KIND_RDM] = { "rdm", "rdms",
        "reserved device memory region", rdm_fields },
    [XLCFG_KIND_DTDEV] = { "dtdev", "dtdevs",
        "device tree node passed through", dtdev_fields },
    [XLCFG_KIND_VFB] = { "vfb", "vfbs",
        "paravirtual frame buffer", vfb_fields },
    [XLCFG_KIND_VKB] = { "vkb", "vkbs",
        "paravirtual keyboard and pointer", vkb_fields },
    [XLCFG_KIND_VIRTIO] = { "virtio", "virtios",
        "virtio device of a standalone backend", virtio_fields },
    [XLCFG_KIND_VTPM] = { "vtpm", "vtpms",
        "virtual TPM", vtpm_fields },
    [XLCFG_KIND_P9] = { "p9", "p9s",
        "9pfs shared folder", p9_fields },
    [XLCFG_KIND_PVCALLSIF] = { "pvcallsif", "pvcallsifs",
        "PV calls interface", pvcallsif_fields },
    [XLCFG_KIND_VDISPL] = { "vdispl", "vdispls",
        "paravirtual display", vdispl_fields },
    [XLCFG_KIND_VSND] = { "vsnd", "vsnds",
        "paravirtual sound card", vsnd_fields },
    [XLCFG_KIND_CHANNEL] = { "channel", "channels",
        "console channel", channel_fields },
    [XLCFG_KIND_USBCTRL] = { "usbctrl", "usbctrls",
        "USB controller", usbctrl_fields },
    [XLCFG_KIND_USBDEV] = { "usbdev", "usbdevs",
        "USB device passed through", usbdev_fields },
};

static const char *const rules[] = {
    [XLCFG_RULE_TEMPLATE] = "template",
    [XLCFG_RULE_FILL] = "fill",
    [XLCFG_RULE_LIVE] = "live",
    [XLCFG_RULE_FOLLOW] = "follow",
    [XLCFG_RULE_MEDIUM] = "medium",
    [XLCFG_RULE_IDENTITY] = "identity",
};

enum xlcfg_kind xlcfg__kind_by_name(const char *name)
{
    for (int k = 0; k < XLCFG_KINDS; k++)
        if (!strcmp(xlcfg__kinds[k].name, name))
            return (enum xlcfg_kind)k;
    return XLCFG_KINDS;
}

enum xlcfg_kind xlcfg__kind_by_array(const char *array)
{
    for (int k = 0; k < XLCFG_KINDS; k++)
        if (!strcmp(xlcfg__kinds[k].array, array))
            return (enum xlcfg_kind)k;
    return XLCFG_KINDS;
}

/* Does the live view know of another medium than the template? */
static bool other_medium(const xlcfg_doc *tmpl, const xlcfg_doc *live)
{
    const char *was = xlcfg__doc_getstr(tmpl, "pdev_path");
    const char *now = xlcfg__doc_getstr(live, "pdev_path");

    return now && strcmp(was ? was : "", now);
}

/*
 * pdev_path and format speak together: a live path equal to the template's
 * leaves the template's format alone (xenstore cannot tell raw from none).
 */
static void merge_medium(xlcfg__members *m, const xlcfg_doc *live)
{
    const char *now = xlcfg__doc_getstr(live, "pdev_path");
    const xlcfg_doc *format = xlcfg_doc_get(live, "format");

    if (*now)
        xlcfg__members_set(m, "pdev_path",
                           xlcfg_doc_ref(xlcfg_doc_get(live, "pdev_path")));
    else
        xlcfg__members_drop(m, "pdev_path");
    if (!*now)
        xlcfg__members_set(m, "format", xlcfg__doc_str("empty"));
    else if (format)
        xlcfg__members_set(m, "format", xlcfg_doc_ref(format));
}

static bool takes_live(const struct xlcfg_field *f, const xlcfg_doc *tmpl,
                       const xlcfg_doc *live)
{
    switch (f->rule) {
    case XLCFG_RULE_TEMPLATE:
    case XLCFG_RULE_MEDIUM:
        return false;
    case XLCFG_RULE_FILL:
    case XLCFG_RULE_IDENTITY:
        return !xlcfg_doc_get(tmpl, f->name) &&
            xlcfg_doc_get(live, f->name);
    case XLCFG_RULE_LIVE:
        return xlcfg_doc_get(live, f->name);
    case XLCFG_RULE_FOLLOW:
        return xlcfg_doc_get(tmpl, f->name) &&
            xlcfg_doc_get(live, f->name);
    }
    return false;
}

/* A row's fields that are not the template's alone come first. */
static bool is_asked(const struct xlcfg_field *f)
{
    return f->name && f->rule != XLCFG_RULE_TEMPLATE;
}

xlcfg_doc *xlcfg__kind_merge(enum xlcfg_kind kind, const xlcfg_doc *tmpl,
                             const xlcfg_doc *live)
{
    const struct xlcfg_field *f;
    xlcfg__members m = { 0 };
    bool medium = false, differs = false;

    for (f = xlcfg__kinds[kind].fields; live && is_asked(f); f++) {
        medium = medium || (f->rule == XLCFG_RULE_MEDIUM &&
                            other_medium(tmpl, live));
        differs = differs || takes_live(f, tmpl, live);
    }
    if (!medium && !differs)
        return xlcfg_doc_ref(tmpl);     /* the common case costs nothing */
    xlcfg__members_copy(&m, tmpl);
    for (f = xlcfg__kinds[kind].fields; is_asked(f); f++)
        if (takes_live(f, tmpl, live))
            xlcfg__members_set(&m, f->name,
                               xlcfg_doc_ref(xlcfg_doc_get(live, f->name)));
    if (medium)
        merge_medium(&m, live);
    return xlcfg__members_end(&m);
}

bool xlcfg__kind_medium_open(enum xlcfg_kind kind, const xlcfg_doc *tmpl,
                             const xlcfg_doc *live)
{
    const char *now = xlcfg__doc_getstr(live, "pdev_path");

    return kind == XLCFG_KIND_DISK && now && !*now &&
        other_medium(tmpl, live);
}

xlcfg_doc *xlcfg__kind_medium(const xlcfg_doc *body)
{
    const char *path = xlcfg__doc_getstr(body, "pdev_path");
    const char *format = xlcfg__doc_getstr(body, "format");
    xlcfg__members m = { 0 };

    if (path && *path && (!format || strcmp(format, "empty")))
        return xlcfg_doc_ref(body);
    xlcfg__members_copy(&m, body);
    if (!path || !*path)
        xlcfg__members_drop(&m, "pdev_path");
    xlcfg__members_set(&m, "format", xlcfg__doc_str(path && *path ? "raw"
                                                    : "empty"));
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__kind_address(enum xlcfg_kind kind, const xlcfg_doc *body,
                               struct xlcfg__arena *arena)
{
    const struct xlcfg_field *f = xlcfg__kinds[kind].fields;
    struct xlcfg_member found[XLCFG__ADDRESS_MAX];
    size_t count = 0;
    xlcfg_doc *doc;

    for (; is_asked(f) || f->flags & XLCFG_FIELD_ADDRESS; f++) {
        const struct xlcfg_member *m;

        m = f->flags & XLCFG_FIELD_ADDRESS
            ? xlcfg__doc_member(body, f->name) : NULL;
        if (m && count < XLCFG__ADDRESS_MAX)
            found[count++] = *m;
    }
    doc = xlcfg__doc_in(arena, XLCFG_DOC_OBJECT, count);
    if (doc && count)
        memcpy(doc->members, found, count * sizeof(found[0]));
    return doc;
}

static xlcfg_doc *row_doc(const struct xlcfg_kind_row *row)
{
    xlcfg__items fields = { 0 };
    xlcfg__members m = { 0 };

    for (const struct xlcfg_field *f = row->fields; f->name; f++) {
        xlcfg__members one = { 0 };

        xlcfg__members_add(&one, "name", xlcfg__doc_str(f->name));
        xlcfg__members_add(&one, "rule", xlcfg__doc_str(rules[f->rule]));
        xlcfg__members_add(&one, "address",
                           xlcfg__doc_bool(f->flags & XLCFG_FIELD_ADDRESS));
        xlcfg__members_add(&one, "secret",
                           xlcfg__doc_bool(f->flags & XLCFG_FIELD_SECRET));
        xlcfg__items_add(&fields, xlcfg__members_end(&one));
    }
    xlcfg__members_add(&m, "name", xlcfg__doc_str(row->name));
    xlcfg__members_add(&m, "array", xlcfg__doc_str(row->array));
    xlcfg__members_add(&m, "title", xlcfg__doc_str(row->title));
    xlcfg__members_add(&m, "fields", xlcfg__items_end(&fields));
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__kind_table(void)
{
    xlcfg__items rows = { 0 };
    xlcfg__members m = { 0 };

    for (int k = 0; k < XLCFG_KINDS; k++)
        xlcfg__items_add(&rows, row_doc(&xlcfg__kinds[k]));
    xlcfg__members_add(&m, "kinds", xlcfg__items_end(&rows));
    return xlcfg__members_end(&m);
}
