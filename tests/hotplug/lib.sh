# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For the cases of the hotplug suite. A case is a bash script that prints TAP
# and speaks of the toolstack by the adapter's functions alone:
#
#   . "$(dirname "$0")/../lib.sh"
#   need ok "a guest starts" ts_start hp1
#   ok "a disk is attached" ts_attach_disk hp1 xvdb "$(loop_new 8M)"
#   says hp1 disk xvdb attached
#   finish
#
# docs/osstest.md has the adapter's functions and the settings.
# shellcheck shell=bash

suite=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
adapter=${HOTPLUG_ADAPTER:-xl}
case=$(basename "$0" .t)

# Whose guests they are: on/HYPERVISOR has what differs.
case ${HOTPLUG_URI:-xen:} in
xen*) on=xen ;;
*) on=kvm ;;
esac
. "$suite/on/$on.sh"

[ -r "$suite/adapter/$adapter" ] || {
    echo "Bail out! no adapter $adapter; there are: $(ls "$suite/adapter")"
    exit 1
}

# What a test of the suite is known to be when the toolstack is this one:
# lines "CASE: NAME OF THE TEST". A failure that is listed is printed as TODO
# and does not count; one that is listed and passes counts as a failure, so
# that the list cannot grow old. "~CASE: ..." is for a race, which may go
# either way.
known=${HOTPLUG_KNOWN-$suite/known/$adapter}
[ -n "${HOTPLUG_KNOWN+set}" ] || [ $on = xen ] || known+=-$on

# is_listed NAME [~]
is_listed()
{
    [ -n "$known" ] && [ -r "$known" ] &&
        grep -qxF -- "${2-}$case: $1" <(sed -e '/^#/d' "$known")
}

result()
{
    local good=$1 name=$2

    number=$((number + 1))
    if [ "$good" = yes ] && is_listed "$name"; then
        bad=$((bad + 1))
        echo "not ok $number - $name"
        say "it passes: $adapter is known to fail here ($known)"
    elif [ "$good" = yes ]; then
        echo "ok $number - $name"
    elif is_listed "$name" || is_listed "$name" "~"; then
        echo "not ok $number - $name # TODO $adapter is known for it"
    else
        bad=$((bad + 1))
        echo "not ok $number - $name"
    fi
}

# with_script NAME: what ts_attach_disk takes so that a script of script_new
# runs for the disk, however this toolstack comes to it.
with_script()
{
    echo "script=$1"
}

. "$suite/adapter/$adapter"

# need COMMAND...: a step without which the rest of this case has no meaning.
# The other cases go on: prove ends them all at a "Bail out!".
need()
{
    "$@" && return 0
    say "the rest of this case was left out"
    echo "1..$number"
    exit 1
}

# only_with FACT...: this case is about something that not every host has. One
# that has it not says so, and `run` counts that.
only_with()
{
    local fact why

    for fact; do
        why=$(lacks "$fact")
        [ -z "$why" ] || skip_all "not on $on: $why"
    done
}

# --- what is asked of every toolstack ---------------------------------------

# says NAME KIND ID STATE|STATE...: what the toolstack says of a device is one
# of these states.
says()
{
    local got

    got=$(ts_says "$1" "$2" "$3" 2> "$work/.says")
    [[ "|$4|" == *"|$got|"* ]] && {
        result yes "${5:-it says that $2 $3 is $4}"
        return 0
    }
    result no "${5:-it says that $2 $3 is $4}"
    say "it says: ${got:-nothing}"
    note < "$work/.says"
    return 1
}

says_within()
{
    local end=$((SECONDS + $1)) got
    shift

    while got=$(ts_says "$1" "$2" "$3" 2> /dev/null)
        [[ "|$4|" != *"|$got|"* ]] && [ $SECONDS -lt $end ]; do
        sleep 0.5
    done
    says "$@"
}

# config NAME "LINE..." TEXT: the next save, migration or reboot is made of
# just these devices.
config()
{
    is "$(ts_config "$1" 2> "$work/.said" | sort)" \
        "$(printf '%s' "$2" | sort)" "$3" && return
    note < "$work/.said"
    return 1
}

# fails NAME COMMAND...: the command says that it failed, and does not die.
fails()
{
    local name=$1 code
    shift

    "$@" > "$work/.out" 2>&1
    code=$?
    if [ $code -gt 0 ] && [ $code -lt 124 ]; then
        result yes "$name"
        return 0
    fi
    result no "$name"
    say "exit $code: $*"
    note < "$work/.out"
    return 1
}

# --- what is there, whatever a toolstack says -------------------------------
#
# on/ has disk_is, in_guest, guest_disk, nics, guest_pause and the like.

nic_number()
{
    nics "$1" | awk -v mac="$2" '$2 == mac { print $1 }'
}

# Is the image (a file) behind a loop device?
looped()
{
    losetup -j "$1" | grep -q .
}

# A bridge is there for the time of the case.
bridge=${HOTPLUG_BRIDGE:-xenbr0}

# script_waiting: a block script that says where it is and then waits until
# it is let go, as long as a script may take. $work/at is there when it runs.
script_waiting()
{
    script_new "$1" << END
touch $work/at
for i in \$(seq 600); do
    [ ! -e $work/go ] || break
    sleep 0.1
done
rm -f $work/at
trap - ERR
exit 1
END
}

# cut_short COMMAND...: begins it, kills its process when it has come to the
# script of script_waiting, and lets that go.
cut_short()
{
    local pid

    rm -f "$work/at" "$work/go"
    exec_in_place "$@" &
    pid=$!
    within 30 test -e "$work/at" || return 1
    kill_family "$pid"
    wait "$pid" 2> /dev/null
    touch "$work/go"
    within 10 test ! -e "$work/at"
}

exec_in_place()
{
    "$@" > "$work/.cut" 2>&1
}

# The toolstack's own processes; not the scripts that it has begun, which a
# crash of it leaves running.
kill_family()
{
    local child

    kill -STOP "$1" 2> /dev/null
    for child in $(cat "/proc/$1/task/$1/children" 2> /dev/null); do
        case $(cat "/proc/$child/comm" 2> /dev/null) in
        xl | xlcfg | virsh | timeout | bash | sh)
            [[ $(tr '\0' ' ' < "/proc/$child/cmdline") == */etc/xen/scripts/* ]] ||
                kill_family "$child"
            ;;
        esac
    done
    kill -KILL "$1" 2> /dev/null
}

why=$(ts_needs)
[ -z "$why" ] || skip_all "$why"
