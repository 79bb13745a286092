# SPDX-License-Identifier: LGPL-2.1-or-later
# The JSON Schemas and their proof against the real libxl.

SCHEMA_T := $(B)/tests/schema
SCHEMA_TYPES_H := /usr/include/_libxl_types.h
SCHEMA_PROGRAMS := $(SCHEMA_T)/print $(SCHEMA_T)/roundtrip

# the proof is libxl's own header and printer
ifeq ($(WITH_XEN),y)
TEST_PROGRAMS += $(SCHEMA_PROGRAMS)
CHECK_SUITES += check-schema
endif

$(SCHEMA_T)/fill.h: tests/schema/gen_fill.py tests/schema/libxl_types.py \
		$(SCHEMA_TYPES_H)
	@mkdir -p $(@D)
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/schema/gen_fill.py \
		$(SCHEMA_TYPES_H) > $@.new
	mv $@.new $@

$(SCHEMA_T)/print: tests/schema/print.c tests/schema/values.h \
		$(SCHEMA_T)/fill.h
	$(CC) $(CFLAGS) -D_GNU_SOURCE $(XEN_CFLAGS) -I$(SCHEMA_T) \
		-Itests/schema -o $@ $< $(XEN_LIBS)

# Exported, so that its answers stand in for the libraries' own.
$(SCHEMA_T)/roundtrip: tests/schema/roundtrip.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE $(XEN_CFLAGS) -Wl,--export-dynamic \
		-o $@ $< $(XEN_LIBS) -lxentoollog

.PHONY: check-schema
check-schema: all $(SCHEMA_PROGRAMS)
	LIBXL_TYPES_H=$(SCHEMA_TYPES_H) PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 tests/schema/check.py $(B)
