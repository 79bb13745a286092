#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An unplug that the guest has not answered is neither done nor failed.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

state_is()
{
    xlcfg_xen devices "$1" -o json | jq -e --arg key "$2" --arg state "$3" \
        '.devices[] | select(.key == $key) | .state == $state' > /dev/null
}

gone()
{
    xlcfg_xen devices "$1" -o json > "$work/gone" &&
        jq -e --arg key "$2" '[.devices[] | select(.key == $key and
            .state == "attached")] == []' "$work/gone" > /dev/null
}

need ok "a guest starts" guest_start pv1 \
    "disk=['phy:$(loop_new 8M),xvda,w', 'phy:$(loop_new 8M),xvdb,w']"
ok "it is paused" xl pause pv1
exits 1 "xl asks for a disk, in vain" xl block-detach pv1 xvdb
exits 0 "devices answers" xlcfg_xen devices pv1 -o json
holds "$work/out" "the disk is detaching" \
    '.devices[] | select(.key == "disk/xvdb") | .state == "detaching"'
holds "$work/out" "the other one is attached" \
    '.devices[] | select(.key == "disk/xvda") | .state == "attached"'
ok "the guest goes on, and lets go" bash -c "xl unpause pv1"
ok "its backend closes" within 120 backend_is pv1 vbd "$(xvd b)" state 6
ok "it is not attached any more" within 120 gone pv1 disk/xvdb
exits 0 "get --config answers" xlcfg_xen get pv1 --config
holds "$work/out" "it has the other disk alone" '[.disks[].vdev] == ["xvda"]'

need ok "a guest without frontends starts" guest_start pv2 \
    "disk=['phy:$(loop_new 8M),xvda,w']" -- g.nofront
exits 5 "xlcfg says that its detach is not done" \
    xlcfg_xen detach pv2 disk/xvda
ok "the disk is detaching" state_is pv2 disk/xvda detaching
finish
