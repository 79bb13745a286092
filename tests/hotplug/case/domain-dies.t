#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The domain is destroyed while a disk is being attached. The attach fails,
# soon, and leaves nothing behind.
. "$(dirname "$0")/../lib.sh"

file=$(file_new 8M)
need ok "a guest starts" ts_start hp1
domid=$(xl domid hp1)
script_waiting hp-waits
ts_attach_disk hp1 xvdb "$(loop_new 8M)" script=hp-waits \
    > "$work/attach" 2>&1 &
pid=$!
ok "its script runs" within 30 test -e "$work/at"
xl destroy hp1
touch "$work/go"
wait $pid
code=$?
ok "the attach failed" test $code != 0
gone()
{
    ! xenstore-exists "/libxl/$domid" &&
        ! xenstore-exists "/local/domain/$domid" &&
        ! xenstore-exists \
            "/local/domain/0/backend/vbd/$domid/$(xvd b)"
}
ok "nothing of it is in xenstore" within 30 gone
ok "nor in the toolstack's folder" bash -c \
    "! ls /var/lib/xen/userdata-*.$domid.*.libxl-json 2> /dev/null"
finish
