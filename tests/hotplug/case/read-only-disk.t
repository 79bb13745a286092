#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk that is attached for reading can only be read.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
ok "a disk is attached for reading" \
    ts_attach_disk hp1 xvdb "$(image_new 8M)" ro
ok "its backend connects" within 20 disk_is hp1 xvdb connected
is "$(guest_disk hp1 xvdb ro)" 1 "the guest cannot write it"
finish
