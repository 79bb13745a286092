#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Addresses outlive the unplug of neighbours, stop and start, save and restore,
# a reboot; and an export, on a host that has forgotten all.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

mac=00:16:3e:00:00:0
disk=$(loop_new 8M)
guests+=(ad1)

# describe N...: the guest with these cards, whose numbers it does not say.
describe()
{
    local nics='[]' n

    for n in "$@"; do
        nics=$(jq -c ". + [{mac: \"$mac$n\", bridge: \"xenbr0\"}]" \
            <<< "$nics")
    done
    jq -n --arg path "$disk" --argjson nics "$nics" '{
        c_info: {type: "pv", name: "ad1",
                 uuid: "11111111-2222-3333-4444-555555555555"},
        b_info: {max_vcpus: 1, max_memkb: 98304, target_memkb: 98304,
                 kernel: "/guest/vmlinux", ramdisk: "/guest/initrd",
                 cmdline: "console=hvc0 quiet", "type.pv": {}},
        disks: [{vdev: "xvda", pdev_path: $path, format: "raw",
                 readwrite: 1}],
        nics: $nics, on_poweroff: "destroy", on_reboot: "restart"}' \
        > "$work/ad1.json"
}

# Which card has which number, by xenstore itself: "0=...:01 2=...:03".
cards()
{
    local domid n
    domid=$(xl domid ad1) || return 1

    for n in $(xenstore-list "/local/domain/0/backend/vif/$domid" | sort -n)
    do
        echo "$n=$(xenstore-read \
            "/local/domain/0/backend/vif/$domid/$n/mac" | tail -c 3)"
    done | xargs
}

book()
{
    xlcfg_xen addresses ad1 -o json |
        jq -c '[.addresses[] | [.key, .held]] | sort'
}

hashes()
{
    xlcfg_xen get ad1 -o json | jq -c '[.complete, .hash, .address_hash]'
}

start()
{
    : > "$(guest_log ad1)"
    need exits 0 "it is made" xlcfg_xen create "$1"
    need ok "it comes up" guest_ready ad1 300
}

# All its cards, and its disk.
connected()
{
    local domid n
    domid=$(xl domid ad1) || return 1

    for n in vif/0 vif/2 vbd/51712; do
        [ "$(xenstore-read "/local/domain/0/backend/${n%/*}/$domid/${n#*/}/state" \
            2> /dev/null)" = 4 ] || return 1
    done
}

stop()
{
    ok "it is ended" xl destroy ad1
    exits 0 "that is recorded" xlcfg_xen list
}

attach()
{
    echo "{\"mac\": \"$mac$1\", \"bridge\": \"xenbr0\"}" > "$work/nic.json"
    exits 0 "a card is attached" xlcfg_xen attach ad1 nic "$work/nic.json"
}

describe 1 2
start "$work/ad1.json"
is "$(cards)" "0=01 1=02" "two cards"
attach 3
is "$(cards)" "0=01 1=02 2=03" "a third"
exits 0 "the second is detached" xlcfg_xen detach ad1 nic/1 --wait=60
is "$(cards)" "0=01 2=03" "the others stay where they are"
attach 4
is "$(cards)" "0=01 2=03 3=04" "a new one is not given its number"
exits 0 "it is detached, its number given up" \
    xlcfg_xen detach ad1 nic/3 --wait=60 --reset-address
kept='[["disk/xvda","device"],["nic/0","device"],["nic/1","kept"],["nic/2","device"]]'
is "$(book)" "$kept" "the book"

stop
describe 3 1
start "$work/ad1.json"
is "$(cards)" "0=01 2=03" "stopped and started, of a file in another order"
is "$(book)" "$kept" "the book, too"
attach 5
is "$(cards)" "0=01 2=03 3=05" "what comes now is not given what is kept"
exits 0 "it goes" xlcfg_xen detach ad1 nic/3 --wait=60 --reset-address
attach 2
is "$(cards)" "0=01 1=02 2=03" "who was away has its own"

# By xl, which knows nothing of the book.
exits 0 "one is away again" xlcfg_xen detach ad1 nic/1 --wait=60
hashes > "$work/hashes"
ok "xl saves it" xl save ad1 "$work/ad1.save"
ok "xl restores it" xl restore "$work/ad1.save"
is "$(cards)" "0=01 2=03" "saved and restored"
is "$(book)" "$kept" "the book, too"
hashes > "$work/now"
same "$work/now" "$work/hashes" "and the hashes"
domid=$(xl domid ad1)
ok "xl reboots it" xl reboot ad1
again()
{
    [ "$(xl domid ad1 2> /dev/null)" -gt "$domid" ] 2> /dev/null &&
        [ "$(cards)" = "0=01 2=03" ]
}
ok "it comes again, its cards where they were" within 300 again
ok "and connects them" within 300 connected
is "$(book)" "$kept" "the book after a reboot"
hashes > "$work/now"
same "$work/now" "$work/hashes" "and the hashes"
attach 2
is "$(cards)" "0=01 1=02 2=03" "who was away has its own again"

# Another host: nothing is known of the guest but the export.
hashes > "$work/hashes"
exits 0 "it is exported" xlcfg_xen export ad1 --ovf --secrets
cp "$work/out" "$work/ad1.ovf"
xlcfg_xen get ad1 --config --secrets | jq -S . > "$work/was"
stop
export XLCFG_STATE_DIR=$work/other
mkdir "$XLCFG_STATE_DIR"
start "$work/ad1.ovf"
xlcfg_xen get ad1 --config --secrets | jq -S . > "$work/now"
same "$work/now" "$work/was" "the configuration"
hashes > "$work/now"
same "$work/now" "$work/hashes" "the hashes"
is "$(cards)" "0=01 1=02 2=03" "the cards"
finish
