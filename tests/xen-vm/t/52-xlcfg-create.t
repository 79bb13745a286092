#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# xlcfg makes a guest, and somebody acts on its end.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

guests+=(made)
: > "$(guest_log made)"
jq -n --arg path "$(loop_new 8M)" '{
    c_info: {type: "pv", name: "made"},
    b_info: {max_vcpus: 1, max_memkb: 98304, target_memkb: 98304,
             kernel: "/guest/vmlinux", ramdisk: "/guest/initrd",
             cmdline: "console=hvc0 quiet", "type.pv": {}},
    disks: [{vdev: "xvda", pdev_path: $path, format: "raw", readwrite: 1}],
    on_poweroff: "destroy", on_reboot: "restart"}' > "$work/made.json"

domains()
{
    xl list | tail -n +2 | wc -l
}

# fails WORDS FILTER: a creation that fails says so and leaves nothing.
fails()
{
    jq ".c_info.name = \"bad\" | $2" "$work/made.json" > "$work/bad.json"
    exits "$3" "$1: not made" xlcfg_xen create "$work/bad.json"
    ok "it is said" grep -q "$1" "$work/err"
    is "$(domains)" 1 "nothing of it is left"
}

fails "/b_info/max_vcpu:" '.b_info.max_vcpu = 1' 2
fails "no/such/kernel" '.b_info.kernel = "/no/such/kernel"' 6
fails "MiB are free" '.b_info.max_memkb = 98304000 |
    .b_info.target_memkb = 98304000' 6
fails "no/such/disk" '.disks[0].pdev_path = "/no/such/disk"' 6

need exits 0 "it is made" xlcfg_xen create "$work/made.json"
need ok "it comes up" guest_ready made 300
ok "it has its disk" guest_do made test -b /dev/xvda
xl_config made > "$work/theirs"
exits 0 "get answers" xlcfg_xen get made --config
same "$work/out" "$work/theirs" "it is what xl list -l says"
exits 6 "another of that name is refused" \
    xlcfg_xen create "$work/made.json"

ok "xl saves it" xl save made "$work/made.save"
ok "xl restores it" xl restore "$work/made.save"
ok "it is ended" xl destroy made

exits 0 "it is made again" xlcfg_xen create "$work/made.json"
need ok "it comes up again" guest_ready made 300
domid=$(xl domid made)
: > "$(guest_log made)"
ok "xl reboots it" xl reboot made
comes_again()
{
    local now
    # Its configuration is there when it is made, not before.
    now=$(xl domid made 2> /dev/null) && [ "$now" != "$domid" ] &&
        xl_config made 2> /dev/null | grep -q c_info
}
ok "it comes again, by itself" within 300 comes_again
is "$(xl_config made | jq -c '[.disks[].vdev]')" '["xvda"]' \
    "with what it had"
# One that has not come up has nobody yet who takes a request.
need ok "it is up" guest_ready made 300
ok "xl shuts it down" timeout 300 xl shutdown -F -w made
ended()
{
    ! xl domid made > /dev/null 2>&1
}
ok "it is destroyed, as it says" within 120 ended
finish
