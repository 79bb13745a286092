# SPDX-License-Identifier: LGPL-2.1-or-later
# Attach, detach and settle with the real libxl and a private xenstored.

CHECK_SUITES += check-plug

.PHONY: check-plug
check-plug: all $(XS_OUT)/hv.so $(XS_OUT)/stock
	XLCFG_BUILD=$(B) tests/plug/run
	XLCFG_BUILD=$(B) tests/plug/run --oxenstored numbers_do_not_collide
