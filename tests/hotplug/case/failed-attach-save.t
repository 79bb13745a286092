#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest with a failed attach behind it is saved and restored: it comes back
# with the devices it had.
. "$(dirname "$0")/../lib.sh"

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$image,xvda,w']"
disk_that_fails
fails "an attach that fails late is a failure" \
    ts_attach_disk hp1 xvdb "${disk[@]}"
ok "the guest is saved" ts_save hp1 "$work/hp1.save"
ok "it is restored" ts_restore "$work/hp1.save"
ok "its disk connects" within 30 disk_is hp1 xvda connected
config hp1 "disk xvda $image" "it has what it had, and no more"
finish
