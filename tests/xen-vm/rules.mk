# SPDX-License-Identifier: LGPL-2.1-or-later
# A real Xen: not among the suites of "make check", for it takes minutes.

# Machines at the same time; each keeps one processor busy and takes 1.5 GiB.
XEN_VM_JOBS ?= 1
XEN_VM_TESTS ?= $(sort $(wildcard tests/xen-vm/t/*.t))

.PHONY: check-xen xen-images

check-xen: all $(B)/tests/crash/killer.so
	tests/xen-vm/vm --build $(B) --jobs $(XEN_VM_JOBS) test $(XEN_VM_TESTS)

xen-images:
	tests/xen-vm/build-images $(B)/xen-vm/cache
