#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# One card's entry in xenstore is broken. The others are there, and are said
# to be.
. "$(dirname "$0")/../lib.sh"
only_with xenstore

need ok "a guest starts" ts_start hp1 \
    "vif=['mac=00:16:3e:70:00:01,bridge=$bridge',
          'mac=00:16:3e:70:00:02,bridge=$bridge']"
domid=$(guest_life hp1)
xenstore-rm "/libxl/$domid/device/vif/0/backend"
says hp1 nic 00:16:3e:70:00:02 attached "the other card is still attached"
ok "the next start has it" bash -c \
    "grep -qx 'nic 00:16:3e:70:00:02' <<< '$(ts_config hp1)'"
finish
