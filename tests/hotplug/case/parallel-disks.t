#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two disks attached at the same time are both there, and both are known.
. "$(dirname "$0")/../lib.sh"

one=$(image_new 8M)
two=$(image_new 8M)
need ok "a guest starts" ts_start hp1
ts_attach_disk hp1 xvdb "$one" > "$work/one" 2>&1 &
first=$!
ts_attach_disk hp1 xvdc "$two" > "$work/two" 2>&1 &
second=$!
ok "one is attached" wait $first
ok "the other is attached" wait $second
ok "the one connects" within 20 disk_is hp1 xvdb connected
ok "the other connects" within 20 disk_is hp1 xvdc connected
config hp1 "disk xvdb $one
disk xvdc $two" "both are known"
finish
