#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk that the toolstack's note has and that nobody ever attached: it is no
# part of the guest.
. "$(dirname "$0")/../lib.sh"
only_with note

image=$(image_new 8M)
need ok "a guest starts" ts_start hp1
ok "a disk is attached" ts_attach_disk hp1 xvdb "$image"
cp "$(guest_template hp1)" "$work/with"
ok "it is detached" ts_detach_disk hp1 xvdb
cp "$work/with" "$(guest_template hp1)"
says hp1 disk xvdb absent "the ghost is not said to be there"
config hp1 "" "the next start has it not"
finish
