#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest of plain xl, after our plugs: xl saves, restores and reboots the
# right guest.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

a=$(loop_new 8M) b=$(loop_new 8M) c=$(loop_new 8M)

# What xl says, what we say, and what is due.
agree()
{
    xl_config pv1 > "$work/theirs"
    is "$(jq -c '[(.disks // [])[].vdev] | sort' "$work/theirs")" \
        '["xvda","xvdc"]' "$1: xl has the right disks"
    exits 0 "$1: get answers" xlcfg_xen get pv1 --config
    same "$work/out" "$work/theirs" "$1: it is what xl says"
    is "$(xlcfg_xen settle pv1 -o json | jq -c '[.steps, .open]')" '[[],[]]' \
        "$1: there is nothing to settle"
}

disk()
{
    echo "{\"vdev\": \"$1\", \"pdev_path\": \"$2\", \"format\": \"raw\",
        \"readwrite\": 1}" > "$work/body.json"
}

need ok "a guest starts" guest_create pv1 \
    "disk=['phy:$a,xvda,w', 'phy:$b,xvdb,w']"
need ok "it comes up" guest_ready pv1 300
exits 0 "xl's disk is detached" xlcfg_xen detach pv1 disk/xvdb --wait=60
disk xvdc "$c"
exits 0 "a disk is attached" xlcfg_xen attach pv1 disk "$work/body.json"
disk xvdd /no/such/image
exits 6 "one that is not there is refused" \
    xlcfg_xen attach pv1 disk "$work/body.json"
agree "plugged"

ok "xl saves it" xl save pv1 "$work/pv1.save"
ok "xl restores it" xl restore "$work/pv1.save"
rm -f "$work/pv1.save"
agree "restored"

# Xen does not log a PV guest's dirty pages on the emulated processor, so that
# this ends at the sender there; the guest has to be right either way.
if xl migrate -s "" pv1 "xl migrate-receive" > "$work/migrate" 2>&1; then
    say "it was migrated to this host"
else
    say "not migrated: $(grep -m 1 '^xc: error' "$work/migrate")"
fi
agree "after a migration"

domid=$(xl domid pv1)
ok "xl reboots it" xl reboot pv1
comes_again()
{
    local now
    # Its configuration is there when it is made, not before.
    now=$(xl domid pv1 2> /dev/null) && [ "$now" != "$domid" ] &&
        xl_config pv1 2> /dev/null | grep -q c_info
}
ok "it comes again" within 300 comes_again
agree "rebooted"

xl config-update pv1 "$work/pv1.cfg" > "$work/update" 2>&1
ok "xl takes a new configuration" [ $? = 0 ]
exits 0 "a disk is detached after that" \
    xlcfg_xen detach pv1 disk/xvdc --wait=300
finish
