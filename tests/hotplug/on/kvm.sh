# SPDX-License-Identifier: LGPL-2.1-or-later
# A host of QEMU guests by libvirt, at $HOTPLUG_URI. What is there, whatever a
# toolstack says, is shown by QEMU itself and by the guest.
#
#   HOTPLUG_RUN   where libvirtd keeps its guests' pids and states
#   HOTPLUG_LOG   libvirtd's log, with what it sends to QEMU; may be missing
# shellcheck shell=bash

work=$(mktemp -d /run/hotplug.XXXXXX)
chmod 755 "$work"
guests=()
guest_dir=${GUEST_DIR:-/guest}
run_dir=${HOTPLUG_RUN:-/run/libvirt/qemu}

. "$suite/../xen-vm/tap.sh"

# Linux's hotplug by ACPI, switched off: nobody answers.
deaf=acpiphp.disable=1

lacks()
{
    case $1 in
    scripts) echo "libvirt runs no hotplug scripts for a disk of QEMU" ;;
    loops) echo "QEMU opens a file by itself, without a loop device" ;;
    xenstore) echo "there is no xenstore" ;;
    script-words) echo "libvirt has no word for a disk's script" ;;
    note) echo "libvirt's own note of a guest is no file for others" ;;
    esac
}

place()
{
    sed -e 's/^xvd/vd/' -e 's/^hd/sd/' <<< "$1"
}

# The same for lines "disk TARGET IMAGE".
place_back()
{
    sed -e 's/^disk vd/disk xvd/' -e 's/^disk sd/disk hd/'
}

monitor()
{
    virsh -q -c "$HOTPLUG_URI" "$@"
}

file_new()
{
    local file

    file=$(mktemp "$work/disk.XXXXXX")
    truncate -s "$1" "$file"
    chmod 666 "$file"
    echo "$file"
}

image_new()
{
    file_new "$1"
}

# guest_xml NAME [KEY=VALUE...] [-- WORD...]: as guest_config on Xen.
guest_xml()
{
    "$suite/on/kvm-guest" xml "$work" "$guest_dir" "$@"
}

guest_log()
{
    echo "$work/$1.console"
}

guest_life()
{
    grep -c 'guest: ready' "$(guest_log "$1")"
}

guest_ready()
{
    within 180 grep -q 'guest: ready' "$(guest_log "$1")" && return
    say "$1 did not come up; its console:"
    tail -n 30 "$(guest_log "$1")" | note
    return 1
}

guest_do()
{
    "$suite/on/kvm-guest" run "$work" "$@"
}

guest_pause()
{
    monitor suspend "$1"
}

guest_go_on()
{
    monitor resume "$1"
}

guest_kill()
{
    monitor destroy "$1"
}

# What QEMU itself has of a disk or card: its place on the bus, or nothing.
in_qemu()
{
    monitor dumpxml "$1" | "$suite/on/kvm-guest" place "$2" "$3"
}

qemu_has()
{
    local found alias

    found=$(in_qemu "$1" disk "$(place "$2")") && alias=${found#* } &&
        monitor qemu-monitor-command "$1" '{"execute": "qom-list",
            "arguments": {"path": "/machine/peripheral"}}' |
        jq -e --arg alias "$alias" \
            'any(.return[]; .name == $alias)' > /dev/null
}

# What the guest calls a disk; it counts them in its own way.
guest_block()
{
    local found

    found=$(in_qemu "$1" disk "$(place "$2")") &&
        guest_do "$1" "ls -1 /sys/bus/pci/devices/${found% *}/virtio*/block"
}

in_guest()
{
    guest_block "$1" "$2" | grep -q .
}

# It has left the XML too, so all of the guest's are looked at.
not_in_guest()
{
    ! guest_do "$1" ls -1 /sys/block | grep -q '^vd'
}

guest_disk()
{
    guest_do "$1" cat "/sys/block/$(guest_block "$1" "$2")/$3"
}

disk_is()
{
    case $3 in
    connected) within 20 in_guest "$1" "$2" ;;
    there) qemu_has "$1" "$2" ;;
    let-go | gone) ! qemu_has "$1" "$2" ;;
    esac
}

# Has libvirtd asked for this guest's last unplug? Only its log can tell.
detach_asked()
{
    if [ -r "${HOTPLUG_LOG:-}" ]; then
        grep -q "\"device_del\".*$(in_qemu "$1" disk "$(place "$2")" |
            cut -d ' ' -f 2)" <(tail -c +"$log_from" "$HOTPLUG_LOG")
    else
        sleep 3
    fi
}

nics()
{
    monitor dumpxml "$1" | "$suite/on/kvm-guest" nics
}

# An image that another program writes: QEMU refuses it when libvirt has done
# its part.
disk_that_fails()
{
    disk=("$(image_new 8M)")
    qemu-nbd --fork --persistent --pid-file="$work/nbd.pid" -f raw \
        -k "$work/nbd.socket" "${disk[0]}"
}

# QEMU does not answer for a while.
disk_that_waits()
{
    disk=("$(image_new 8M)")
    waiter=$(cat "$run_dir/$1.pid") && kill -STOP "$waiter"
}

disk_waits()
{
    monitor domcontrol hp1 | grep -q occupied
}

disk_goes_on()
{
    kill -CONT "$waiter" 2> /dev/null
}

# Neither its QEMU, nor a disk more in what is kept.
nothing_left()
{
    [ ! -e "$run_dir/hp1.pid" ] &&
        ! monitor domblklist hp1 --inactive | grep -q .
}

no_files_left()
{
    [ ! -e "$run_dir/hp1.xml" ]
}

clean_up()
{
    local name

    [ ! -e "$work/nbd.pid" ] || kill "$(cat "$work/nbd.pid")"
    for name in "${guests[@]}"; do
        [ -z "${waiter:-}" ] || disk_goes_on
        monitor destroy "$name"
        monitor undefine "$name" --managed-save
    done > /dev/null 2>&1
    rm -rf "$work"
}
trap clean_up EXIT
