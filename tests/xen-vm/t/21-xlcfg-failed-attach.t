#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk whose hotplug script failed is no part of the guest, whatever xl
# says; its siblings are.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

need ok "a guest starts" guest_start pv1 "disk=['phy:$(loop_new 8M),xvda,w']"
script_new xv-fails <<< 'fatal "told to fail"'
exits 1 "xl attaches a disk whose script fails" xl block-attach pv1 \
    "vdev=xvdb,script=xv-fails,target=$(loop_new 8M)"
xl_config pv1 > "$work/theirs"
holds "$work/theirs" "xl lists it" '[.disks[].vdev] == ["xvda", "xvdb"]'

exits 0 "devices answers" xlcfg_xen devices pv1 -o json
cp "$work/out" "$work/devices"
holds "$work/devices" "it failed" \
    '[.devices[] | select(.key == "disk/xvdb")] |
     length == 1 and .[0].state == "failed"'
holds "$work/devices" "the reason is given" \
    '.devices[] | select(.key == "disk/xvdb") | .reason | length > 0'
holds "$work/devices" "the other one is attached" \
    '.devices[] | select(.key == "disk/xvda") | .state == "attached"'
exits 0 "get --config answers" xlcfg_xen get pv1 --config
holds "$work/out" "it leaves the failed one out" \
    '[.disks[].vdev] == ["xvda"]'
jq 'del(.disks[] | select(.vdev == "xvdb"))' "$work/theirs" > "$work/due"
same "$work/out" "$work/due" "and agrees with xl in all else"

script_new xv-dies <<< 'trap - ERR; exit 1'
exits 1 "xl attaches one whose script just ends" xl block-attach pv1 \
    "vdev=xvdc,script=xv-dies,target=$(loop_new 8M)"
exits 0 "devices answers" xlcfg_xen devices pv1 -o json
holds "$work/out" "nobody calls that attached" \
    '[.devices[] | select(.key == "disk/xvdc")] |
     length == 1 and .[0].state != "attached"'
finish
