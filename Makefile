# SPDX-License-Identifier: LGPL-2.1-or-later
# The one Makefile.  `make help` says what there is.

include Config.mk

B ?= build
VERSION := $(shell sed -n 's/.*VERSION_STRING "\(.*\)"/\1/p' \
	libxl-cfg/libxl_cfg.h)

CPPFLAGS := -D_GNU_SOURCE -Ilibxl-cfg
DEPS := yajl nettle sqlite3 libxml-2.0
CORE_SRC := $(wildcard libxl-cfg/core/*.c)
STORE_SRC := $(wildcard libxl-cfg/store/*.c)
OPS_SRC := $(filter-out %/retrieve_xl.c,$(wildcard libxl-cfg/ops/*.c))
XEN_SRC := $(filter-out %_none.c,$(wildcard libxl-cfg/driver/xen_*.c))
VIRT_SRC := $(filter-out %_none.c,$(wildcard libxl-cfg/driver/virt_*.c))
DRIVER_SRC := $(addprefix libxl-cfg/driver/,driver.c deadline.c crew.c) \
	$(wildcard libxl-cfg/driver/mem*.c)

ifeq ($(WITH_XEN),y)
DEPS += xenlight xenstore
XEN_CFLAGS := $(shell pkg-config --cflags xenlight xenstore)
XEN_LIBS := $(shell pkg-config --libs xenlight xenstore)
DRIVER_SRC += $(XEN_SRC)
OPS_SRC += libxl-cfg/ops/retrieve_xl.c
FACADE_SRC := $(wildcard libxl-cfg/facade/*.c)
FACADE := $(B)/lib/libxlcfg-libxl.so
MAP := libxl-cfg/libxl_cfg.map
else
DRIVER_SRC += libxl-cfg/driver/xen_none.c
MAP := $(B)/libxl_cfg_noxen.map
endif
ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
# its headers; the library itself is loaded by who needs it (virt_lib.c)
VIRT_CFLAGS := $(shell pkg-config --cflags libvirt libvirt-qemu)
VIRT_LIBS := $(shell pkg-config --libs libvirt libvirt-qemu)
DRIVER_SRC += $(VIRT_SRC)
else
DRIVER_SRC += libxl-cfg/driver/virt_none.c
endif

LIB_SRC := $(CORE_SRC) $(STORE_SRC) $(DRIVER_SRC) $(OPS_SRC)
TOOL_SRC := $(wildcard tools/xlcfg/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
TOOL_OBJ := $(TOOL_SRC:%.c=$(B)/obj/%.o)
FACADE_OBJ := $(FACADE_SRC:%.c=$(B)/obj/%.o)
DEP_CFLAGS := $(shell pkg-config --cflags $(DEPS)) $(VIRT_CFLAGS)
DEP_LIBS := $(shell pkg-config --libs $(DEPS))
XENTOOLLOG := $(if $(filter y,$(WITH_XEN)),-lxentoollog)
LIBS := $(DEP_LIBS) $(XENTOOLLOG) -lpthread

.PHONY: all help clean install uninstall check demo deps FORCE
all: $(B)/bin/xlcfg $(B)/lib/libxlcfg.so $(FACADE)

help:
	@sed -n 's/^#h //p' Makefile

#h make                build/bin/xlcfg, build/lib/libxlcfg.so, and with Xen
#h                     build/lib/libxlcfg-libxl.so, to be preloaded
#h make demo           install what is missing, build, run the main job
#h make check          install what is missing, build, run the tests
#h make truth          stock libxl's answers beside ours, case by case
#h make bench          speed, paired with stock libxl in the same run
#h make hotplug        the hotplug suite on plain xl and on xlcfg, in that Xen
#h make hotplug-kvm    the same on plain virsh and on xlcfg, with QEMU guests
#h make crash          plugs killed at each of their steps, then settled
#h make crash-virt     xlcfg, libvirtd, QEMU killed at many moments of each act
#h make check-model    the plug protocol's model, searched by spin
#h make bench-xen      the same on a real Xen, booted in QEMU
#h make check-xen      the tests inside a real Xen, booted in QEMU
#h make sanitize       the unit tests under the sanitizers and valgrind
#h make fuzz           the fuzz targets with a fixed budget
#h make install        DESTDIR= PREFIX=/usr/local
#h make clean
#h
#h WITH_XEN=y|n|auto  WITH_LIBVIRT=y|n|auto    (see Config.mk)

$(B)/obj/%.o: %.c Makefile Config.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -fPIC -fvisibility=default \
		-MMD -MP -c -o $@ $<

# The schemas are taken in by the assembler, which writes no dependencies.
$(B)/obj/libxl-cfg/ops/schema.o: $(wildcard json-schema/*.json)

$(B)/libxl_cfg_noxen.map: libxl-cfg/libxl_cfg.map
	@mkdir -p $(@D)
	grep -v xlcfg_retrieve_domain_configuration $< > $@

$(B)/lib/libxlcfg.so.0: $(LIB_OBJ) $(MAP)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -Wl,-soname,libxlcfg.so.0 -Wl,-z,defs \
		-Wl,--version-script=$(MAP) -o $@ $(LIB_OBJ) $(LIBS)

$(B)/lib/libxlcfg.so: $(B)/lib/libxlcfg.so.0
	ln -sf libxlcfg.so.0 $@

# Preloaded into every child too: nothing but the C library is linked in.
$(B)/lib/libxlcfg-libxl.so: $(FACADE_OBJ) $(B)/lib/libxlcfg.so
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -Wl,-soname,libxlcfg-libxl.so -Wl,-z,defs \
		-Wl,-rpath,'$$ORIGIN' -o $@ $(FACADE_OBJ)

$(B)/bin/xlcfg: $(TOOL_OBJ) $(B)/lib/libxlcfg.so
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wl,-rpath,'$$ORIGIN/../lib' -o $@ $(TOOL_OBJ) \
		-L$(B)/lib -lxlcfg

-include $(LIB_OBJ:.o=.d) $(TOOL_OBJ:.o=.d) $(FACADE_OBJ:.o=.d)

# ---- tests -----------------------------------------------------------------

TEST_PROGRAMS :=
CHECK_SUITES :=
CI_SUITES :=
# the private xenstored's variables are used by the others' rules
include tests/xenstore/rules.mk
include $(filter-out tests/xenstore/%,$(wildcard tests/*/rules.mk))
truth check-truth: all

