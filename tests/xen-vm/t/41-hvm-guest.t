#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An HVM guest that boots from a disk: a device model of its own, whose processors libxl asks for.
. /mnt/src/tests/xen-vm/lib.sh

begun=$SECONDS
need ok "an HVM guest starts" guest_create hvm1 'type="hvm"' memory=160 \
    vnc=0 'vga="none"' "serial='pty'" \
    "disk=[$boot_disk,'phy:$(loop_new 8M),xvdb,w']"
need ok "it comes up" guest_ready hvm1 600
say "after $((SECONDS - begun)) s"
ok "it has its disk" within 120 guest_do hvm1 test -b /dev/xvdb
ok "a disk is attached" xl block-attach hvm1 "phy:$(loop_new 8M),xvdc,w"
ok "the guest connects it" \
    within 120 backend_is hvm1 vbd "$(xvd c)" state 4
xl_config hvm1 > "$work/config"
holds "$work/config" "xl lists them" \
    '.c_info.type == "hvm" and [.disks[].vdev] == ["xvda", "xvdb", "xvdc"]'

if [ -x /mnt/xlcfg/bin/xlcfg ]; then
    need_xlcfg
    exits 0 "xlcfg answers" xlcfg_xen get hvm1 --config
    same "$work/out" "$work/config" "it is what xl list -l says"
else
    skip "xlcfg answers" "no bin/xlcfg in the build folder: make it first"
fi

ok "a disk is detached" xl block-detach hvm1 xvdc
finish
