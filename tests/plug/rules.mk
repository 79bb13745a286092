# SPDX-License-Identifier: LGPL-2.1-or-later
# Attach, detach and settle with the real libxl and a private xenstored.

ifeq ($(WITH_XEN),y)
PLUG_CONFIG := $(B)/tests/plug/config
PLUG_KEEP := $(B)/tests/plug/keep

TEST_PROGRAMS += $(PLUG_CONFIG) $(PLUG_KEEP)
CHECK_SUITES += check-plug

$(PLUG_CONFIG): tests/plug/config.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< $(LIB_OBJ) $(LIBS)

$(PLUG_KEEP): tests/plug/keep.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< $(LIB_OBJ) $(LIBS)

.PHONY: check-plug
check-plug: all $(XS_OUT)/hv.so $(XS_OUT)/stock $(PLUG_CONFIG) \
		$(PLUG_KEEP) \
		$(B)/tests/schema/print
	XLCFG_BUILD=$(B) tests/plug/run
	XLCFG_BUILD=$(B) tests/plug/run --oxenstored numbers_do_not_collide
endif
