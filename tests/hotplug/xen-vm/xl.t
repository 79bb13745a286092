#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hotplug suite on xl, in the machine of tests/xen-vm.
exec /mnt/src/tests/hotplug/run --adapter xl --merged \
    --junit /mnt/out/xl.xml --out /mnt/out/xl
