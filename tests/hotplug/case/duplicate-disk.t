#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A second disk at the same place is refused, and the first one stays what it
# was.
. "$(dirname "$0")/../lib.sh"

first=$(image_new 8M)
need ok "a guest starts" ts_start hp1 "disk=['phy:$first,xvdb,w']"
fails "a second disk at the same place is refused" \
    ts_attach_disk hp1 xvdb "$(image_new 16M)"
says hp1 disk xvdb attached
config hp1 "disk xvdb $first" "the next start has the first one"
is "$(guest_disk hp1 xvdb size)" 16384 "and so has the guest"
finish
