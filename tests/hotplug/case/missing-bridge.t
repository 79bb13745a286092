#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The bridge is not there: its script fails, and so does the attach.
. "$(dirname "$0")/../lib.sh"
mac=00:16:3e:70:00:01

need ok "a guest starts" ts_start hp1
fails "a card on a bridge that is not there is a failure" \
    ts_attach_nic hp1 $mac nosuchbr0
says hp1 nic $mac "absent|failed" "it is not said to be attached"
config hp1 "" "the next start has it not"
finish
