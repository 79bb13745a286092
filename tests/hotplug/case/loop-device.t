#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk in a file takes a loop device, and gives it back: after its unplug,
# and after an attach that failed when it already had one.
. "$(dirname "$0")/../lib.sh"
only_with loops

file=$(file_new 8M)
need ok "a guest starts" ts_start hp1
ok "a file is attached" ts_attach_disk hp1 xvdb "$file"
ok "a loop device is behind it" looped "$file"
ok "it connects" within 20 disk_is hp1 xvdb connected
ok "it is detached" ts_detach_disk hp1 xvdb
given_back()
{
    ! looped "$1"
}
ok "the loop device is given back" within 20 given_back "$file"
ok "it is attached again" ts_attach_disk hp1 xvdb "$file"
ok "the domain ends" ts_end hp1
ok "the loop device is given back again" within 20 given_back "$file"
finish
