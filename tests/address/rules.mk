# SPDX-License-Identifier: LGPL-2.1-or-later
# Addresses and hashes: what keeps them, and what changes them.

CHECK_SUITES += check-address

.PHONY: check-address
check-address: all
	@XLCFG_BUILD=$(abspath $(B)) tests/address/book
