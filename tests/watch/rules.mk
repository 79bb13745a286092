# SPDX-License-Identifier: LGPL-2.1-or-later
# Events, history and waiting on a real xenstored; and for some minutes with
# everything killed at random.

CHECK_SUITES += check-watch
CI_SUITES += check-watch-slow check-soak

.PHONY: check-watch check-watch-slow check-soak
check-watch: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/run

check-watch-slow: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/run --slow

check-soak: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/soak
