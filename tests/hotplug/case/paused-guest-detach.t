#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A paused guest cannot let go of its disk. Its unplug is neither done nor
# can it be taken for not asked for: it ends when the guest goes on.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1 \
    "disk=['phy:$(image_new 8M),xvda,w', 'phy:$(image_new 8M),xvdb,w']"
ok "it is paused" guest_pause hp1
fails "the unplug is no success" ts_detach_disk hp1 xvdb
says hp1 disk xvdb "detaching" "the disk is on its way out"
says hp1 disk xvda attached "the other one is not"
ok "the guest goes on" guest_go_on hp1
ok "and lets go" within 30 disk_is hp1 xvdb let-go
ok "what is left is tidied" ts_tidy hp1
says_within 20 hp1 disk xvdb absent "the disk is gone"
ok "with its backend" within 20 disk_is hp1 xvdb gone
finish
