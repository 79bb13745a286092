# SPDX-License-Identifier: LGPL-2.1-or-later
# The private xenstored of the tests, and what lays out domains in it.

XS_SRC := tests/xenstore
XS_OUT := $(B)/tests/xenstore
XS_PROGRAMS := $(XS_OUT)/hv.so $(XS_OUT)/stock
XS_HV_C := $(addprefix $(XS_SRC)/,hv.c hv_pci.c hv_xc.c hv_xsd.c)

# its peer is the real libxl
ifeq ($(WITH_XEN),y)
TEST_PROGRAMS += $(XS_PROGRAMS)
CHECK_SUITES += check-xenstore
endif

# Without _FORTIFY_SOURCE: it makes an inline of open(), defined here.
$(XS_OUT)/hv.so: $(XS_HV_C) $(XS_SRC)/hv.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -U_FORTIFY_SOURCE -fPIC -shared -o $@ $(XS_HV_C) -ldl

$(XS_OUT)/stock: $(XS_SRC)/stock.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(XEN_CFLAGS) -o $@ $< $(XEN_LIBS) -lxentoollog

.PHONY: check-xenstore
check-xenstore: $(XS_PROGRAMS)
	XLCFG_BUILD=$(B) $(XS_SRC)/selftest
