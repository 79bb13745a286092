# SPDX-License-Identifier: LGPL-2.1-or-later
# A xenstored that is stopped, killed, or started anew.

ifeq ($(WITH_XEN),y)
CHECK_SUITES += check-outage

.PHONY: check-outage
check-outage: all $(XS_PROGRAMS)
	XLCFG_BUILD=$(B) tests/outage/run
endif
