# SPDX-License-Identifier: LGPL-2.1-or-later
#
# TAP, for tests that are bash scripts: what they claim, and the count of it.
# Whoever sources it has set $work, a folder for what a command printed.
# shellcheck shell=bash

number=0
bad=0

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

# within SECONDS COMMAND...: it succeeds at some time before then. Asked less
# and less often: on an emulated processor each question takes long, from what
# is waited for.
within()
{
    local end=$((SECONDS + $1)) begun=$SECONDS
    shift

    while ! "$@"; do
        [ $SECONDS -lt $end ] || return 1
        if [ $((SECONDS - begun)) -lt 4 ]; then
            sleep 0.2
        else
            sleep 1
        fi
    done
}
