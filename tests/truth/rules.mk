# SPDX-License-Identifier: LGPL-2.1-or-later
# What libxl answers, what we answer, and what is right, side by side.

ifeq ($(WITH_XEN),y)
CHECK_SUITES += check-truth
endif

.PHONY: truth check-truth
truth check-truth: $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/truth/run
