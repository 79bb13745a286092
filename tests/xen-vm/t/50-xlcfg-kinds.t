#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Keyboards and frame buffers come and go; what cannot be plugged is refused
# in a sentence, and nothing of it is left.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

keys()
{
    xlcfg_xen devices pv1 -o json | jq -c '[.devices[].key] | sort'
}

# refused KIND WORDS BODY: exit 6, the words, and the guest as it was.
refused()
{
    local kind=$1 words=$2 before
    before=$(keys)

    echo "$3" > "$work/body.json"
    exits 6 "$kind: refused" xlcfg_xen attach pv1 "$kind" "$work/body.json"
    ok "it is said: $words" grep -q "$words" "$work/err"
    is "$(keys)" "$before" "nothing of it is left"
}

need ok "a guest starts" guest_create pv1 "vfb=['type=vnc,vncunused=1']"
need ok "it comes up" guest_ready pv1 300
is "$(keys)" '["vfb/0","vkb/0"]' "with a screen and a keyboard"
for kind in vkb vfb; do
    echo '{}' > "$work/body.json"
    exits 0 "a $kind is attached" xlcfg_xen attach pv1 $kind "$work/body.json"
done
is "$(keys)" '["vfb/0","vfb/1","vkb/0","vkb/1"]' "they are there"
template_json pv1 > "$work/template"
holds "$work/template" "the template has what libxl did not write" \
    '([.vkbs[].devid // 0] == [0, 1]) and ([.vfbs[].devid // 0] == [0, 1])'
for kind in vkb vfb; do
    exits 0 "the $kind is detached" xlcfg_xen detach pv1 $kind/1 --wait=20
done
is "$(keys)" '["vfb/0","vkb/0"]' "they are gone"

refused nic "nosuchbr" '{"bridge": "nosuchbr"}'
refused disk "/no/such/image: No such file" \
    '{"vdev": "xvdb", "pdev_path": "/no/such/image", "backend": "qdisk"}'
xl pci-assignable-add 0000:00:03.0 > "$work/assignable" 2>&1
refused pci "xc_assign_device failed" '{"bus": 0, "dev": 3, "func": 0}'
ok "no PCI device is marked as the guest's" \
    bash -c '! xenstore-read /libxl/pci/0000-00-03-0/domid'

file=$(file_new 8M)
script_new xv-late <<< 'dev=$(losetup -f --show "$p"); xenstore_write "$XENBUS_PATH/node" "$dev"; fatal "told to fail"'
echo "{\"vdev\": \"xvdb\", \"pdev_path\": \"$file\", \"backend\": \"phy\",
    \"format\": \"raw\", \"script\": \"/etc/xen/scripts/xv-late\"}" \
    > "$work/body.json"
exits 6 "a disk whose script fails late" \
    xlcfg_xen attach pv1 disk "$work/body.json"
is "$(losetup -j "$file")" "" "its loop device is freed"
finish
