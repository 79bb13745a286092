/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a stored template is no value that libxl takes. */
#ifndef XLCFG_OPS_SIFT_H
#define XLCFG_OPS_SIFT_H

#include "driver/driver.h"

/*
 * The view of a template, by where it is kept.  One that others write
 * (XLCFG_HOME_LIBXL) may hold anything: a member that
 * json-schema/domain-config.json allows no such value is left out, and named
 * in view->unknown with what was expected: libxl's reader would give up the
 * whole for the sake of one word, or pass over it.  Members that the schema
 * does not know stay.  Errors: those of xlcfg__view_from_config().
 */
int xlcfg__template_view(enum xlcfg_home home, const xlcfg_doc *template,
                         struct xlcfg_view *view, xlcfg_error *err);

#endif
