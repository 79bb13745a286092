/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* c_info and b_info of a domain's XML. */
#ifndef XLCFG_DRIVER_VIRT_INFO_H
#define XLCFG_DRIVER_VIRT_INFO_H

#include "core/doc.h"

#include <libxml/tree.h>

/* Both, added to m.  PARSE names the element. */
int xlcfg__virt_read_info(xmlNodePtr domain, xlcfg__members *m,
                          xlcfg_error *err);
/* One of them, called so, into the elements of domain.  INVAL, where being the
 * JSON pointer: what libvirt has no word for. */
int xlcfg__virt_write_info(const char *in, const xlcfg_doc *info,
                           xmlNodePtr domain, xlcfg_error *err);
/* INVAL, of a member of any of them; the place is the caller's to say. */
int xlcfg__virt_without_word(xlcfg_error *err);

#endif
