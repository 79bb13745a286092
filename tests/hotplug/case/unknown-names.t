#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A domain or a device that is not there: a failure, and nothing changes.
. "$(dirname "$0")/../lib.sh"

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$image,xvda,w']"
fails "no such domain" ts_attach_disk hp9 xvdb "$(image_new 8M)"
fails "no such domain to detach from" ts_detach_disk hp9 xvdb
fails "no such disk" ts_detach_disk hp1 xvdq
fails "no such card" ts_detach_nic hp1 00:16:3e:70:00:09
config hp1 "disk xvda $image" "all is as it was"
finish
