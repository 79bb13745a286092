# SPDX-License-Identifier: LGPL-2.1-or-later
# A Xen host: its guests and disks are those of tests/xen-vm, and xenstore
# shows what is there, whatever a toolstack says.
# shellcheck shell=bash

. "$suite/../xen-vm/lib.sh"

# The word for a guest's kernel that makes it deaf to an unplug.
deaf=g.nofront

# lacks FACT: why this host has it not; nothing when it has.
lacks()
{
    :
}

# What a place of the suite (xvda, hdc) is called here.
place()
{
    echo "$1"
}

place_back()
{
    cat
}

image_new()
{
    loop_new "$1"
}

# Another one each time the guest starts anew.
guest_life()
{
    xl domid "$1"
}

guest_pause()
{
    xl pause "$1"
}

guest_go_on()
{
    xl unpause "$1"
}

guest_kill()
{
    xl destroy "$1"
}

# guest_disk NAME TARGET FILE: what the guest's /sys/block has of a disk.
guest_disk()
{
    guest_do "$1" cat "/sys/block/$2/$3"
}

in_guest()
{
    guest_do "$1" test -b "/dev/$2"
}

not_in_guest()
{
    ! guest_do "$1" test -e "/dev/$2"
}

# disk_is NAME TARGET WORD: connected, let-go (the guest has), gone, or there.
disk_is()
{
    local state

    state=$(backend "$1" vbd "$(xvd "${2#xvd}")" state || echo 0)
    case $3 in
    connected) [ "$state" = 4 ] ;;
    let-go) [ "$state" = 6 ] ;;
    gone) [ "$state" = 0 ] ;;
    there) [ "$state" != 0 ] ;;
    esac
}

detach_asked()
{
    backend_is "$1" vbd "$(xvd "${2#xvd}")" online 0
}

# The cards that are there: "PLACE MAC", one a line.
nics()
{
    local domid dev

    domid=$(xl domid "$1") || return 1
    for dev in $(xenstore-list "/local/domain/0/backend/vif/$domid" \
        2> /dev/null); do
        echo "$dev $(xenstore-read \
            "/local/domain/0/backend/vif/$domid/$dev/mac" 2> /dev/null)"
    done
}

# disk_that_fails: sets disk to an image, and words, whose attach fails when
# most of it is done: here its hotplug script does.
disk_that_fails()
{
    script_new hp-fails <<< 'fatal "told to fail"'
    disk=("$(image_new 8M)" "$(with_script hp-fails)")
}

# disk_that_waits NAME: sets disk to one whose attach waits half way.
# disk_waits: it has come there. disk_goes_on: it may go on.
disk_that_waits()
{
    script_waiting hp-waits
    disk=("$(image_new 8M)" "$(with_script hp-waits)")
}

disk_waits()
{
    test -e "$work/at"
}

disk_goes_on()
{
    touch "$work/go"
}

# nothing_left LIFE: nothing is left of a guest's run.
nothing_left()
{
    ! xenstore-exists "/libxl/$1" &&
        ! xenstore-exists "/local/domain/$1" &&
        ! xenstore-exists "/local/domain/0/backend/vbd/$1/$(xvd b)"
}

# Nor in the folder of who started it.
no_files_left()
{
    ! ls /var/lib/xen/userdata-*."$1".*.libxl-json 2> /dev/null
}
