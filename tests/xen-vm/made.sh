# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A test of "xlcfg create": a guest called $guest, with the lines of $settings
# in its xl configuration, that boots from a disk if $from_disk is set.
# shellcheck shell=bash
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg

guests+=("$guest")
: > "$(guest_log "$guest")"
guest_config "$guest" "${settings[@]}" \
    "disk=[${from_disk:+$boot_disk,}'phy:$(loop_new 8M),xvdb,w']" > "$work/guest.cfg"
# What xl says that it would make, in libxl's words.
need exits 0 "xl puts it into JSON" xl create --dryrun "$work/guest.cfg"
sed -n '/^{/,$p' "$work/out" | jq '.config // .' > "$work/guest.json"
begun=$SECONDS
need exits 0 "it is made" xlcfg_xen create "$work/guest.json"
need ok "it comes up" guest_ready "$guest" 600
say "after $((SECONDS - begun)) s"
ok "it has its disk" within 60 guest_do "$guest" test -b /dev/xvdb
xl_config "$guest" > "$work/theirs"
exits 0 "get answers" xlcfg_xen get "$guest" --config
same "$work/out" "$work/theirs" "it is what xl list -l says"
holds "$work/out" "of the type that was asked for" \
    '.c_info.type == $type' --arg type "${guest%1}"

jq -n --arg path "$(loop_new 8M)" '{pdev_path: $path, vdev: "xvdc",
    format: "raw", readwrite: 1}' > "$work/disk.json"
exits 0 "a disk is attached" \
    xlcfg_xen attach "$guest" disk "$work/disk.json"
ok "the guest has it" within 60 guest_do "$guest" test -b /dev/xvdc
exits 0 "it is detached" xlcfg_xen detach "$guest" disk/xvdc --wait=60
domid=$(xl domid "$guest")
template=$(guest_template "$guest")
ok "the guest is ended" xl destroy "$guest"
ok "nothing of it is left in xenstore" bash -c \
    "! xenstore-exists /libxl/$domid"
ok "nor its template" test ! -e "$template"
finish
