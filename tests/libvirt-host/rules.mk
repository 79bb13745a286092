# SPDX-License-Identifier: LGPL-2.1-or-later
# QEMU guests of a libvirtd of its own, where anybody may be killed.

ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
CI_SUITES += check-libvirt-restart
LV_TESTS ?=

.PHONY: check-libvirt-restart check-libvirt-restart-sid
check-libvirt-restart: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/restart $(B) "$$images" \
		$(LV_TESTS)

# Not in CI: it fetches some 150 MB, and sid changes every day.
check-libvirt-restart-sid: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	root=$$(tests/libvirt-host/build-root sid $(B)/libvirt-host/roots | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/restart $(B) "$$images" \
		--root "$$root" $(LV_TESTS)
endif
