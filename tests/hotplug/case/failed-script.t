#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hotplug script of a disk fails. The attach failed: the disk is in no
# answer and in no later start of the guest, and its siblings are.
. "$(dirname "$0")/../lib.sh"

image=$(loop_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$image,xvda,w']"
script_new hp-fails <<< 'fatal "told to fail"'
fails "an attach whose script fails is a failure" \
    ts_attach_disk hp1 xvdb "$(loop_new 8M)" script=hp-fails
says hp1 disk xvdb "absent|failed" "it is not said to be attached"
says hp1 disk xvda attached "its sibling is"
config hp1 "disk xvda $image" "the next start has the sibling alone"
finish
