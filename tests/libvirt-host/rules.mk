# SPDX-License-Identifier: LGPL-2.1-or-later
# QEMU guests of a libvirtd of its own, where anybody may be killed.

ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
CI_SUITES += check-libvirt-restart check-libvirt-restart-new \
	check-libvirt-watch check-libvirt-start check-libvirt-behind \
	check-libvirt-uris check-libvirt-next check-libvirt-next-new \
	check-libvirt-crash
LV_TESTS ?=
# What libvirt 12 and QEMU 11 do in another way than 9 and 7, for CI; all of
# it: make check-libvirt-restart-new LV_NEW_TESTS=
LV_SUITE ?= testing
LV_NEW_TESTS ?= libvirtd_killed_in_attach guest_answers_while_libvirtd_is_away \
	away_is_not_gone hung_monitor saved_and_restored \
	snapshot_and_block_copy medium_and_link upgraded many_in_one_list \
	asked_again stopped_between_asks of_one_moment kept_or_not

.PHONY: check-libvirt-restart check-libvirt-restart-new crash-virt \
	check-libvirt-watch check-libvirt-start check-libvirt-behind \
	check-libvirt-uris check-libvirt-next check-libvirt-next-new \
	check-libvirt-crash
check-libvirt-uris: all $(B)/tests/libvirt/asks
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/uris $(B) "$$images" \
		$(LV_TESTS)

check-libvirt-next: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/next $(B) "$$images" \
		$(LV_TESTS)

check-libvirt-next-new: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	root=$$(tests/libvirt-host/build-root $(LV_SUITE) \
		$(B)/libvirt-host/roots | tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/next $(B) "$$images" \
		--root "$$root" $(LV_TESTS)

check-libvirt-behind: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/behind $(B) "$$images" \
		$(LV_TESTS)

check-libvirt-start: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/start $(B) "$$images" \
		$(LV_TESTS)

check-libvirt-watch: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	XLCFG_BUILD=$(B) PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/watch \
		$(B) "$$images" $(LV_TESTS)

check-libvirt-restart: all $(addprefix $(B)/tests/libvirt/,asks flips)
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/restart $(B) "$$images" \
		$(LV_TESTS)

# xlcfg, libvirtd or QEMU killed at many moments of each act: half an hour.
# CI tries a few moments of each.
CRASH_VIRT_ROUNDS ?= 25
check-libvirt-crash: CRASH_VIRT_ROUNDS = 4
crash-virt check-libvirt-crash: all
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	XLCFG_CRASH_ROUNDS=$(CRASH_VIRT_ROUNDS) PYTHONDONTWRITEBYTECODE=1 \
		tests/libvirt-host/crash $(B) "$$images" $(LV_TESTS)

check-libvirt-restart-new: all $(addprefix $(B)/tests/libvirt/,asks flips)
	@images=$$(tests/libvirt-host/build-guest $(B)/libvirt-host/cache | \
		tail -n 1) && \
	root=$$(tests/libvirt-host/build-root $(LV_SUITE) \
		$(B)/libvirt-host/roots | tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-host/restart $(B) "$$images" \
		--root "$$root" $(LV_NEW_TESTS)
endif
