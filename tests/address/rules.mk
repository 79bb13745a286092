# SPDX-License-Identifier: LGPL-2.1-or-later
# Addresses and hashes: what keeps them, and what changes them.

CHECK_SUITES += check-address check-hash
ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
CI_SUITES += check-address-qemu
endif

.PHONY: check-address check-address-qemu check-hash
check-address: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/book

# Real QEMU guests, without an operating system.
check-address-qemu: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/qemu

check-hash: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/hash
