#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# xlcfg reads healthy guests: what it says is what is there, and for what xl
# knows rightly, just what xl says.
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

need ok "a guest starts" guest_start pv1 \
    "disk=['phy:$(loop_new 16M),xvda,w']" "vif=['mac=00:16:3e:00:00:01']"
ok "a disk is attached" xl block-attach pv1 "phy:$(loop_new 8M),xvdb,r"
within 120 backend_is pv1 vbd "$(xvd b)" state 4
domid=$(xl domid pv1)
uuid=$(basename "$(guest_template pv1)" | cut -d . -f 3)

exits 0 "list answers" xlcfg_xen list -o json
holds "$work/out" "it has the guest, once" \
    '[.domains[] | select(.name == "pv1" and .domid == $domid and
      .uuid == $uuid and .driver == "xen")] | length == 1' \
    --argjson domid "$domid" --arg uuid "$uuid"
holds "$work/out" "with a version and a hash" \
    '.domains | map(select(.name == "pv1"))[0] |
     (.version | length > 0) and (.hash | length > 0)'

for dom in pv1 "$domid" "$uuid"; do
    exits 0 "get by $dom answers" xlcfg_xen get "$dom" -o json
    holds "$work/out" "it is that guest" '.domain.uuid == $uuid' \
        --arg uuid "$uuid"
done
holds "$work/out" "nothing is unknown" '.complete and .unknown == []'
holds "$work/out" "each device is attached" \
    '[.devices[] | {key, state, in_config}] | sort_by(.key) ==
     [{key: "disk/xvda", state: "attached", in_config: true},
      {key: "disk/xvdb", state: "attached", in_config: true},
      {key: "nic/0", state: "attached", in_config: true}]'

exits 0 "get --config answers" xlcfg_xen get pv1 --config
cp "$work/out" "$work/ours"
xl_config pv1 > "$work/theirs"
same "$work/ours" "$work/theirs" "it is what xl list -l says"

before=$(md5sum "$(guest_template pv1)")
xlcfg_xen get pv1 > /dev/null
is "$(md5sum "$(guest_template pv1)")" "$before" \
    "reading leaves the template as it was"

ok "a disk is detached by xl" xl block-detach pv1 xvdb
exits 0 "get --config answers" xlcfg_xen get pv1 --config
holds "$work/out" "the disk is gone from it" '[.disks[].vdev] == ["xvda"]'
exits 0 "devices answers" xlcfg_xen devices pv1 -o json
holds "$work/out" "and is attached no more" \
    '[.devices[] | select(.key == "disk/xvdb" and
      (.state != "detached" or .in_config))] == []'

exits 3 "no such domain" xlcfg_xen get pv9 -o json
xl destroy pv1
exits 3 "no such domain when it has ended" xlcfg_xen get "$uuid" -o json
exits 0 "list answers" xlcfg_xen list -o json
holds "$work/out" "and has it no more" \
    '[.domains[] | select(.uuid == $uuid)] == []' --arg uuid "$uuid"
finish
