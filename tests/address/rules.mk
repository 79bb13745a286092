# SPDX-License-Identifier: LGPL-2.1-or-later
# Addresses and hashes: what keeps them, and what changes them.

CHECK_SUITES += check-address check-hash
CI_SUITES += check-address-killed
ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
CI_SUITES += check-address-qemu check-hash-virt
endif
ifeq ($(WITH_XEN),y)
CI_SUITES += check-hash-xen
endif

.PHONY: check-address check-address-killed check-address-qemu check-hash check-hash-virt \
	check-hash-xen
check-address: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/book

check-address-killed: all $(B)/tests/crash/killer.so
	@XLCFG_BUILD=$(abspath $(B)) tests/address/killed

# Real QEMU guests, without an operating system.
check-address-qemu: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/qemu

check-hash: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/hash

# A guest in a real xenstored; and one of libvirt's, with its XML as judge.
check-hash-xen: all $(XS_OUT)/hv.so
	@XLCFG_BUILD=$(abspath $(B)) tests/address/hash-xen

check-hash-virt: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/hash-virt
