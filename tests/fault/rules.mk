# SPDX-License-Identifier: LGPL-2.1-or-later
# Every allocation made to fail once.

FA_OUT := $(B)/tests/fault
FA_C := $(wildcard libxl-cfg/core/*.c libxl-cfg/driver/mem*.c \
	libxl-cfg/driver/*_none.c) libxl-cfg/driver/driver.c
FA_WRAP := malloc calloc realloc strdup free vasprintf asprintf
TEST_PROGRAMS += $(FA_OUT)/alloc
CHECK_SUITES += check-fault

$(FA_OUT)/alloc: tests/fault/alloc.c $(FA_C) \
		$(wildcard libxl-cfg/*.h libxl-cfg/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -U_FORTIFY_SOURCE -D_GNU_SOURCE -Ilibxl-cfg -o $@ $< \
		$(FA_C) $(FA_WRAP:%=-Wl,--wrap=%) -lyajl -lnettle

.PHONY: check-fault
check-fault: $(FA_OUT)/alloc
	$<
