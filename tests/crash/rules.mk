# SPDX-License-Identifier: LGPL-2.1-or-later
# Plugs killed at each of their steps.

CR_SRC := tests/crash
CR_OUT := $(B)/tests/crash
TEST_PROGRAMS += $(CR_OUT)/killer.so
CI_SUITES += crash

# Without _FORTIFY_SOURCE: it makes an inline of open(), defined here.
$(CR_OUT)/killer.so: $(CR_SRC)/killer.c $(CR_SRC)/board.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -U_FORTIFY_SOURCE -D_GNU_SOURCE -fPIC -shared -o $@ \
		$< -ldl

.PHONY: crash
crash: all $(CR_OUT)/killer.so $(XS_OUT)/hv.so
	XLCFG_BUILD=$(B) $(CR_SRC)/run
