# SPDX-License-Identifier: LGPL-2.1-or-later
# A real Xen: not among the suites of "make check", for it takes minutes.

.PHONY: check-xen xen-images

check-xen:
	tests/xen-vm/vm --build $(B) test $(sort $(wildcard tests/xen-vm/t/*.t))

xen-images:
	tests/xen-vm/build-images $(B)/xen-vm/cache
