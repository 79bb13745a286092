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
number=0
bad=0
guests=()
scripts=()
loops=$work/.loops
# Where the guests' kernel and ramdisk are.
guest_dir=${GUEST_DIR:-/guest}
: > "$loops"

note()
{
    sed 's/^/# /'
}

say()
{
    echo "# $*"
}

result()
{
    local good=$1 name=$2

    number=$((number + 1))
    if [ "$good" = yes ]; then
        echo "ok $number - $name"
    else
        bad=$((bad + 1))
        echo "not ok $number - $name"
    fi
}

# ok NAME COMMAND...: the command succeeds.
ok()
{
    local name=$1 code
    shift

    "$@" > "$work/.out" 2>&1
    code=$?
    if [ $code = 0 ]; then
        result yes "$name"
    else
        result no "$name"
        say "exit $code: $*"
        note < "$work/.out"
    fi
    return $code
}

# exits CODE NAME COMMAND...: the command ends with just that code. What it
# printed is in $work/out and $work/err.
exits()
{
    local want=$1 name=$2 code
    shift 2

    "$@" > "$work/out" 2> "$work/err"
    code=$?
    if [ $code = "$want" ]; then
        result yes "$name"
        return 0
    fi
    result no "$name"
    say "exit $code where $want was due: $*"
    cat "$work/out" "$work/err" | tail -n 40 | note
    return 1
}

# is GOT WANT NAME: two texts are the same.
is()
{
    if [ "$1" = "$2" ]; then
        result yes "$3"
        return 0
    fi
    result no "$3"
    say "got:"
    note <<< "$1"
    say "due:"
    note <<< "$2"
    return 1
}

# same FILE FILE NAME: two JSON texts hold the same, in whatever key order.
same()
{
    : > "$work/.diff"
    # Only jq's own success makes two empty outputs comparable.
    if jq -S . "$1" > "$work/.a" && jq -S . "$2" > "$work/.b" &&
        [ -s "$work/.a" ] && diff -u "$work/.a" "$work/.b" > "$work/.diff"
    then
        result yes "$3"
        return 0
    fi
    result no "$3"
    say "$1 and $2 differ:"
    note < "$work/.diff"
    return 1
}

# holds FILE NAME FILTER [jq options]: the filter says true of a JSON text.
holds()
{
    local file=$1 name=$2 filter=$3
    shift 3

    if [ "$(jq "$@" "$filter" "$file" 2> "$work/.jq" | tail -n 1)" = true ]
    then
        result yes "$name"
        return 0
    fi
    result no "$name"
    say "not true: $filter"
    note < "$work/.jq"
    head -c 4000 "$file" | note
    return 1
}

skip()
{
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# skip_all WHY: nothing of this test can run.
skip_all()
{
    echo "1..0 # SKIP $1"
    exit 0
}

finish()
{
    echo "1..$number"
    exit $((bad > 0))
}

# need GUARD...: a step without which the rest has no meaning.
need()
{
    "$@" && return 0
    echo "Bail out! $*"
    exit 1
}

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

# within SECONDS COMMAND...: it succeeds at some time before then.
within()
{
    local end=$((SECONDS + $1))
    shift

    while ! "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
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
    if [ "${type//[\"\']/}" = hvm ]; then
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
    within "${2:-60}" grep -q 'guest: ready' "$(guest_log "$1")" && return 0
    say "$1 did not come up; its console:"
    tail -n 30 "$(guest_log "$1")" | note
    return 1
}

guest_start()
{
    guest_create "$@" && guest_ready "$1"
}

# guest_do NAME COMMAND...: a shell command in the guest, within 20 seconds.
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
    within 20 grep -q "^end$mark" "$log" || {
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

    for name in "${guests[@]}"; do
        xl destroy "$name" > /dev/null 2>&1
    done
    while read -r loop; do
        losetup -d "$loop" 2> /dev/null
    done < "$loops"
    rm -rf "$work" "${scripts[@]}"
}
trap clean_up EXIT
