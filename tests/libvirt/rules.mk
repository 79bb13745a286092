# SPDX-License-Identifier: LGPL-2.1-or-later
# Domain XML both ways, and the libvirt driver against libvirt itself.

ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
LV_OUT := $(B)/tests/libvirt
LV_C := $(wildcard libxl-cfg/core/*.c) $(VIRT_SRC) \
	$(wildcard libxl-cfg/driver/mem*.c) libxl-cfg/driver/xen_none.c \
	libxl-cfg/driver/driver.c
LV_PKG := libvirt libvirt-qemu libxml-2.0 yajl nettle
TEST_PROGRAMS += $(LV_OUT)/virt_test
CHECK_SUITES += check-libvirt

$(LV_OUT)/virt_test: tests/libvirt/virt_test.c $(LV_C) \
		$(wildcard libxl-cfg/*.h libxl-cfg/*/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -Ilibxl-cfg \
		$(shell pkg-config --cflags $(LV_PKG)) -o $@ $< $(LV_C) \
		$(shell pkg-config --libs $(LV_PKG)) -lpthread

.PHONY: check-libvirt
check-libvirt: $(LV_OUT)/virt_test
	$< tests/libvirt/domains
endif
