#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same for a network card.
. "$(dirname "$0")/../lib.sh"
mac=00:16:3e:70:00:01

need ok "a guest starts" ts_start hp1
ok "a card is attached" ts_attach_nic hp1 $mac "$bridge"
ok "the guest has it" within 20 guest_do hp1 \
    grep -q $mac /sys/class/net/eth0/address
says hp1 nic $mac attached
config hp1 "nic $mac" "the next start has it too"
ok "it is detached" ts_detach_nic hp1 $mac
ok "the guest has it no more" within 20 guest_do hp1 \
    "! test -e /sys/class/net/eth0"
says hp1 nic $mac absent
config hp1 "" "the next start has it not"
finish
