#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk that the guest runs with, and that the toolstack's own note does not
# have (a toolstack was killed between two writes, or another one attached it):
# it is part of the guest.
. "$(dirname "$0")/../lib.sh"
only_with note

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1
cp "$(guest_template hp1)" "$work/before"
ok "a disk is attached" ts_attach_disk hp1 xvdb "$image"
ok "it connects" within 20 disk_is hp1 xvdb connected
cp "$work/before" "$(guest_template hp1)"
says hp1 disk xvdb "attached|foreign" "it is still known"
config hp1 "disk xvdb $image" "the next start has it"
finish
