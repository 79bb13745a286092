#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An unmodified xl with libxlcfg-libxl.so before it: the guest it lists and
# saves is the one that runs, where plain xl's is another.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg
facade=/run/xlcfg/lib/libxlcfg-libxl.so

with_facade()
{
    LD_PRELOAD=$facade "$@"
}

vdevs()
{
    jq -c '[(.disks // [])[].vdev]'
}

# What a saved guest is to be made of again: the JSON in the file's head.
saved_config()
{
    python3 - "$1" << 'END'
import sys
data = open(sys.argv[1], "rb").read(1 << 20)
start = data.index(b'{\n')
print(data[start:data.index(b'\0', start)].decode())
END
}

a=$(loop_new 8M)
b=$(loop_new 8M)
need ok "a guest starts" guest_start pv1 "disk=['phy:$a,xvda,w']" \
    "vif=['mac=00:16:3e:00:00:01']"
xl list -l pv1 > "$work/theirs"
exits 0 "with the facade, xl lists it" with_facade xl list -l pv1
is "$(cat "$work/out")" "$(cat "$work/theirs")" \
    "a healthy guest is listed byte by byte as by xl alone"
is "$(cat "$work/err")" "" "and nothing is said"
# One KiB of dom0's memory is what plain xl loses.
xl list -l | jq '.[0].config.b_info.target_memkb = .[0].config.b_info.max_memkb' \
    > "$work/theirs"
exits 0 "with the facade, xl lists all there is" with_facade xl list -l
same "$work/out" "$work/theirs" "dom0 among it"

script_new xv-fails <<< 'fatal "told to fail"'
exits 1 "an attach fails" xl block-attach pv1 \
    "vdev=xvdb,script=xv-fails,target=$b"
is "$(xl_config pv1 | vdevs)" '["xvda","xvdb"]' "xl alone lists its disk"
with_facade xl list -l pv1 | jq '.[0].config' > "$work/ours"
is "$(vdevs < "$work/ours")" '["xvda"]' "with the facade it does not"
xl_config pv1 | jq 'del(.disks[] | select(.vdev == "xvdb"))' > "$work/due"
same "$work/ours" "$work/due" "and agrees in all else"

save=$work/pv1.save
# -c: the guest goes on, for xl alone to save it too
exits 0 "xl alone saves it" xl save -c pv1 "$work/plain.save"
is "$(saved_config "$work/plain.save" | vdevs)" '["xvda","xvdb"]' \
    "with the disk that it has not"
rm "$work/plain.save"
exits 0 "with the facade xl saves it" with_facade xl save pv1 "$save"
is "$(saved_config "$save" | vdevs)" '["xvda"]' "without it"
exits 0 "it is restored" xl restore "$save"
ok "and is alive" within 120 guest_do pv1 true
is "$(xl_config pv1 | vdevs)" '["xvda"]' "with the disk it has"
rm "$save"
finish
