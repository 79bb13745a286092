# SPDX-License-Identifier: LGPL-2.1-or-later
# All domain XML of libvirt's own source package, there and back.

ifeq ($(WITH_LIBVIRT)$(if $(VIRT_SRC),,n),y)
LVC_OUT := $(B)/tests/libvirt-corpus
CI_SUITES += check-libvirt-corpus

$(LVC_OUT)/there_and_back: tests/libvirt-corpus/there_and_back.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(DEP_CFLAGS) -o $@ $< $(LIB_OBJ) $(LIBS)

.PHONY: check-libvirt-corpus
check-libvirt-corpus: $(LVC_OUT)/there_and_back
	@source=$$(tests/libvirt-corpus/fetch $(B)/libvirt-corpus | \
		tail -n 1) && \
	PYTHONDONTWRITEBYTECODE=1 tests/libvirt-corpus/corpus $< \
		"$$source" $(LVC_OUT)/out
endif
