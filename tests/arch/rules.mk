# SPDX-License-Identifier: LGPL-2.1-or-later
# Arrows point down only; what is exported; what builds without what.

CHECK_SUITES += check-arch

.PHONY: check-arch
check-arch: all
	+@MAKE="$(MAKE)" WITH_XEN=$(WITH_XEN) WITH_LIBVIRT=$(WITH_LIBVIRT) \
		PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 \
		tests/arch/check.py $(B)
