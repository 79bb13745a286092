# SPDX-License-Identifier: LGPL-2.1-or-later
# Speed, paired with stock libxl and with bare yajl in the same run.

BENCH_DOC := $(B)/tests/bench/doc

$(BENCH_DOC): tests/bench/doc.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< $(LIB_OBJ) $(LIBS)

BENCH_WATCH := $(B)/tests/bench/watch

$(BENCH_WATCH): tests/bench/watch.c tests/bench/latency.c \
		tests/bench/latency.h $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) $(XEN_CFLAGS) -o $@ \
		$(filter %.c,$^) $(LIB_OBJ) $(LIBS)

ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
BENCH_VIRT := $(B)/tests/bench/virt

$(B)/tests/bench/virt: tests/bench/virt.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< $(LIB_OBJ) $(LIBS) \
		$(VIRT_LIBS)
endif

ifneq ($(BENCH_VIRT),)
BENCH_VIRT += $(B)/tests/bench/virt_watch

$(B)/tests/bench/virt_watch: tests/bench/virt_watch.c \
		tests/bench/latency.c tests/bench/latency.h $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $(filter %.c,$^) \
		$(LIB_OBJ) $(LIBS) $(VIRT_LIBS)
endif

BENCH_PLUG := $(B)/tests/bench/plug

# As a caller would link it; found beside the library in a guest's dom0, too.
$(BENCH_PLUG): tests/bench/plug.c $(B)/lib/libxlcfg.so
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) \
		-Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $< \
		-L$(B)/lib -lxlcfg $(XEN_LIBS) -lxentoollog

ifeq ($(WITH_XEN),y)
CHECK_SUITES += check-requests
endif
.PHONY: bench bench-xen check-requests
check-requests: all $(XS_PROGRAMS)
	@XLCFG_BUILD=$(B) tests/xenstore/xs-run -- tests/bench/retrieve $(B) \
		--limits
# On a real Xen, in the machine of tests/xen-vm, timed by instructions.
bench-xen: all $(BENCH_PLUG) $(XS_PROGRAMS)
	@tests/xen-vm/vm --build $(B) --steady --timeout 6000 exec \
		'BENCH_RUNS=$(BENCH_RUNS) /mnt/src/tests/bench/xen'

bench: all $(BENCH_DOC) $(BENCH_WATCH) $(BENCH_PLUG) $(BENCH_VIRT) \
		$(XS_PROGRAMS)
	@$(BENCH_DOC)
	@XLCFG_BUILD=$(B) tests/xenstore/xs-run -- tests/bench/plugs $(B)
	@XLCFG_BUILD=$(B) tests/xenstore/xs-run -- tests/bench/retrieve $(B)
	@XLCFG_BUILD=$(B) tests/xenstore/xs-run -- tests/bench/events $(B)
	$(if $(BENCH_VIRT),@PYTHONDONTWRITEBYTECODE=1 tests/bench/guests $(B))
