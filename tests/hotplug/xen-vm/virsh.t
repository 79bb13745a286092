#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hotplug suite on libvirt's driver of Xen by plain virsh, in the machine
# of tests/xen-vm. A libvirtd that hangs is started anew before the next case.
pid_file=/run/libvirtd-hotplug.pid

revive()
{
    [ ! -e $pid_file ] || {
        kill -KILL "$(cat $pid_file)"
        rm -f $pid_file
    }
    setsid libvirtd --pid-file $pid_file < /dev/null \
        >> /mnt/out/libvirtd.log 2>&1 &
    for ((i = 0; i < 120; i++)); do
        ! timeout 60 virsh -q -c xen:///system list > /dev/null 2>&1 || return 0
        sleep 1
    done
    return 1
}

if [ "${1:-}" = revive ]; then
    echo "libvirtd is started anew" >> /mnt/out/revived
    revive
    exit
fi
mkdir -p /var/log/libvirt /var/lib/libvirt /var/cache/libvirt
revive || {
    echo "Bail out! libvirtd does not start"
    exit 1
}
export HOTPLUG_REVIVE="$0 revive"
# shellcheck disable=SC2086 # several words
exec /mnt/src/tests/hotplug/run --adapter virsh --merged \
    --junit /mnt/out/virsh.xml --out /mnt/out/virsh ${HOTPLUG_CASES:-}
