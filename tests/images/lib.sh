# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Debian's kernel and RAM disks, for the guests that tests boot.  Sourced, by
# a script with "set -euo pipefail" that has set
#
#   program    what its messages begin with

images=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die()
{
    echo "${program:?}: $*" >&2
    exit 1
}

say()
{
    echo "${program:?}: $*" >&2
}

need_tools()
{
    local tool

    for tool; do
        command -v "$tool" > /dev/null ||
            die "$tool is missing (see scripts/packages)"
    done
}

# The lines of a file without blank ones and comments.
words()
{
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"
}

kernel_package()
{
    local kernel

    kernel=$(apt-cache depends linux-image-amd64 |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$kernel" ] || die "apt knows no linux-image-amd64: run apt-get update"
    echo "$kernel"
}

# The versions that apt would fetch, one "NAME VERSION" a line.
candidates()
{
    local known package

    known=$(apt-cache policy "$@" | awk '
        /^[^ ].*:$/ { name = substr($1, 1, length($1) - 1) }
        /^  Candidate: / { print name, $2 }')
    for package; do
        grep -qE "^$package(:[a-z0-9]+)? [^(]" <<< "$known" ||
            die "apt has no $package: run apt-get update"
    done
    echo "$known"
}

# unpack_packages ROOT PACKAGE...: fetched, but never installed here.
unpack_packages()
{
    local root=$1 debs deb
    shift

    say "fetching $*"
    debs=$(mktemp -d "$root.XXXXXX")
    # apt fetches as a user of its own when that one may write here
    chmod 777 "$debs"
    (cd "$debs" && apt-get download -q "$@" >&2)
    for deb in "$debs"/*.deb; do
        dpkg-deb -x "$deb" "$root"
    done
    rm -rf --one-file-system "$debs"
}

# unpack_kernel ROOT VMLINUX: the ELF of the kernel that was unpacked below
# ROOT, and its modules made ready for add_modules; prints its version.
unpack_kernel()
{
    local root=$1 version

    version=$(basename "$root"/boot/vmlinuz-*)
    version=${version#vmlinuz-}
    "$images/unpack-kernel" "$root/boot/vmlinuz-$version" "$2"
    [ -e "$root/lib/modules" ] || ln -s usr/lib "$root/lib"
    depmod -b "$root" "$version"
    echo "$version"
}

# add_modules ROOT VERSION LIST TO: the modules that a list names, and what
# they need, from below ROOT to below TO.
add_modules()
{
    local root=$1 version=$2 list=$3 name needed kind path
    local from=$root/lib/modules/$version to=$4/lib/modules/$version

    mkdir -p "$to"
    cp "$from"/modules.builtin "$from"/modules.builtin.modinfo \
        "$from"/modules.order "$to/"
    for name in $(words "$list"); do
        needed=$(modprobe -d "$root" -S "$version" --show-depends "$name") ||
            die "the kernel has no module $name"
        while read -r kind path _; do
            [ "$kind" = insmod ] || continue
            path=${path#"$root/lib/modules/$version/"}
            install -D -m 644 "$from/$path" "$to/$path"
        done <<< "$needed"
    done
    depmod -b "$4" "$version"
}

# pack FOLDER FILE: a RAM disk.
pack()
{
    (cd "$1" && find . -print0 | sort -z |
        cpio --null -o -H newc -R 0:0 --quiet) > "$2"
}

# make_initrd KERNEL-ROOT VERSION BUSYBOX INIT MODULES FILE: busybox, an init
# and the modules, whose names it finds in /modules.
make_initrd()
{
    local root

    root=$(mktemp -d "$6.XXXXXX")
    chmod 755 "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,mnt,lib}
    cp "$3" "$root/bin/busybox"
    install -m 755 "$4" "$root/init"
    add_modules "$1" "$2" "$5" "$root"
    words "$5" > "$root/modules"
    pack "$root" "$6"
    rm -rf --one-file-system "$root"
}

# keep_newest CACHE COUNT: older images go.
keep_newest()
{
    local old

    for old in $(ls -1td "$1"/*/ | tail -n +$(($2 + 1))); do
        rm -rf --one-file-system "$old"
    done
}
