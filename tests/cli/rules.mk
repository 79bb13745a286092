# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands and the C interface on a real xenstored.

CHECK_SUITES += check-cli-write check-cli-words
ifeq ($(WITH_XEN),y)
TEST_PROGRAMS += $(B)/tests/cli/retrieve
CHECK_SUITES += check-cli
endif

$(B)/tests/cli/retrieve: tests/cli/retrieve.c $(B)/lib/libxlcfg.so
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ilibxl-cfg $(XEN_CFLAGS) \
		-Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< -L$(B)/lib -lxlcfg \
		$(XEN_LIBS) -lpthread

.PHONY: check-cli check-cli-write check-cli-words
check-cli: all $(XS_PROGRAMS) $(B)/tests/cli/retrieve
	XLCFG_BUILD=$(B) tests/cli/run

check-cli-write: all
	XLCFG_BUILD=$(B) tests/cli/write

check-cli-words: all
	XLCFG_BUILD=$(B) tests/cli/words
