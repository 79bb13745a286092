# SPDX-License-Identifier: LGPL-2.1-or-later
# The hotplug suite needs a Xen host; here is what can be said without one.

.PHONY: check-hotplug
CHECK_SUITES += check-hotplug

check-hotplug:
	tests/hotplug/selftest
