# SPDX-License-Identifier: LGPL-2.1-or-later
# Events, history and waiting on a real xenstored; listings beside a watcher;
# many watchers; and for some minutes with everything killed at random.

ifeq ($(WITH_XEN),y)
CHECK_SUITES += check-watch check-kept check-follow
CI_SUITES += check-watch-slow check-watch-disk check-soak
endif

.PHONY: check-watch check-watch-slow check-kept check-follow check-watch-disk \
	check-soak
check-watch: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/run

check-kept: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/kept

check-follow: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/follow

check-watch-disk: all $(XS_PROGRAMS)
	XLCFG_BUILD=$(B) tests/watch/disk

check-watch-slow: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/run --slow

check-soak: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/watch/soak
