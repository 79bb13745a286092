#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest with a failed attach behind it is saved and restored: it comes back
# with the devices it had.
. "$(dirname "$0")/../lib.sh"

image=$(loop_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$image,xvda,w']"
script_new hp-fails <<< 'fatal "told to fail"'
fails "an attach whose script fails is a failure" \
    ts_attach_disk hp1 xvdb "$(loop_new 8M)" script=hp-fails
ok "the guest is saved" ts_save hp1 "$work/hp1.save"
ok "it is restored" ts_restore "$work/hp1.save"
ok "its disk connects" within 30 disk_state_is hp1 xvda 4
config hp1 "disk xvda $image" "it has what it had, and no more"
finish
