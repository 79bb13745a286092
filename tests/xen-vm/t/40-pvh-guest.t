#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A PVH guest: nested paging on an emulated processor, so it is slow.
. /mnt/src/tests/xen-vm/lib.sh

begun=$SECONDS
need ok "a PVH guest starts" guest_create pvh1 'type="pvh"' memory=128 \
    "disk=['phy:$(loop_new 8M),xvda,w']"
need ok "it comes up" guest_ready pvh1 120
say "after $((SECONDS - begun)) s"
ok "it has its disk" within 120 guest_do pvh1 test -b /dev/xvda
ok "a disk is attached" xl block-attach pvh1 "phy:$(loop_new 8M),xvdb,w"
ok "the guest connects it" \
    within 120 backend_is pvh1 vbd "$(xvd b)" state 4
xl_config pvh1 > "$work/config"
holds "$work/config" "xl lists both" \
    '.c_info.type == "pvh" and [.disks[].vdev] == ["xvda", "xvdb"]'

if [ -x /mnt/xlcfg/bin/xlcfg ]; then
    need_xlcfg
    exits 0 "xlcfg answers" xlcfg_xen get pvh1 --config
    same "$work/out" "$work/config" "it is what xl list -l says"
else
    skip "xlcfg answers" "no bin/xlcfg in the build folder: make it first"
fi

ok "a disk is detached" xl block-detach pvh1 xvdb
finish
