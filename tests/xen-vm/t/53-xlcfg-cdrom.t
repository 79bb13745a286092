#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Another medium in the drive of an HVM guest, through its QEMU.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

truncate -s 2M "$work/one.iso" "$work/two.iso"

# Template, xl and the machine have this medium.
medium()
{
    is "$(template_json hvm1 | jq -r '.disks[0].pdev_path')" "$1" \
        "the template has $1"
    is "$(xl_config hvm1 |
        jq -r '.disks[0].pdev_path | if . == "" then null else . end')" \
        "$1" "xl says so"
    is "$(xlcfg_xen live hvm1 -o json |
        jq -r '.config.disks[0].pdev_path | if . == "" then null else . end')" \
        "$1" "the live view shows it"
}

# Paused: no time is spent on its firmware.
guests+=(hvm1)
guest_config hvm1 'type="hvm"' memory=160 vnc=0 \
    "disk=['file:$work/one.iso,hdc:cdrom,r']" > "$work/hvm1.cfg"
need ok "an HVM guest is made" xl create -p -q "$work/hvm1.cfg"
medium "$work/one.iso"
echo "{\"pdev_path\": \"$work/two.iso\"}" > "$work/body.json"
exits 0 "another medium" xlcfg_xen update hvm1 disk/hdc "$work/body.json"
medium "$work/two.iso"
echo '{"pdev_path": null}' > "$work/body.json"
exits 0 "none" xlcfg_xen update hvm1 disk/hdc "$work/body.json"
medium null
echo '{"pdev_path": "/no/such.iso"}' > "$work/body.json"
exits 6 "one that is not there" \
    xlcfg_xen update hvm1 disk/hdc "$work/body.json"
echo "{\"pdev_path\": \"$work/one.iso\"}" > "$work/body.json"
exits 0 "the first again" xlcfg_xen update hvm1 disk/hdc "$work/body.json"
medium "$work/one.iso"
finish
