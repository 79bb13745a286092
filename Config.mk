# SPDX-License-Identifier: LGPL-2.1-or-later
# What the build takes in.  Each WITH_* is y, n, or auto: auto takes what
# pkg-config finds.  Settings of your own go into Config.local.mk or onto
# make's command line: make WITH_XEN=n
-include Config.local.mk

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man

WITH_XEN ?= auto
WITH_LIBVIRT ?= auto

have = $(if $(filter auto,$(1)),$(shell pkg-config --exists $(2) && \
	echo y || echo n),$(1))
override WITH_XEN := $(call have,$(WITH_XEN),xenlight xenstore)
override WITH_LIBVIRT := $(call have,$(WITH_LIBVIRT),libvirt libvirt-qemu)

CC ?= gcc
OPT ?= -O2 -g
CFLAGS ?= $(OPT)
override CFLAGS := -std=gnu11 -Wall -Wextra -Werror $(CFLAGS)
