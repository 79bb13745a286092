# SPDX-License-Identifier: LGPL-2.1-or-later
# Compare-and-set: many processes, one store, no lost update.

TEST_PROGRAMS += $(B)/tests/cas/cas
CHECK_SUITES += check-cas
CI_SUITES += check-cas-long

$(B)/tests/cas/cas: tests/cas/cas.c $(B)/lib/libxlcfg.so
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ilibxl-cfg -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< \
		-L$(B)/lib -lxlcfg

.PHONY: check-cas check-cas-long
check-cas: $(B)/tests/cas/cas
	$< 8 25

check-cas-long: $(B)/tests/cas/cas
	$< 8 1000
