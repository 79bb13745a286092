#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The image is not there. Nothing of the attach is left, neither in what the
# toolstack says nor on the host.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
fails "a disk without an image is refused" \
    ts_attach_disk hp1 xvdb /dev/no-such-image
says hp1 disk xvdb absent
config hp1 "" "the next start has it not"
ok "its backend is not there" disk_is hp1 xvdb gone
image=$(image_new 8M)
ok "a good disk takes its place" ts_attach_disk hp1 xvdb "$image"
says hp1 disk xvdb attached
finish
