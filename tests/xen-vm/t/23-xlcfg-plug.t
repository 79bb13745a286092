#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# xlcfg plugs and unplugs, and xl sees the same.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

vdevs()
{
    xl_config "$1" 2> /dev/null | jq -c '[(.disks // [])[].vdev]'
}

need ok "a guest starts" guest_start pv1
loop=$(loop_new 8M)
jq -n --arg path "$loop" '{pdev_path: $path, vdev: "xvda", format: "raw",
    readwrite: 1}' > "$work/disk.json"
exits 0 "a disk is attached" \
    xlcfg_xen attach pv1 disk "$work/disk.json" -o json
holds "$work/out" "it says so" \
    '.device.key == "disk/xvda" and .device.state == "attached"'
ok "the guest has it" within 120 guest_do pv1 test -b /dev/xvda
is "$(vdevs pv1)" '["xvda"]' "xl lists it"
template_json pv1 > "$work/template"
holds "$work/template" "the template covers it" '[.disks[].vdev] == ["xvda"]'

echo '{"mac": "00:16:3e:00:00:02", "bridge": "xenbr0"}' > "$work/nic.json"
exits 0 "a network card is attached" \
    xlcfg_xen attach pv1 nic "$work/nic.json" -o json
ok "the guest has it" within 120 guest_do pv1 test -d /sys/class/net/eth0
exits 0 "get --config answers" xlcfg_xen get pv1 --config
xl_config pv1 > "$work/theirs"
same "$work/out" "$work/theirs" "it is what xl list -l says"

exits 0 "the disk is detached" xlcfg_xen detach pv1 disk/xvda --wait=20
ok "the guest has it no more" guest_do pv1 "! test -e /dev/xvda"
is "$(vdevs pv1)" '[]' "xl lists it no more"
template_json pv1 > "$work/template"
holds "$work/template" "nor does the template" '(.disks // []) == []'

jq '.pdev_path = "/dev/no-such-disk"' "$work/disk.json" > "$work/none.json"
exits 6 "a disk that is not there is refused" \
    xlcfg_xen attach pv1 disk "$work/none.json"
is "$(vdevs pv1)" '[]' "nothing of it is left"
exits 0 "the same place takes a good one" \
    xlcfg_xen attach pv1 disk "$work/disk.json"
is "$(vdevs pv1)" '["xvda"]' "xl lists that"
exits 3 "no such device" xlcfg_xen detach pv1 disk/xvdq
finish
