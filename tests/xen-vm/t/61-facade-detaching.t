#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An unmodified xl with libxlcfg-libxl.so before it: what a guest is losing is
# not listed.
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

b=$(loop_new 8M)
c=$(loop_new 8M)
need ok "a guest without frontends starts" guest_start pv2 \
    "disk=['phy:$c,xvda,w', 'phy:$b,xvdb,w']" -- g.nofront
exits 1 "it does not let go of a disk" xl block-detach pv2 xvdb
is "$(xl_config pv2 | vdevs)" '["xvda","xvdb"]' \
    "xl alone lists what it is losing"
is "$(with_facade xl list -l pv2 | jq '.[0].config' | vdevs)" '["xvda"]' \
    "with the facade xl does not"
ok "that guest ends" xl destroy pv2
finish
