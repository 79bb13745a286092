#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# xlcfg makes an HVM guest, with a device model of its own.
guest=hvm1
settings=('type="hvm"' memory=160 vnc=0 'vga="none"'
    "serial='pty'")
from_disk=yes
. /mnt/src/tests/xen-vm/made.sh
