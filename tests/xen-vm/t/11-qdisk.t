#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disks that a device model serves, with one and without.
. /mnt/src/tests/xen-vm/lib.sh

image()
{
    qemu-img create -q -f qcow2 "$work/$1.qcow2" "$2"
    echo "format=qcow2,vdev=$1,access=rw,target=$work/$1.qcow2"
}

disk=$(image xvda 16M)
need ok "a guest starts with such a disk" guest_start pv1 "disk=['$disk']"
ok "the device model serves it" \
    within 120 backend_is pv1 qdisk "$(xvd a)" state 4
is "$(guest_do pv1 cat /sys/block/xvda/size)" 32768 "the guest has it"
ok "another one is attached" xl block-attach pv1 "$(image xvdb 24M)"
ok "it is served too" within 120 backend_is pv1 qdisk "$(xvd b)" state 4
is "$(guest_do pv1 cat /sys/block/xvdb/size)" 49152 "the guest has it too"
ok "it is detached" xl block-detach pv1 xvdb
ok "the guest has it no more" within 120 guest_do pv1 "! test -e /dev/xvdb"

# A guest that began without one gets no device model when it needs one, and
# xl calls the disk attached all the same.
need ok "a guest starts with no disk" guest_start pv2
ok "xl says that such a disk is attached" \
    xl block-attach pv2 "$(image xvdc 16M)"
sleep 5
is "$(backend pv2 qdisk "$(xvd c)" state)" 1 "nothing serves it"
ok "the guest has it not" guest_do pv2 "! test -e /dev/xvdc"
xl_config pv2 > "$work/config"
holds "$work/config" "xl lists it" '[.disks[].vdev] == ["xvdc"]'
finish
