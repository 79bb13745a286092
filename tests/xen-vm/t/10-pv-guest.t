#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Plain xl and a PV guest: the ground that the tests of xlcfg stand on.
. /mnt/src/tests/xen-vm/lib.sh

need ok "a PV guest starts and runs" guest_start pv1
template=$(guest_template pv1)
ok "its template is there" test -s "$template"
is "$(stat -c %a "$template")" 600 "the template is private"

loop=$(loop_new 16M)
ok "a loop device is attached" xl block-attach pv1 "phy:$loop,xvda,w"
ok "the guest connects it" \
    within 120 backend_is pv1 vbd "$(xvd a)" state 4
is "$(guest_do pv1 cat /sys/block/xvda/size)" 32768 "the guest sees its size"
guest_do pv1 "echo from the guest | dd of=/dev/xvda bs=512 conv=sync" \
    > /dev/null
is "$(head -c 14 "$loop")" "from the guest" "what the guest writes arrives"
template_json pv1 > "$work/template"
holds "$work/template" "the template covers it" \
    '[.disks[].vdev] == ["xvda"]'

file=$(file_new 8M)
ok "a file is attached" xl block-attach pv1 "file:$file,xvdb,r"
ok "the guest connects that" \
    within 120 backend_is pv1 vbd "$(xvd b)" state 4
is "$(guest_do pv1 cat /sys/block/xvdb/ro)" 1 "read-only"

ok "a network card is attached" \
    xl network-attach pv1 bridge=xenbr0 mac=00:16:3e:00:00:01
ok "the guest connects it" within 120 backend_is pv1 vif 0 state 4
is "$(guest_do pv1 cat /sys/class/net/eth0/address)" 00:16:3e:00:00:01 \
    "with its address"
is "$(cat "/sys/class/net/vif$(xl domid pv1).0/master/uevent" |
    sed -n 's/^INTERFACE=//p')" xenbr0 "it is on the bridge"

xl_config pv1 > "$work/config"
holds "$work/config" "xl lists all of them" \
    '([.disks[].vdev] == ["xvda", "xvdb"]) and
     ([.nics[].mac] == ["00:16:3e:00:00:01"])'

ok "a disk is detached" xl block-detach pv1 xvdb
ok "its backend is gone" bash -c \
    "! xenstore-exists /local/domain/0/backend/vbd/$(xl domid pv1)/$(xvd b)"
ok "the guest has it no more" guest_do pv1 "! test -e /dev/xvdb"
ok "the network card is detached" xl network-detach pv1 0
xl_config pv1 > "$work/config"
holds "$work/config" "xl lists what is left" \
    '([.disks[].vdev] == ["xvda"]) and ((.nics // []) == [])'

# A frontend of today's Linux does not wait for those who have it open.
ok "the guest uses a disk" guest_do pv1 "sleep 1000 < /dev/xvda & sleep 1"
ok "it lets go of it all the same" xl block-detach pv1 xvda

domid=$(xl domid pv1)
ok "the guest ends" xl destroy pv1
ok "its template goes with it" test ! -e "$template"
ok "and its place in the store" bash -c \
    "! xenstore-exists /libxl/$domid"
finish
