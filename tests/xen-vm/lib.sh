# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For the tests that run in dom0: TAP, guests, disks. A test is a bash script:
#
#   . /mnt/src/tests/xen-vm/lib.sh
#   guest_start pv1 disk="['phy:$(loop_new 16M),xvda,w']"
#   ok "the guest has its disk" guest_do pv1 test -b /dev/xvda
#   finish
#
# What a test makes is taken down when it ends.
# shellcheck shell=bash

work=$(mktemp -d /run/xen-vm-test.XXXXXX)
guests=()
scripts=()
loops=$work/.loops
libvirtd=
# Where the guests' kernel and ramdisk are.
guest_dir=${GUEST_DIR:-/guest}
# An HVM guest's first disk, if it is to run: one at a time boots from it. With
# kernel= it would take minutes.
boot_disk="'file:$guest_dir/boot.img,xvda,w'"
: > "$loops"

. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

need_xlcfg()
{
    [ -x /mnt/xlcfg/bin/xlcfg ] ||
        skip_all "no bin/xlcfg in the build folder: make it first"
    export XLCFG_STATE_DIR=$work/state
    mkdir -p "$XLCFG_STATE_DIR"
    # Over the share, every page of the programs would be fetched each time.
    mkdir -p /run/xlcfg
    cp -r /mnt/xlcfg/bin /run/xlcfg/
    cp -r /mnt/xlcfg/lib /run/xlcfg/
    PATH=/run/xlcfg/bin:$PATH
}

xlcfg_xen()
{
    # An emulated machine on a busy one: its answers take what they take.
    command xlcfg -c xen:/// --deadline 60 "$@"
}

# --- guests -----------------------------------------------------------------

