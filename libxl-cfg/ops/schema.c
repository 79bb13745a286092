/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON Schemas, taken in whole by the assembler. */
#include "libxl_cfg.h"

#include <string.h>

#define TAKE(symbol, file) \
    __asm__(".section .rodata\n" \
            ".global xlcfg__schema_" #symbol "\n" \
            ".type xlcfg__schema_" #symbol ", @object\n" \
            "xlcfg__schema_" #symbol ":\n" \
            ".incbin \"json-schema/" file ".json\"\n" \
            ".byte 0\n" \
            ".size xlcfg__schema_" #symbol ", . - xlcfg__schema_" #symbol \
            "\n.previous\n"); \
    extern const char xlcfg__schema_##symbol[]

TAKE(addresses, "addresses");
TAKE(check, "check");
TAKE(device, "device");
TAKE(device_channel, "device-channel");
TAKE(device_disk, "device-disk");
TAKE(device_dtdev, "device-dtdev");
TAKE(device_nic, "device-nic");
TAKE(device_p9, "device-p9");
TAKE(device_pci, "device-pci");
TAKE(device_pvcallsif, "device-pvcallsif");
TAKE(device_rdm, "device-rdm");
TAKE(device_usbctrl, "device-usbctrl");
TAKE(device_usbdev, "device-usbdev");
TAKE(device_vdispl, "device-vdispl");
TAKE(device_vfb, "device-vfb");
TAKE(device_virtio, "device-virtio");
TAKE(device_vkb, "device-vkb");
TAKE(device_vsnd, "device-vsnd");
TAKE(device_vtpm, "device-vtpm");
TAKE(devices, "devices");
TAKE(diff, "diff");
TAKE(domain_config, "domain-config");
TAKE(error, "error");
TAKE(event, "event");
TAKE(explain, "explain");
TAKE(features, "features");
TAKE(get, "get");
TAKE(intent, "intent");
TAKE(list, "list");
TAKE(ovf, "ovf");
TAKE(schemas, "schemas");
TAKE(settle, "settle");
TAKE(table, "table");
TAKE(template, "template");
TAKE(types, "types");

static const struct {
    const char *name, *text;
} schemas[] = {
    { "addresses", xlcfg__schema_addresses },
    { "check", xlcfg__schema_check },
    { "device", xlcfg__schema_device },
    { "device-channel", xlcfg__schema_device_channel },
    { "device-disk", xlcfg__schema_device_disk },
    { "device-dtdev", xlcfg__schema_device_dtdev },
    { "device-nic", xlcfg__schema_device_nic },
    { "device-p9", xlcfg__schema_device_p9 },
    { "device-pci", xlcfg__schema_device_pci },
    { "device-pvcallsif", xlcfg__schema_device_pvcallsif },
    { "device-rdm", xlcfg__schema_device_rdm },
    { "device-usbctrl", xlcfg__schema_device_usbctrl },
    { "device-usbdev", xlcfg__schema_device_usbdev },
    { "device-vdispl", xlcfg__schema_device_vdispl },
    { "device-vfb", xlcfg__schema_device_vfb },
    { "device-virtio", xlcfg__schema_device_virtio },
    { "device-vkb", xlcfg__schema_device_vkb },
    { "device-vsnd", xlcfg__schema_device_vsnd },
    { "device-vtpm", xlcfg__schema_device_vtpm },
    { "devices", xlcfg__schema_devices },
    { "diff", xlcfg__schema_diff },
    { "domain-config", xlcfg__schema_domain_config },
    { "error", xlcfg__schema_error },
    { "event", xlcfg__schema_event },
    { "explain", xlcfg__schema_explain },
    { "features", xlcfg__schema_features },
    { "get", xlcfg__schema_get },
    { "intent", xlcfg__schema_intent },
    { "list", xlcfg__schema_list },
    { "ovf", xlcfg__schema_ovf },
    { "schemas", xlcfg__schema_schemas },
    { "settle", xlcfg__schema_settle },
    { "table", xlcfg__schema_table },
    { "template", xlcfg__schema_template },
    { "types", xlcfg__schema_types },
};

#define COUNT (sizeof(schemas) / sizeof(schemas[0]))

const char *xlcfg_schema(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (!strcmp(schemas[i].name, name))
            return schemas[i].text;
    return NULL;
}

const char *xlcfg_schema_name(size_t i)
{
    return i < COUNT ? schemas[i].name : NULL;
}
