#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A card that failed has left its number taken. The next one is not confused
# with it.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
fails "a card on a bridge that is not there is a failure" \
    ts_attach_nic hp1 00:16:3e:70:00:01 nosuchbr0
ok "another card is attached" \
    ts_attach_nic hp1 00:16:3e:70:00:02 "$bridge"
says hp1 nic 00:16:3e:70:00:02 attached "it is attached"
config hp1 "nic 00:16:3e:70:00:02" "the next start has that one alone"
finish
