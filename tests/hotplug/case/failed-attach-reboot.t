#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest with a failed attach behind it reboots: it comes up again with the
# devices it had.
. "$(dirname "$0")/../lib.sh"

image=$(loop_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$image,xvda,w']"
script_new hp-fails <<< 'fatal "told to fail"'
fails "an attach whose script fails is a failure" \
    ts_attach_disk hp1 xvdb "$(loop_new 8M)" script=hp-fails
before=$(xl domid hp1)
ok "the guest reboots" ts_reboot hp1
comes_back()
{
    local now

    now=$(xl domid hp1 2> /dev/null) && [ "$now" != "$before" ] &&
        disk_state_is hp1 xvda 4
}
ok "it comes up again" within 60 comes_back
config hp1 "disk xvda $image" "it has what it had, and no more"
finish
