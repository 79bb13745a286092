#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What plain xl says when a plug or an unplug did not come to its end. xlcfg
# is there because of these; should Xen change one of them, its tests need
# another ground.
. /mnt/src/tests/xen-vm/lib.sh

listed()
{
    xl_config "$1" 2> /dev/null | jq -c '[(.disks // [])[].vdev]'
}

need ok "a guest starts" guest_start pv1
script_new xv-fails <<< 'fatal "told to fail"'
loop=$(loop_new 8M)
exits 1 "a disk whose hotplug script fails is not attached" \
    xl block-attach pv1 "vdev=xvda,script=xv-fails,target=$loop"
is "$(backend pv1 vbd "$(xvd a)" hotplug-status)" error \
    "the backend says why"
is "$(listed pv1)" '["xvda"]' "xl lists it for good"
exits 1 "a second try is refused" \
    xl block-attach pv1 "phy:$loop,xvda,w"

script_new xv-dies <<< 'trap - ERR; exit 1'
exits 1 "nor one whose script just ends" \
    xl block-attach pv1 "vdev=xvdc,script=xv-dies,target=$loop"
exits 1 "the backend says nothing" backend pv1 vbd "$(xvd c)" hotplug-status
is "$(listed pv1)" '["xvda","xvdc"]' "xl lists it too"

ok "another disk is attached" xl block-attach pv1 "phy:$(loop_new 8M),xvdb,w"
within 120 backend_is pv1 vbd "$(xvd b)" state 4
ok "the guest is paused" xl pause pv1
exits 1 "it does not let go of the disk" xl block-detach pv1 xvdb
is "$(backend pv1 vbd "$(xvd b)" online)" 0 "its unplug was begun"
is "$(listed pv1)" '["xvda","xvdc","xvdb"]' "xl lists it still"
ok "the guest goes on" xl unpause pv1
ok "and lets go" within 120 backend_is pv1 vbd "$(xvd b)" state 6
is "$(listed pv1)" '["xvda","xvdc","xvdb"]' "xl lists the dead disk"

need ok "a guest without frontends starts" guest_start pv2 -- g.nofront
ok "a disk is attached to it" xl block-attach pv2 "phy:$(loop_new 8M),xvda,w"
is "$(backend pv2 vbd "$(xvd a)" state)" 2 "no frontend connects it"
exits 1 "it is not detached" xl block-detach pv2 xvda
is "$(backend pv2 vbd "$(xvd a)" state)" 5 "its backend waits"
is "$(listed pv2)" '["xvda"]' "xl lists it still"
finish
