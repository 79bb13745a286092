#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# xlcfg and its libxl are killed (-9) in the middle of a create, evenly spread
# over the calls that change something. settle says what it would do, and
# does it: what never ran is destroyed, with all that it had taken; what runs
# is kept. The next create then finds the name and the uuid free.
#
# XLCFG_KILLS: kills in all.
. /mnt/src/tests/xen-vm/killing.sh
kills=${XLCFG_KILLS:-3}
image=$(loop_new 8M)
destroyed=0

domids()
{
    xl list | awk 'NR > 1 { print $2 }' | sort -n | tr '\n' ' '
}

# What there is on this host, whoever has it; not what is always there.
all_there()
{
    {
        xenstore-ls -f /libxl
        xenstore-ls -f /local/domain
        xenstore-ls -f /vm
    } 2> /dev/null | sed 's/ = .*//'
    losetup -n -O BACK-FILE
    ls /sys/class/net
    find /var/lib/xen -type f
    find "$XLCFG_STATE_DIR" -type f ! -name 'state.*' ! -name 'intent-*'
}

none_dying()
{
    [ "$(domids)" = "0 " ]
}

nothing_of_it()
{
    ok "$1: nothing runs but dom0" within 120 none_dying
    all_there > "$work/now"
    is "$(cat "$work/now")" "$(cat "$work/before")" \
        "$1: nothing is left over"
}

# killed N: at call N, and all that must hold after it.
killed()
{
    local text="killed at call $1" before

    order "$1"
    watched create "$work/c1.json" > "$work/said" 2>&1
    say "$text: $(noted label)"
    ok "$text: its scripts end" within 120 scripts_ended
    before=$(domids)
    exits 0 "$text: settle says what it would do" \
        xlcfg_xen settle --dry-run
    note < "$work/out"
    ! grep -q 'destroy it' "$work/out" || destroyed=$((destroyed + 1))
    is "$(domids)" "$before" "$text: and does not do it"
    exits 0 "$text: settle ends it" xlcfg_xen settle
    exits 0 "$text: a second settle" xlcfg_xen settle -o json
    holds "$work/out" "$text: had nothing to do" '.steps == []'
    if xl domid c1 > /dev/null 2>&1; then
        ok "$text: it runs" guest_ready c1
        ok "$text: its end" xl destroy c1
    fi
    nothing_of_it "$text"
}

guests+=(c1)
: > "$(guest_log c1)"
guest_config c1 "disk=['phy:$image,xvda,w']" > "$work/c1.cfg"
need exits 0 "xl puts it into JSON" xl create --dryrun "$work/c1.cfg"
sed -n '/^{/,$p' "$work/out" | jq '.config // .' > "$work/c1.json"
order 0
need exits 0 "it is made" watched create "$work/c1.json"
calls=$(noted count)
say "$calls calls"
ok "it comes up" guest_ready c1
ok "it is ended" xl destroy c1
ok "nothing else runs" within 120 none_dying
# What stays of a domain that ended is no business of this test.
all_there > "$work/before"
for ((i = 1; i <= kills; i++)); do
    killed $((calls * i / (kills + 1)))
done
ok "some of them had not run yet" test $destroyed -gt 0
: > "$(guest_log c1)"
exits 0 "the next one is made" xlcfg_xen create "$work/c1.json"
ok "and comes up" guest_ready c1
finish
