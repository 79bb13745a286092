#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# xlcfg makes a PVH guest of what xl understands an xl configuration as.
guest=pvh1
settings=('type="pvh"' memory=128)
. /mnt/src/tests/xen-vm/made.sh
