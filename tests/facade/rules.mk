# SPDX-License-Identifier: LGPL-2.1-or-later
# libxl with the facade before it; tests/truth has the answers themselves.

ifeq ($(WITH_XEN),y)
FACADE_OUT := $(B)/tests/facade
FACADE_PROGRAMS := $(FACADE_OUT)/caller $(FACADE_OUT)/libxenlight.so.9 \
	$(FACADE_OUT)/module.so $(FACADE_OUT)/linked $(FACADE_OUT)/loader
CHECK_SUITES += check-facade
TEST_PROGRAMS += $(FACADE_PROGRAMS)

$(FACADE_OUT)/caller: tests/facade/caller.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(XEN_CFLAGS) -o $@ $< $(XEN_LIBS) -lxentoollog \
		-lpthread -ldl

# A libxl of another version, in the program itself and behind a module.
$(FACADE_OUT)/libxenlight.so.9: tests/facade/other_libxl.c
	@mkdir -p $(@D)
	printf 'VERS_9 { *; };\n' > $(FACADE_OUT)/other.map
	$(CC) $(CFLAGS) $(XEN_CFLAGS) -fPIC -shared \
		-Wl,-soname,libxenlight.so.9 \
		-Wl,--version-script=$(FACADE_OUT)/other.map -o $@ $<

$(FACADE_OUT)/module.so: tests/facade/module.c $(FACADE_OUT)/libxenlight.so.9
	$(CC) $(CFLAGS) $(XEN_CFLAGS) -fPIC -shared \
		-Wl,-rpath,'$$ORIGIN' -o $@ $< $(FACADE_OUT)/libxenlight.so.9

$(FACADE_OUT)/linked: tests/facade/other.c tests/facade/module.c \
		$(FACADE_OUT)/libxenlight.so.9
	$(CC) $(CFLAGS) $(XEN_CFLAGS) -Wl,-rpath,'$$ORIGIN' -o $@ $^ -ldl

$(FACADE_OUT)/loader: tests/facade/other.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< -ldl

.PHONY: check-facade
check-facade: all $(XS_PROGRAMS) $(FACADE_PROGRAMS)
	XLCFG_BUILD=$(B) tests/facade/run
endif
