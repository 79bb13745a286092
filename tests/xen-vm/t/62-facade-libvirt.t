#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirtd, its driver of Xen, and libxlcfg-libxl.so before it: all is as
# without it. The one thing that this driver asks the function for is what a
# guest that wants a soft reset is to be made of; it gets our answer.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg
facade=/run/xlcfg/lib/libxlcfg-libxl.so

# What differs from one start to the next.
plain_xml()
{
    virt dumpxml lv1 | sed -E "s/ id='[0-9]+'//; s/vif[0-9]+\./vif./
        s,/dev/pts/[0-9]+,/dev/pts/N,g"
}

again()
{
    local now

    now=$(xl domid lv1 2> /dev/null) && [ "$now" != "$1" ] &&
        guest_ready lv1 0 > /dev/null && xl_config lv1 > /dev/null
}

plain_config()
{
    xl_config lv1 | jq -S .
}

# round WORDS: a guest's life; what is said of it goes to $work/WORDS.
round()
{
    local said=$work/$1 domid
    local with="$1: "

    : > "$(guest_log lv1)"
    ok "${with}it is started" virt start lv1
    ok "${with}it comes up" guest_ready lv1 300
    plain_xml > "$said"
    ok "${with}a disk is attached" \
        virt attach-device lv1 "$work/disk.xml" --live
    ok "${with}the guest has it" within 60 guest_do lv1 test -b /dev/xvdb
    { plain_xml; plain_config; } >> "$said"
    ok "${with}it is detached" virt detach-disk lv1 xvdb --live
    { plain_xml; plain_config; } >> "$said"
    ok "${with}the guest is saved" virt save lv1 "$work/lv1.save"
    ok "${with}it is restored" virt restore "$work/lv1.save"
    ok "${with}it is alive" guest_do lv1 true
    { plain_xml; plain_config; } >> "$said"
    domid=$(xl domid lv1)
    : > "$(guest_log lv1)"
    ok "${with}it is rebooted" virt reboot lv1
    ok "${with}it comes again" within 300 again "$domid"
    { plain_xml; plain_config; } >> "$said"
}

asks_for_soft_reset()
{
    python3 - "$1" << 'END'
import ctypes
import sys
SOFT_RESET = 5
xc = ctypes.CDLL("libxenctrl.so.4.17")
xc.xc_interface_open.restype = ctypes.c_void_p
handle = ctypes.c_void_p(xc.xc_interface_open(None, None, 0))
sys.exit(xc.xc_domain_shutdown(handle, ctypes.c_uint32(int(sys.argv[1])),
                               SOFT_RESET))
END
}

ended()
{
    ! xl domid lv1 > /dev/null 2>&1
}

guests+=(lv1)
: > "$work/libvirtd.log"
need ok "libvirtd starts" libvirtd_start
libvirt_xml lv1 "disk=['phy:$(loop_new 8M),xvda,w']" \
    "vif=['mac=00:16:3e:00:00:01,bridge=xenbr0']" > "$work/lv1.xml"
cat > "$work/disk.xml" << END
<disk type='block' device='disk'>
  <driver name='phy' type='raw'/>
  <source dev='$(loop_new 8M)'/>
  <target dev='xvdb' bus='xen'/>
</disk>
END
need ok "a guest is defined" virt define "$work/lv1.xml"
round alone
ok "the guest is ended" virt destroy lv1
libvirtd_stop

need ok "libvirtd starts with the facade" libvirtd_start "$facade"
is "$(tr '\0' '\n' < "/proc/$libvirtd/environ" | grep ^LD_PRELOAD)" \
    "LD_PRELOAD=$facade" "it has it"
round facade
is "$(cat "$work/facade")" "$(cat "$work/alone")" \
    "all that is said of the guest is the same"

exits 0 "xlcfg answers" xlcfg_xen get lv1 -o json
holds "$work/out" "of libvirt's guest too" \
    '.complete and ([.devices[] | select(.in_config) | [.key, .state]] ==
     [["disk/xvda", "attached"], ["nic/0", "attached"]])'
domid=$(xl domid lv1)
script_new xv-fails <<< 'fatal "told to fail"'
exits 1 "an attach fails, by somebody else" xl block-attach lv1 \
    "vdev=xvdc,script=xv-fails,target=$(loop_new 8M)"
is "$(xl_config lv1 | jq -c '[.disks[].vdev]')" '["xvda","xvdc"]' \
    "libxl alone lists its disk"
is "$(grep -c libxlcfg.so.0 "/proc/$libvirtd/maps")" 0 \
    "libvirtd has asked for nothing yet"
ok "the guest asks for a soft reset" asks_for_soft_reset "$domid"
# libxl can do that for no PV guest, and so libvirtd ends it.
ok "libvirtd ends it" within 120 ended
ok "it has asked the facade" grep -q libxlcfg.so.0 "/proc/$libvirtd/maps"
exits 0 "history answers" xlcfg_xen history -o json
tail -n +1 "$work/out" | jq -s '[.[] | select(.domain.name == "lv1" and
    .event != "bookmark")] | map(select(.domain.domid == '"$domid"'))[-1]' \
    > "$work/asked"
holds "$work/asked" "the answer was without the disk" \
    '[.config.disks[].vdev] == ["xvda"] and
     [.devices[] | select(.key == "disk/xvdc") | .state] == ["failed"]'
is "$(grep libxlcfg "$work/libvirtd.log")" "" "and nothing was said"
ok "libvirtd goes on" virt list
ok "and still has the guest, for another start" virt dominfo lv1
[ "$bad" = 0 ] || note < "$work/libvirtd.log"
finish
