#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two cards attached at the same time get numbers of their own.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
ts_attach_nic hp1 00:16:3e:70:00:01 "$bridge" > "$work/one" 2>&1 &
first=$!
ts_attach_nic hp1 00:16:3e:70:00:02 "$bridge" > "$work/two" 2>&1 &
second=$!
ok "one is attached" wait $first
ok "the other is attached" wait $second
is "$(nics hp1 | cut -d ' ' -f 2 | sort | tr '\n' ' ')" \
    "00:16:3e:70:00:01 00:16:3e:70:00:02 " "both are there"
config hp1 "nic 00:16:3e:70:00:01
nic 00:16:3e:70:00:02" "both are known"
finish
