#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest with a failed attach behind it reboots: it comes up again with the
# devices it had.
. "$(dirname "$0")/../lib.sh"

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$image,xvda,w']"
disk_that_fails
fails "an attach that fails late is a failure" \
    ts_attach_disk hp1 xvdb "${disk[@]}"
before=$(guest_life hp1)
ok "the guest reboots" ts_reboot hp1
comes_back()
{
    local now

    now=$(guest_life hp1 2> /dev/null) && [ "$now" != "$before" ] &&
        disk_is hp1 xvda connected
}
ok "it comes up again" within 180 comes_back
config hp1 "disk xvda $image" "it has what it had, and no more"
finish