# guest_config NAME [KEY=VALUE...] [-- WORD...]: its xl configuration. What
# is given goes before what every guest has.
guest_config()
{
    local name=$1 words='console=hvc0 quiet' type=pv given=
    shift

    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        given+="${1%%=*} = ${1#*=}"$'\n'
        [ "${1%%=*}" != type ] || type=${1#*=}
        shift
    done
    shift
    [ $# = 0 ] || words+=" $*"
    cat << END
name = "$name"
$given
END
    [[ $given == *type\ =* ]] || echo 'type = "pv"'
    [[ $given == *memory\ =* ]] || echo 'memory = 96'
    [[ $given == *vcpus\ =* ]] || echo 'vcpus = 1'
    if [[ $given == *"$boot_disk"* ]]; then
        [ $# = 0 ] || {
            say "$name boots from a disk, where its words are: no others" >&2
            return 1
        }
        # The firmware reads other disks word by word.
        echo 'hdtype = "ahci"'
        return
    elif [ "${type//[\"\']/}" = hvm ]; then
        # A device model boots only a packed kernel.
        echo "kernel = \"$guest_dir/vmlinuz\""
    else
        echo "kernel = \"$guest_dir/vmlinux\""
    fi
    echo "ramdisk = \"$guest_dir/initrd\""
    echo "extra = \"$words\""
}

guest_log()
{
    echo "/var/log/xen/console/guest-$1.log"
}

# guest_create: as guest_start, but without waiting for the guest.
guest_create()
{
    local name=$1

    guests+=("$name")
    guest_config "$@" > "$work/$name.cfg"
    : > "$(guest_log "$name")"
    xl create -q "$work/$name.cfg" > "$work/$name.create" 2>&1 || {
        note < "$work/$name.create"
        return 1
    }
}

guest_ready()
{
    within "${2:-300}" grep -q 'guest: ready' "$(guest_log "$1")" && return 0
    say "$1 did not come up; its console:"
    tail -n 30 "$(guest_log "$1")" | note
    return 1
}

guest_start()
{
    guest_create "$@" && guest_ready "$1"
}

# guest_do NAME COMMAND...: a shell command in the guest, within a minute.
# Prints what it printed; its exit code is the result.
guest_do()
{
    local name=$1 mark=$RANDOM$RANDOM tty log answer
    shift

    tty=$(xenstore-read "/local/domain/$(xl domid "$name")/console/tty") ||
        return 125
    log=$(guest_log "$name")
    # The mark's two halves meet only in the answer.
    echo "echo begin$mark; $*; echo end\"\"$mark \$?" > "$tty"
    within 60 grep -q "^end$mark" "$log" || {
        say "no answer from $name to: $*"
        return 124
    }
    answer=$(tr -d '\r' < "$log")
    sed -n "/^begin$mark/,/^end$mark/p" <<< "$answer" | sed '1d;$d'
    return "$(sed -n "s/^end$mark //p" <<< "$answer")"
}

guest_template()
{
    local domid uuid

    domid=$(xl domid "$1") && uuid=$(xl vm-list |
        awk -v id="$domid" '$2 == id { print $1 }') || return 1
    echo "/var/lib/xen/userdata-d.$domid.$uuid.libxl-json"
}

# The template ends in a NUL, which jq does not take.
template_json()
{
    tr -d '\000' < "$(guest_template "$1")"
}

# What plain xl says of one guest: the bare configuration.
xl_config()
{
    xl list -l "$1" | jq '.[0].config'
}

# --- libvirtd ---------------------------------------------------------------

virt()
{
    virsh -q -c xen:///system "$@"
}

# libvirtd_start [LIBRARY]: one that answers, with that library before it.
libvirtd_start()
{
    mkdir -p /var/log/libvirt /var/lib/libvirt /var/cache/libvirt
    LD_PRELOAD=${1:-} libvirtd < /dev/null >> "$work/libvirtd.log" 2>&1 &
    libvirtd=$!
    within 120 virt list && return 0
    note < "$work/libvirtd.log"
    return 1
}

libvirtd_stop()
{
    [ -n "$libvirtd" ] || return 0
    kill "$libvirtd"
    within 120 bash -c "! kill -0 $libvirtd" 2> /dev/null ||
        kill -KILL "$libvirtd"
    wait "$libvirtd" 2> /dev/null
    libvirtd=
}

# libvirt_xml NAME [KEY=VALUE...]: a guest as guest_start takes it. Without a
# word about it libvirt has each disk served by a QEMU.
libvirt_xml()
{
    guest_config "$@" > "$work/$1.cfg" &&
        virt domxml-from-native xen-xl "$work/$1.cfg" | sed \
            "/<disk .*device='disk'/,/<\/disk>/{s/type='file'/type='block'/
            s/name='qemu'/name='phy'/;s/source file=/source dev=/}"
}

# backend DOMAIN KIND DEVID KEY: a key of a backend in dom0.
backend()
{
    xenstore-read "/local/domain/0/backend/$2/$(xl domid "$1")/$3/$4" \
        2> /dev/null
}

backend_is()
{
    [ "$(backend "$1" "$2" "$3" "$4")" = "$5" ]
}

# --- disks ------------------------------------------------------------------

file_new()
{
    local file

    file=$(mktemp "$work/disk.XXXXXX")
    truncate -s "$1" "$file"
    echo "$file"
}

loop_new()
{
    losetup -f --show "$(file_new "$1")" | tee -a "$loops"
}

# Device numbers, as xenstore has them, of xvda to xvdp.
xvd()
{
    local before=abcdefghijklmnop

    before=${before%%"$1"*}
    echo $(((202 << 8) + (${#before} << 4)))
}

# script_new NAME < COMMANDS: a block script that runs them when a disk is
# added, with what Xen's own scripts have at hand. For "script=NAME".
script_new()
{
    local file=/etc/xen/scripts/$1

    scripts+=("$file")
    # Those find their library beside the script that is run.
    cat > "$file" << END
#!/bin/bash
. /etc/xen/scripts/block-common.sh
if [ "\$command" = add ]; then
$(cat)
fi
END
    chmod +x "$file"
}

clean_up()
{
    local name loop

    libvirtd_stop
    for name in "${guests[@]}"; do
        xl destroy "$name" > /dev/null 2>&1
    done
    while read -r loop; do
        losetup -d "$loop" 2> /dev/null
    done < "$loops"
    rm -rf "$work" "${scripts[@]}"
}
trap clean_up EXIT
