#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk whose unplug was asked for and not answered does not come back when
# the guest is started anew.
. "$(dirname "$0")/../lib.sh"

image=$(image_new 8M)
need ok "a guest starts, deaf for a while" ts_start hp1 \
    "disk=['phy:$image,xvda,w', 'phy:$(image_new 8M),xvdb,w']" -- $deaf
fails "the unplug is no success" ts_detach_disk hp1 xvdb
before=$(guest_life hp1)
ok "the guest reboots" guest_do hp1 "(sleep 1; reboot -f) & true"
comes_back()
{
    local now

    now=$(guest_life hp1 2> /dev/null) && [ "$now" != "$before" ] &&
        disk_is hp1 xvda there && guest_do hp1 true
}
ok "it comes up again" within 180 comes_back
ts_tidy hp1 > "$work/tidy" 2>&1
ok "the disk did not come with it" disk_is hp1 xvdb gone
config hp1 "disk xvda $image" "nor is it in its configuration"
finish
