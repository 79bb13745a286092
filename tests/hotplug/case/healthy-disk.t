#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk comes and goes while the guest runs. The ground of all the rest.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
image=$(image_new 8M)
ok "a disk is attached" ts_attach_disk hp1 xvdb "$image"
ok "its backend connects" within 20 disk_is hp1 xvdb connected
ok "the guest has it" in_guest hp1 xvdb
says hp1 disk xvdb attached
config hp1 "disk xvdb $image" "the next start has it too"
ok "it is detached" ts_detach_disk hp1 xvdb
ok "its backend is gone" within 20 disk_is hp1 xvdb gone
ok "the guest has it no more" not_in_guest hp1 xvdb
says hp1 disk xvdb absent
config hp1 "" "the next start has it not"
finish
