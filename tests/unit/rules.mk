# SPDX-License-Identifier: LGPL-2.1-or-later
# Unit and fault tests: each *_test.c is one program of libcheck suites.

UNIT_OUT := $(B)/tests/unit
UNIT_C := $(wildcard tests/unit/*_test.c tests/fault/*_test.c)
ifneq ($(WITH_XEN),y)
UNIT_C := $(filter-out tests/unit/xen_%,$(UNIT_C))
endif
UNIT_PROGRAMS := $(addprefix $(UNIT_OUT)/,$(basename $(notdir $(UNIT_C))))
UNIT_LIBS := $(shell pkg-config --libs check)

TEST_PROGRAMS += $(UNIT_PROGRAMS)
CHECK_SUITES += check-unit
CI_SUITES += check-sanitize

define unit_link
@mkdir -p $(@D)
$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
	$(LIB_OBJ) $(LIBS) $(UNIT_LIBS)
endef

$(UNIT_OUT)/%: tests/unit/%.c $(LIB_OBJ)
	$(unit_link)

$(UNIT_OUT)/%: tests/fault/%.c $(LIB_OBJ)
	$(unit_link)

-include $(UNIT_PROGRAMS:=.d)

.PHONY: check-unit check-sanitize sanitize
check-unit: $(UNIT_PROGRAMS)
	@tests/unit/run $(UNIT_PROGRAMS)

# Each way of building is a folder of its own below B.
sanitize check-sanitize: all $(UNIT_PROGRAMS)
	+@tests/unit/sanitize "$(MAKE)" $(B) $(UNIT_PROGRAMS)
