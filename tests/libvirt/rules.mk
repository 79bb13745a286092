# SPDX-License-Identifier: LGPL-2.1-or-later
# Domain XML both ways, and the libvirt driver against libvirt itself.

ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
LV_OUT := $(B)/tests/libvirt
LV_C := $(wildcard libxl-cfg/core/*.c) $(VIRT_SRC) \
	$(wildcard libxl-cfg/driver/mem*.c) libxl-cfg/driver/xen_none.c \
	libxl-cfg/driver/driver.c libxl-cfg/driver/deadline.c \
	libxl-cfg/driver/crew.c
LV_PKG := libvirt libvirt-qemu libxml-2.0 yajl nettle
LV_QEMU := $(addprefix $(LV_OUT)/,qemu_test make_test half_test refuse_test)
TEST_PROGRAMS += $(LV_OUT)/virt_test $(LV_OUT)/part_test \
	$(LV_OUT)/same_test $(LV_OUT)/bad_test $(LV_OUT)/loop_test $(LV_OUT)/asks \
	$(LV_OUT)/flips $(LV_QEMU)
CHECK_SUITES += check-libvirt check-libvirt-qemu

LV_CLAIM := tests/libvirt/claim.c

$(LV_OUT)/virt_test: tests/libvirt/virt_test.c $(LV_CLAIM) $(LV_C) \
		$(wildcard tests/libvirt/*.h) $(wildcard libxl-cfg/*.h libxl-cfg/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -Ilibxl-cfg \
		$(shell pkg-config --cflags $(LV_PKG)) -o $@ $< \
		$(LV_CLAIM) $(LV_C) \
		$(shell pkg-config --libs $(LV_PKG)) -lpthread

$(LV_QEMU): $(LV_OUT)/%: tests/libvirt/%.c tests/libvirt/host.c \
		$(LV_CLAIM) $(wildcard tests/libvirt/*.h) $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< \
		tests/libvirt/host.c $(LV_CLAIM) $(LIB_OBJ) $(LIBS) \
		$(VIRT_LIBS)

$(LV_OUT)/part_test $(LV_OUT)/same_test $(LV_OUT)/bad_test \
		$(LV_OUT)/loop_test: $(LV_OUT)/%: \
		tests/libvirt/%.c $(LV_CLAIM) tests/libvirt/claim.h $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< $(LV_CLAIM) \
		$(LIB_OBJ) $(LIBS) $(VIRT_LIBS)

$(LV_OUT)/flips: tests/libvirt/flips.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(VIRT_CFLAGS) -o $@ $< $(VIRT_LIBS)

$(LV_OUT)/asks: tests/libvirt/asks.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< $(LIB_OBJ) $(LIBS) \
		$(VIRT_LIBS)

.PHONY: check-libvirt check-libvirt-qemu
check-libvirt: $(addprefix $(LV_OUT)/,virt_test part_test same_test bad_test \
		loop_test)
	$< tests/libvirt/domains
	@$(LV_OUT)/part_test tests/libvirt/domains
	@$(LV_OUT)/same_test
	@$(LV_OUT)/bad_test
	@$(LV_OUT)/loop_test

# Real QEMU guests, without an operating system.
check-libvirt-qemu: $(LV_QEMU)
	@tests/libvirt/run $(LV_QEMU)
endif
