#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A hotplug script ends without having said anything. Nobody can call that
# disk attached.
. "$(dirname "$0")/../lib.sh"
only_with scripts

need ok "a guest starts" ts_start hp1
script_new hp-dies <<< 'trap - ERR; exit 1'
fails "an attach whose script just ends is a failure" \
    ts_attach_disk hp1 xvdb "$(image_new 8M)" "$(with_script hp-dies)"
says hp1 disk xvdb "absent|failed|attaching" "it is not said to be attached"
config hp1 "" "the next start has it not"
finish
