#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk is asked for with a hotplug script of its own. Where that cannot be
# had, the attach is refused: a disk without it is not what was asked for.
. "$(dirname "$0")/../lib.sh"

need ok "a guest starts" ts_start hp1
image=$(image_new 8M)
if [ -z "$(lacks script-words)" ]; then
    script_new hp-heeded <<< "touch $work/ran
exec /etc/xen/scripts/block add"
    ok "a disk with a script is attached" \
        ts_attach_disk hp1 xvdb "$image" script=hp-heeded
    ok "its script ran" test -e "$work/ran"
else
    fails "a disk with a script is refused" \
        ts_attach_disk hp1 xvdb "$image" script=hp-heeded
    says hp1 disk xvdb absent
    config hp1 "" "the next start has it not"
fi
finish
