#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hotplug suite on xlcfg, in the machine of tests/xen-vm.
exec /mnt/src/tests/hotplug/run --adapter xlcfg --merged \
    --junit /mnt/out/xlcfg.xml --out /mnt/out/xlcfg
