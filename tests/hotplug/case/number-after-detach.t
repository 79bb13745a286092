#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A card that left makes room; those that stay keep their numbers.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1 \
    "vif=['mac=00:16:3e:70:00:01,bridge=$bridge',
          'mac=00:16:3e:70:00:02,bridge=$bridge']"
devid=$(nic_number hp1 00:16:3e:70:00:02)
ok "the first card is detached" ts_detach_nic hp1 00:16:3e:70:00:01
ok "another one is attached" \
    ts_attach_nic hp1 00:16:3e:70:00:03 "$bridge"
is "$(nic_number hp1 00:16:3e:70:00:02)" "$devid" \
    "the one that stayed has its number"
config hp1 "nic 00:16:3e:70:00:02
nic 00:16:3e:70:00:03" "the next start has these two"
finish
