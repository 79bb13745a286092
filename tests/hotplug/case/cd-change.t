#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A CD is ejected, and another one put in. What the drive holds is what the
# next start has.
. "$(dirname "$0")/../lib.sh"

one=$(file_new 1M)
two=$(file_new 1M)
need ok "a guest with a CD drive starts" ts_create hp1 'type="hvm"' \
    memory=64 vnc=0 "serial='pty'" \
    "disk=['file:$one,hdc:cdrom,r']"
config hp1 "disk hdc $one" "it has the first CD"
ok "it is ejected" ts_cd hp1 hdc
config hp1 "disk hdc " "the drive is empty"
ok "another one is put in" ts_cd hp1 hdc "$two"
config hp1 "disk hdc $two" "it has the other CD"
finish
