#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An unmodified xl with libxlcfg-libxl.so before it makes guests, and stays to
# reboot them: what comes again has what was plugged, and neither what failed
# nor what the guest was losing.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg
facade=/run/xlcfg/lib/libxlcfg-libxl.so

# devices NAME: its disks, and how many network cards.
devices()
{
    xl_config "$1" 2> /dev/null | jq -rc '"\([(.disks // [])[].vdev]) " +
        "\((.nics // []) | length)"'
}

# again NAME DOMID: it runs under another number, and is up.
again()
{
    local now

    now=$(xl domid "$1" 2> /dev/null) && [ "$now" != "$2" ] &&
        grep -q 'guest: ready' "$(guest_log "$1")" &&
        xl_config "$1" > /dev/null
}

start()
{
    LD_PRELOAD=$facade guest_start "$@"
}

need ok "a guest starts" start pv1 "vif=['mac=00:16:3e:00:00:01']"
ok "a disk is attached" xl block-attach pv1 "phy:$(loop_new 8M),xvdc,w"
ok "the guest has it" within 60 guest_do pv1 test -b /dev/xvdc
ok "its network card is detached" xl network-detach pv1 0
script_new xv-fails <<< 'fatal "told to fail"'
exits 1 "the attach of another disk fails" xl block-attach pv1 \
    "vdev=xvdd,script=xv-fails,target=$(loop_new 8M)"
is "$(devices pv1)" '["xvdc","xvdd"] 0' "xl alone lists that disk"
domid=$(xl domid pv1)
: > "$(guest_log pv1)"
ok "the guest is rebooted" xl reboot pv1
ok "it comes again" within 300 again pv1 "$domid"
is "$(devices pv1)" '["xvdc"] 0' "with what it had"
ok "the guest has what was plugged" within 60 guest_do pv1 test -b /dev/xvdc
ok "and has not what failed" guest_do pv1 "! test -e /dev/xvdd"
ok "it is ended" xl destroy pv1

need ok "a guest without frontends starts" start pv2 \
    "disk=['phy:$(loop_new 8M),xvdb,w']" -- g.nofront
exits 1 "it does not let go of a disk" xl block-detach pv2 xvdb
domid=$(xl domid pv2)
: > "$(guest_log pv2)"
ok "it reboots" guest_do pv2 "(sleep 2; reboot -f) & true"
ok "it comes again" within 300 again pv2 "$domid"
is "$(devices pv2)" '[] 0' "without the disk that it was losing"
is "$(backend pv2 vbd "$(xvd b)" state)" "" "which has no backend"
is "$(grep -h libxlcfg /var/log/xen/xl-pv*.log)" "" "and nothing was said"
finish
