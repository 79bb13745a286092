#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# xlcfg killed at random moments of a plug, in a real dom0: settle ends it.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

seed=${XLCFG_CRASH_SEED:-$RANDOM}
note "seed $seed (XLCFG_CRASH_SEED)"
RANDOM=$seed

settled()
{
    xlcfg_xen settle pv1
}

nodes()
{
    xenstore-ls -f "/libxl/$id/device/$1" 2> /dev/null |
        grep -c "/$2/backend = "
}

listed() # ARRAY FILTER: by the template, by xl
{
    template_json pv1 | jq -c "[(.$1 // [])[] | $2] | length"
    xl_config pv1 2> /dev/null | jq -c "[(.$1 // [])[] | $2] | length"
}

# One plug, killed after a while; then all or nothing, wherever one looks.
killed() # OP KEY KIND FRONT DEVID ARRAY FILTER
{
    local pause="0.$((RANDOM % 10))$((RANDOM % 10))" text state

    if [ "$1" = attach ]; then
        xlcfg_xen attach pv1 "$3" "$work/$3.json" > /dev/null 2>&1 &
    else
        xlcfg_xen detach pv1 "$2" > /dev/null 2>&1 &
    fi
    sleep "$pause"
    kill -KILL $! 2> /dev/null
    wait $! 2> /dev/null
    text="$1 of $2, killed after $pause s"
    exits 0 "$text: get answers" xlcfg_xen get pv1
    ok "$text: settled" within 90 settled
    exits 0 "$text: settled again" xlcfg_xen settle pv1 -o json
    holds "$work/out" "$text: which did nothing" '.steps == []'
    xlcfg_xen devices pv1 -o json > "$work/devices"
    state=$(jq -r --arg k "$2" \
        '[.devices[] | select(.key == $k and .state != "detached")]
         | .[0].state // "none"' "$work/devices")
    case $state in
    attached)
        is "$(nodes "$4" "$5") $(listed "$6" "$7" | tr '\n' ' ')" "1 1 1 " \
            "$text: attached, for xenstore, the template and xl too"
        exits 0 "$text: it can be unplugged" \
            xlcfg_xen detach pv1 "$2" --wait=60 ;;
    none)
        is "$(nodes "$4" "$5") $(listed "$6" "$7" | tr '\n' ' ')" "0 0 0 " \
            "$text: gone, for xenstore, the template and xl too" ;;
    *)
        is "$state" "attached or none" "$text: its state" ;;
    esac
}

need ok "a guest starts" guest_start pv1
id=$(xl domid pv1)
loop=$(loop_new 8M)
jq -n --arg path "$loop" '{pdev_path: $path, vdev: "xvda", format: "raw",
    readwrite: 1}' > "$work/disk.json"
echo '{"devid": 0, "mac": "00:16:3e:00:00:02", "bridge": "xenbr0"}' \
    > "$work/nic.json"
disk=(disk/xvda disk vbd 51712 disks 'select(.vdev == "xvda")')
nic=(nic/0 nic vif 0 nics 'select((.devid // 0) == 0)')

for round in 1 2; do
    killed attach "${disk[@]}"
    exits 0 "round $round: the disk is attached" \
        xlcfg_xen attach pv1 disk "$work/disk.json"
    killed detach "${disk[@]}"
    killed attach "${nic[@]}"
    exits 0 "round $round: the network card is attached" \
        xlcfg_xen attach pv1 nic "$work/nic.json"
    killed detach "${nic[@]}"
done
finish
