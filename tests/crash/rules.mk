# SPDX-License-Identifier: LGPL-2.1-or-later
# Plugs killed at each of their steps.

CR_SRC := tests/crash
CR_OUT := $(B)/tests/crash
TEST_PROGRAMS += $(CR_OUT)/killer.so
ifeq ($(WITH_XEN),y)
CI_SUITES += check-crash check-crash-host
endif

# Without _FORTIFY_SOURCE: it makes an inline of open(), defined here.
$(CR_OUT)/killer.so: $(CR_SRC)/killer.c $(CR_SRC)/board.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -U_FORTIFY_SOURCE -D_GNU_SOURCE -fPIC -shared -o $@ \
		$< -ldl

.PHONY: crash check-crash check-crash-host
crash: all $(CR_OUT)/killer.so $(XS_OUT)/hv.so
	XLCFG_BUILD=$(B) $(CR_SRC)/run
	XLCFG_BUILD=$(B) $(CR_SRC)/host

# For CI: not each call but each seventh, and what is wrong is tried again.
check-crash: all $(CR_OUT)/killer.so $(XS_OUT)/hv.so
	XLCFG_BUILD=$(B) $(CR_SRC)/run --stride 7 --settle 3 --fault-stride 12 \
		--workers 2 --confirm

check-crash-host: all $(XS_OUT)/hv.so
	XLCFG_BUILD=$(B) $(CR_SRC)/host --points 6
