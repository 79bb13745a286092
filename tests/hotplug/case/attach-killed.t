#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The toolstack is killed while the hotplug script runs. The disk is not
# attached; after tidying up the place takes another.
. "$(dirname "$0")/../lib.sh"
only_with scripts

need ok "a guest starts" ts_start hp1
script_waiting hp-waits
cut_short ts_attach_disk hp1 xvdb "$(image_new 8M)" "$(with_script hp-waits)"
ok "it was killed while its script ran" test -e "$work/go"
says hp1 disk xvdb "absent|failed|attaching" "it is not said to be attached"
ok "what is left is tidied" ts_tidy hp1
image=$(image_new 8M)
ok "a good disk takes its place" ts_attach_disk hp1 xvdb "$image"
config hp1 "disk xvdb $image" "the next start has the good one"
finish
