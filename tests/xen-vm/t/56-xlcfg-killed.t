#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A sample of the crash matrix in a real dom0: xlcfg and its libxl are killed
# (-9) before a call that changes something, counted by tests/crash/killer.c.
# Whatever call that is: get answers, settle ends it, a second settle has
# nothing to do, the next plug works, and nothing is left over. What cannot be
# said beforehand, how far it had come, is not asked.
#
# XLCFG_KILLS: kills per attach and detach of each kind, evenly spread.
. /mnt/src/tests/xen-vm/killing.sh
kills=${XLCFG_KILLS:-1}

# do_plug attach|detach KIND: and what it says it did is so.
do_plug()
{
    case $1 in
    attach) xlcfg_xen attach pv1 "$2" "$work/$2.json" ;;
    detach) xlcfg_xen detach pv1 "${key[$2]}" --wait=120 ;;
    esac
}

watched_plug()
{
    local words=(attach pv1 "$2" "$work/$2.json")

    [ "$1" = attach ] || words=(detach pv1 "${key[$2]}" --wait=120)
    watched "${words[@]}"
}

# everywhere KIND: is it there? "yes" or "no" of xenstore, of the template,
# and of what plain xl says.
everywhere()
{
    local yes=no

    ! xenstore-exists "/libxl/$id/device/${node[$1]}" || yes=yes
    echo -n "$yes "
    template_json pv1 | jq -r "if ${filter[$1]} then \"yes\" else \"no\" end" |
        tr '\n' ' '
    xl_config pv1 2> /dev/null |
        jq -r "if ${filter[$1]} then \"yes\" else \"no\" end"
}

# What there is of the guest, and what was taken for it.
left()
{
    {
        xenstore-ls -f "/libxl/$id"
        xenstore-ls -f /local/domain/0/backend
        xenstore-ls -f "/local/domain/$id/device"
    } 2> /dev/null | sed 's/ = .*//'
    losetup -n -O BACK-FILE
    ls /sys/class/net
    find /var/lib/xen -type f ! -name '*lock'
    find "$XLCFG_STATE_DIR" -type f ! -name 'state.*'
}

state_of()
{
    jq -r --arg key "$1" '[.devices[] | select(.key == $key and
        .state != "detached") | .state][0] // "absent"' "$work/out"
}

# killed OP KIND N: and all that must hold after it.
killed()
{
    local text="$1 $2, killed at call $3" state other=attach

    order "$3"
    watched_plug "$1" "$2" > "$work/said" 2>&1
    say "$text: $(noted label)"
    ok "$text: its script ends" within 120 scripts_ended
    exits 0 "$text: get answers" xlcfg_xen get pv1 -o json
    holds "$work/out" "$text: it knows all" '.complete and .unknown == []'
    ok "$text: settle ends it" within 300 xlcfg_xen settle pv1
    exits 0 "$text: a second settle" xlcfg_xen settle pv1 -o json
    holds "$work/out" "$text: had nothing to do" '.steps == []'
    exits 0 "$text: devices answers" xlcfg_xen devices pv1 -o json
    state=$(state_of "${key[$2]}")
    case $state in
    attached)
        other=detach
        is "$(everywhere "$2")" "yes yes yes" "$text: it is there" ;;
    *)
        is "$state" absent "$text: it is not there"
        is "$(everywhere "$2")" "no no no" "$text: nowhere" ;;
    esac
    exits 0 "$text: the next plug works" do_plug $other "$2"
}

need ok "a guest starts" guest_start pv1 "disk=['phy:$(loop_new 8M),xvdz,w']"
id=$(xl domid pv1)
jq -n --arg path "$(file_new 8M)" '{pdev_path: $path, vdev: "xvda",
    format: "raw", readwrite: 1, backend: "phy"}' > "$work/disk.json"
echo '{"devid": 0, "mac": "00:16:3e:00:00:02", "bridge": "xenbr0"}' \
    > "$work/nic.json"
declare -A key=([disk]=disk/xvda [nic]=nic/0) \
    node=([disk]=vbd/$(xvd a) [nic]=vif/0) \
    filter=([disk]='any((.disks // [])[]; .vdev == "xvda")'
            [nic]='(.nics // []) != []')

for kind in disk nic; do
    for op in attach detach; do
        order 0
        exits 0 "$op $kind: it works" watched_plug $op $kind
        declare "calls_$op=$(noted count)"
    done
    say "$kind: attach $calls_attach calls, detach $calls_detach"
    left > "$work/left.before"
    for op in attach detach; do
        calls=calls_$op
        for ((i = 1; i <= kills; i++)); do
            # the state that this one begins with
            [ "$op $(everywhere $kind)" != "detach no no no" ] ||
                exits 0 "it is attached" do_plug attach $kind
            [ "$op $(everywhere $kind)" != "attach yes yes yes" ] ||
                exits 0 "it is detached" do_plug detach $kind
            killed $op $kind $((${!calls} * i / (kills + 1)))
        done
    done
    [ "$(everywhere $kind)" = "no no no" ] ||
        exits 0 "it is detached" do_plug detach $kind
    left > "$work/left.after"
    is "$(cat "$work/left.after")" "$(cat "$work/left.before")" \
        "$kind: nothing is left over"
done
ok "the guest is as it was" guest_do pv1 test -b /dev/xvdz
finish
