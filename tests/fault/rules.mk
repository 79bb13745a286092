# SPDX-License-Identifier: LGPL-2.1-or-later
# Every allocation, and every call of the store, made to fail once.

FA_OUT := $(B)/tests/fault
FA_C := $(wildcard libxl-cfg/core/*.c libxl-cfg/driver/mem*.c \
	libxl-cfg/driver/*_none.c) libxl-cfg/driver/driver.c
FA_WRAP := malloc calloc realloc strdup free vasprintf asprintf
F_WRAP := $(addprefix xlcfg__state_,open seen devices record intents \
	template_get addresses note_addresses trim)
FS_WRAP := $(F_WRAP) $(addprefix xlcfg__state_,version lines history \
	by_version snapshot at when token choice_put address_reset \
	intent_put intent_drop creation_fail template_put)
FP_WRAP := $(F_WRAP) $(addprefix xlcfg__state_,finish intent_begin creations \
	creation_begin template_named drop_address) \
	$(addprefix xlcfg__template_,read write tidy lock) xlcfg__lock_take \
	malloc calloc realloc strdup vasprintf asprintf
TEST_PROGRAMS += $(FA_OUT)/alloc $(FA_OUT)/store $(FA_OUT)/plug
CHECK_SUITES += check-fault check-fault-store check-fault-plug
CI_SUITES += check-fault-plug-memory

$(FA_OUT)/alloc: tests/fault/alloc.c $(FA_C) \
		$(wildcard libxl-cfg/*.h libxl-cfg/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -U_FORTIFY_SOURCE -D_GNU_SOURCE -Ilibxl-cfg \
		-DXLCFG__ARENA_MOST=16 $(shell pkg-config --cflags libxml-2.0) \
		-o $@ $< $(FA_C) $(FA_WRAP:%=-Wl,--wrap=%) -lyajl -lnettle -lxml2

$(FA_OUT)/store: tests/fault/store.c tests/fault/wrap.h $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(LIB_OBJ) \
		$(FS_WRAP:%=-Wl,--wrap=%) $(LIBS)

$(FA_OUT)/plug: tests/fault/plug.c tests/fault/wrap.h \
		tests/fault/allocations.h $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -U_FORTIFY_SOURCE -o $@ $< $(LIB_OBJ) \
		$(FP_WRAP:%=-Wl,--wrap=%) $(LIBS)

.PHONY: check-fault check-fault-store check-fault-plug \
	check-fault-plug-memory
check-fault: $(FA_OUT)/alloc
	$<

check-fault-store: $(FA_OUT)/store
	$<

check-fault-plug: $(FA_OUT)/plug
	$< store

check-fault-plug-memory: $(FA_OUT)/plug
	$< memory

# Over the drivers of Xen and libvirt, on the whole program.
ifeq ($(WITH_XEN),y)
CI_SUITES += check-fault-live
TEST_PROGRAMS += $(FA_OUT)/deny.so
endif

$(FA_OUT)/deny.so: tests/fault/deny.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -U_FORTIFY_SOURCE -fno-builtin -fPIC \
		-shared -o $@ $<

.PHONY: check-fault-live
check-fault-live: all $(FA_OUT)/deny.so $(XS_PROGRAMS)
	@XLCFG_BUILD=$(B) tests/fault/live

# Plugs through libvirt into a real QEMU guest; every STRIDE-th allocation.
ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
FV_WRAP := malloc calloc realloc strdup vasprintf asprintf
FAULT_VIRT_STRIDE ?= 11
CI_SUITES += check-fault-virt
TEST_PROGRAMS += $(FA_OUT)/virt

$(FA_OUT)/virt: tests/fault/virt.c tests/libvirt/host.c \
		tests/libvirt/claim.c $(wildcard tests/libvirt/*.h) \
		tests/fault/allocations.h $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -U_FORTIFY_SOURCE -o $@ $< \
		tests/libvirt/host.c tests/libvirt/claim.c $(LIB_OBJ) \
		$(FV_WRAP:%=-Wl,--wrap=%) $(LIBS) $(VIRT_LIBS)

.PHONY: check-fault-virt
check-fault-virt: $(FA_OUT)/virt
	@tests/fault/hosted $< calls
	@tests/fault/hosted $< memory $(FAULT_VIRT_STRIDE)

# Each allocation, without a stride: a quarter of an hour, no part of CI.
.PHONY: fault-virt-all
fault-virt-all: $(FA_OUT)/virt
	@tests/fault/hosted $< memory 1
endif
