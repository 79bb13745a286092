# SPDX-License-Identifier: LGPL-2.1-or-later
# OVF: there and back, hostile envelopes; and those that others wrote.

.PHONY: check-ovf check-ovf-package check-ovf-corpus check-ovf-xen \
	check-ovf-libvirt
CHECK_SUITES += check-ovf check-ovf-package
CI_SUITES += check-ovf-corpus
ifeq ($(WITH_XEN),y)
CHECK_SUITES += check-ovf-xen
endif
ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
CI_SUITES += check-ovf-libvirt
endif

check-ovf: all
	tests/ovf/run $(B)

# With copies of the disks.
check-ovf-package: all
	@XLCFG_BUILD=$(abspath $(B)) tests/ovf/package

check-ovf-corpus: all
	tests/ovf/corpus $(B)

# From host to host: guests of a real xenstored, and of QEMU.
check-ovf-xen: all $(XS_OUT)/hv.so
	@XLCFG_BUILD=$(abspath $(B)) tests/ovf/hosts xen

check-ovf-libvirt: all
	@XLCFG_BUILD=$(abspath $(B)) tests/ovf/hosts libvirt
