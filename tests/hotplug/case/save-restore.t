#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was plugged while the guest ran is there after save and restore.
. "$(dirname "$0")/../lib.sh"
mac=00:16:3e:70:00:01

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1
ok "a disk is attached" ts_attach_disk hp1 xvdb "$image"
ok "a card is attached" ts_attach_nic hp1 $mac "$bridge"
ok "the disk connects" within 20 disk_is hp1 xvdb connected
ok "the guest is saved" ts_save hp1 "$work/hp1.save"
ok "it is restored" ts_restore "$work/hp1.save"
ok "the disk connects again" within 30 disk_is hp1 xvdb connected
config hp1 "disk xvdb $image
nic $mac" "it has both"
finish
