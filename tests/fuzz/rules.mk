# SPDX-License-Identifier: LGPL-2.1-or-later
# Fuzz targets: clang's libFuzzer with the address and undefined sanitizers.
# The whole library is rebuilt for them, below B.

FUZZ_OUT := $(B)/tests/fuzz
FUZZ_NAMES := json_fuzz template_fuzz ovf_fuzz \
	$(if $(filter y,$(WITH_XEN)),xenview_fuzz) \
	$(if $(filter y,$(WITH_LIBVIRT)$(if $(VIRT_SRC),,n)),xml_fuzz)
CI_SUITES += check-fuzz

$(FUZZ_OUT)/%: tests/fuzz/%.c tests/fuzz/fuzz.h $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -fsanitize=fuzzer -o $@ $< \
		$(filter-out $(FUZZ_OWN),$(LIB_OBJ)) $(LIBS)

# It says itself what the hypervisor and xenstored answer.
$(FUZZ_OUT)/xenview_fuzz: FUZZ_OWN := %/driver/xen_hv.o %/driver/xen_wire.o

.PHONY: fuzz check-fuzz fuzz-programs
fuzz-programs: $(FUZZ_NAMES:%=$(FUZZ_OUT)/%)

fuzz check-fuzz:
	+@$(MAKE) --no-print-directory B=$(B)/fuzz CC=clang fuzz-programs \
		CFLAGS="-O1 -g -fno-omit-frame-pointer \
		-fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=undefined"
	@tests/fuzz/run $(B)/fuzz/tests/fuzz $(FUZZ_NAMES)
