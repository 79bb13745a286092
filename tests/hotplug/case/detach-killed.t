#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The toolstack is killed while it waits for a paused guest to let go. When
# the guest goes on, the disk leaves, and nobody keeps it.
. "$(dirname "$0")/../lib.sh"

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1 \
    "disk=['phy:$image,xvda,w', 'phy:$(image_new 8M),xvdb,w']"
ok "it is paused" guest_pause hp1
exec_in_place ts_detach_disk hp1 xvdb &
pid=$!
ok "the unplug is asked for" within 15 detach_asked hp1 xvdb
kill_family $pid
wait $pid 2> /dev/null
says hp1 disk xvdb detaching "the disk is on its way out"
ok "the guest goes on" guest_go_on hp1
ok "and lets go" within 30 disk_is hp1 xvdb let-go
ok "what is left is tidied" ts_tidy hp1
says_within 20 hp1 disk xvdb absent "the disk is gone"
config hp1 "disk xvda $image" "the next start has the other alone"
finish
