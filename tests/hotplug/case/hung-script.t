#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A hotplug script that never ends (some 40 seconds are given to it): the
# attach ends all the same, and failed.
. "$(dirname "$0")/../lib.sh"
only_with scripts

need ok "a guest starts" ts_start hp1
script_waiting hp-hangs
fails "an attach whose script hangs fails at last" \
    timeout -k 5 170 bash -c "
        $(declare -f ts_attach_disk place xlcfg_here xlcfg_xen virt \
            usual_script 2> /dev/null)
        on=$on disk_bus=xen live=(--live)
        virsh_uri='${virsh_uri:-}' work='$work'
        ts_attach_disk hp1 xvdb '$(image_new 8M)' '$(with_script hp-hangs)'"
touch "$work/go"
says hp1 disk xvdb "absent|failed|attaching" "it is not said to be attached"
config hp1 "" "the next start has it not"
finish
