# SPDX-License-Identifier: LGPL-2.1-or-later
# The hotplug suite: what can be said of it without a hypervisor; on QEMU guests
# of a libvirtd of its own; and on Xen.

.PHONY: check-hotplug check-hotplug-kvm hotplug hotplug-kvm
CHECK_SUITES += check-hotplug

check-hotplug:
	tests/hotplug/selftest

# On plain xl and on xlcfg, in a real Xen booted in QEMU: some 15 minutes each.
# HOTPLUG_ON=virsh: on libvirt's driver of Xen.
HOTPLUG_ON ?= xl xlcfg
hotplug: all
	tests/xen-vm/vm --build $(B) --timeout 5400 test \
		$(HOTPLUG_ON:%=tests/hotplug/xen-vm/%.t)

ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
CI_SUITES += check-hotplug-kvm
HOTPLUG_CASES ?=
HOTPLUG_KVM = images=$$(tests/libvirt-host/build-guest \
		$(B)/libvirt-host/cache | tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/hotplug/kvm $(B) "$$images"

# HOTPLUG_CASES="NAME...": some of it
check-hotplug-kvm: all
	@$(HOTPLUG_KVM) --adapter xlcfg $(HOTPLUG_CASES)

# On plain virsh and on xlcfg: some 5 minutes each.
hotplug-kvm: all
	$(HOTPLUG_KVM) --adapter virsh $(HOTPLUG_CASES)
	$(HOTPLUG_KVM) --adapter xlcfg $(HOTPLUG_CASES)
endif
