# SPDX-License-Identifier: LGPL-2.1-or-later
# The hotplug suite needs a Xen host; here is what can be said without one.

.PHONY: check-hotplug hotplug
CHECK_SUITES += check-hotplug

check-hotplug:
	tests/hotplug/selftest

# On plain xl and on xlcfg, in a real Xen booted in QEMU: some 15 minutes each.
HOTPLUG_ON ?= xl xlcfg
hotplug: all
	tests/xen-vm/vm --build $(B) --timeout 2700 test \
		$(HOTPLUG_ON:%=tests/hotplug/xen-vm/%.t)
