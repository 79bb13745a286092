/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stable addresses: what a configuration leaves open is as it was kept. */
#ifndef XLCFG_CORE_KEEP_H
#define XLCFG_CORE_KEEP_H

#include "core/key.h"

/*
 * config with the identities and addresses that its devices leave open taken
 * from the same devices of kept; nothing that config says is changed.
 * NULL: out of memory.
 */
xlcfg_doc *xlcfg__keep_addresses(const xlcfg_doc *config,
                                 const xlcfg_doc *kept);

#endif
