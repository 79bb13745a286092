#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# store: oxenstored
# The other store that Debian ships answers the same, in another order.
. /mnt/src/tests/xen-vm/lib.sh

ok "the store is oxenstored" pgrep -x oxenstored
need ok "a guest starts" guest_start pv1 "disk=['phy:$(loop_new 8M),xvda,w']"
ok "a disk is attached" xl block-attach pv1 "phy:$(loop_new 8M),xvdb,w"
ok "the guest connects it" \
    within 120 backend_is pv1 vbd "$(xvd b)" state 4
template_json pv1 > "$work/template"
holds "$work/template" "the template covers both" \
    '[.disks[].vdev] == ["xvda", "xvdb"]'

if [ -x /mnt/xlcfg/bin/xlcfg ]; then
    need_xlcfg
    exits 0 "xlcfg answers" xlcfg_xen get pv1 --config
    xl_config pv1 > "$work/theirs"
    same "$work/out" "$work/theirs" "it is what xl list -l says"
else
    skip "xlcfg answers" "no bin/xlcfg in the build folder: make it first"
fi

ok "a disk is detached" xl block-detach pv1 xvdb
xl_config pv1 > "$work/config"
holds "$work/config" "xl lists what is left" '[.disks[].vdev] == ["xvda"]'
finish
