#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The machine is what the other tests take it for: a real Xen, its own store,
# a dom0 with libxl's record of itself.
. /mnt/src/tests/xen-vm/lib.sh

exits 0 "xl info answers" xl info
is "$(sed -n 's/^xen_version *: //p' "$work/out" | cut -d . -f 1,2)" 4.17 \
    "it is Xen 4.17"
ok "the hypervisor can do PV, HVM and HAP" \
    grep -q '^virt_caps *: pv hvm hap' "$work/out"
is "$(xl domid Domain-0)" 0 "this is dom0"
is "$(xenstore-read /local/domain/0/name)" Domain-0 "the store knows dom0"
is "$(xl list | wc -l)" 2 "no other domain runs"
ok "dom0 has a template" test -s "$(guest_template Domain-0)"
ok "the source tree is seen" test -x /mnt/src/tests/xen-vm/vm
ok "the source tree can not be written" \
    bash -c '! touch /mnt/src/tests/xen-vm/written'
ok "results can be written" touch /mnt/out/written
now=$(date +%Y)
ok "the clock is set" test "$now" -ge 2024
finish
