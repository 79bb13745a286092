#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was plugged while the guest ran is there after a reboot, and what was
# unplugged is not.
. "$(dirname "$0")/../lib.sh"

first=$(image_new 8M)
image=$(image_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$first,xvda,w']"
ok "a disk is attached" ts_attach_disk hp1 xvdb "$image"
ok "it connects" within 20 disk_is hp1 xvdb connected
ok "the first one is detached" ts_detach_disk hp1 xvda
before=$(guest_life hp1)
ok "the guest reboots" guest_do hp1 "(sleep 1; reboot -f) & true"
comes_back()
{
    local now

    now=$(guest_life hp1 2> /dev/null) && [ "$now" != "$before" ] &&
        disk_is hp1 xvdb connected
}
ok "it comes up again, with the disk" within 180 comes_back
config hp1 "disk xvdb $image" "and with no other"
finish
