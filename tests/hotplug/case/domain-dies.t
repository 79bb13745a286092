#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The domain is destroyed while a disk is being attached. The attach fails,
# soon, and leaves nothing behind.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
life=$(guest_life hp1)
disk_that_waits hp1
ts_attach_disk hp1 xvdb "${disk[@]}" > "$work/attach" 2>&1 &
pid=$!
ok "it is half way" within 30 disk_waits
guest_kill hp1
disk_goes_on
wait $pid
code=$?
ok "the attach failed" test $code != 0
ok "nothing of it is left" within 30 nothing_left "$life"
ok "nor in the toolstack's folder" within 5 no_files_left "$life"
finish
