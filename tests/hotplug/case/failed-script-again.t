#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# After a failed attach, and what the toolstack has for tidying up, the same
# place takes a good disk.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
disk_that_fails
fails "an attach that fails late is a failure" \
    ts_attach_disk hp1 xvdb "${disk[@]}"
ok "what is left is tidied" ts_tidy hp1
image=$(image_new 8M)
ok "a good disk takes its place" ts_attach_disk hp1 xvdb "$image"
ok "its backend connects" within 20 disk_is hp1 xvdb connected
says hp1 disk xvdb attached
config hp1 "disk xvdb $image" "the next start has the good one"
finish