deps:
	scripts/deps build check

check: deps
	@$(MAKE) --no-print-directory check-built

.PHONY: check-built
check-built: all $(TEST_PROGRAMS)
	@scripts/run-suites $(CHECK_SUITES)

demo: deps
	@$(MAKE) --no-print-directory all $(B)/tests/xenstore/hv.so \
		$(B)/tests/xenstore/stock
	@XLCFG_BUILD=$(B) tests/demo/demo
	@$(MAKE) --no-print-directory demo-kvm

# Asked again: libvirt may be there only since `deps`.
.PHONY: demo-kvm
demo-kvm:
ifeq ($(WITH_LIBVIRT),y)
	@XLCFG_BUILD=$(B) tests/demo/demo-kvm
else
	@echo "no KVM part: this build has no libvirt"
endif

# ---- installation ----------------------------------------------------------

MAN1 := $(wildcard docs/man/*.1)

$(B)/libxl-cfg.pc: libxl-cfg/libxl-cfg.pc.in Config.mk
	@mkdir -p $(@D)
	sed -e 's#@PREFIX@#$(PREFIX)#' -e 's#@LIBDIR@#$(LIBDIR)#' \
		-e 's#@INCLUDEDIR@#$(INCLUDEDIR)#' \
		-e 's#@VERSION@#$(VERSION)#' $< > $@

install: all $(B)/libxl-cfg.pc
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(DATADIR)/libxl-cfg/json-schema
	install -m 755 $(B)/bin/xlcfg $(DESTDIR)$(BINDIR)/xlcfg
	install -m 755 $(B)/lib/libxlcfg.so.0 $(DESTDIR)$(LIBDIR)/
	ln -sf libxlcfg.so.0 $(DESTDIR)$(LIBDIR)/libxlcfg.so
	install -m 644 $(B)/libxl-cfg.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 libxl-cfg/libxl_cfg.h $(DESTDIR)$(INCLUDEDIR)/
ifeq ($(WITH_XEN),y)
	install -m 755 $(FACADE) $(DESTDIR)$(LIBDIR)/
	install -m 644 libxl-cfg/libxl_cfg_xl.h $(DESTDIR)$(INCLUDEDIR)/
endif
	install -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1/
	install -m 644 json-schema/*.json \
		$(DESTDIR)$(DATADIR)/libxl-cfg/json-schema/

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/xlcfg $(DESTDIR)$(LIBDIR)/libxlcfg.so*
	rm -f $(DESTDIR)$(LIBDIR)/libxlcfg-libxl.so
	rm -f $(DESTDIR)$(LIBDIR)/pkgconfig/libxl-cfg.pc
	rm -f $(DESTDIR)$(INCLUDEDIR)/libxl_cfg.h
	rm -f $(DESTDIR)$(INCLUDEDIR)/libxl_cfg_xl.h
	rm -f $(MAN1:docs/man/%=$(DESTDIR)$(MANDIR)/man1/%)
	rm -rf $(DESTDIR)$(DATADIR)/libxl-cfg

clean:
	rm -rf $(B)

# ---- CI ----------------------------------------------------------------------

.PHONY: ci
ci:
	@$(MAKE) --no-print-directory -j2 all $(TEST_PROGRAMS)
	@scripts/run-suites -- check-xen $(CHECK_SUITES) $(CI_SUITES)
