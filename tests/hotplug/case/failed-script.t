#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An attach fails when most of it is done: on Xen the hotplug script of the
# disk does. The disk is in no answer and in no later start of the guest, and
# its siblings are.
. "$(dirname "$0")/../lib.sh"

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$image,xvda,w']"
disk_that_fails
fails "an attach that fails late is a failure" \
    ts_attach_disk hp1 xvdb "${disk[@]}"
says hp1 disk xvdb "absent|failed" "it is not said to be attached"
says hp1 disk xvda attached "its sibling is"
config hp1 "disk xvda $image" "the next start has the sibling alone"
finish
