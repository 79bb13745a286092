#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest without drivers never answers an unplug. It is not done for as long
# as that lasts, and nobody says so.
. "$(dirname "$0")/../lib.sh"

need ok "a guest without drivers starts" ts_start hp1 \
    "disk=['phy:$(image_new 8M),xvdb,w']" -- $deaf
fails "the unplug is no success" ts_detach_disk hp1 xvdb
ok "its backend is still there" disk_is hp1 xvdb there
says hp1 disk xvdb detaching "the disk is on its way out"
sleep 3
says hp1 disk xvdb detaching "and stays so"
finish
