/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers as the documents that callers see. */
#ifndef XLCFG_OPS_PRESENT_H
#define XLCFG_OPS_PRESENT_H

#include "ops/ctx.h"

xlcfg_doc *xlcfg__present_domain(const char *driver,
                                 const struct xlcfg_domain *dom);
/* RFC 3339 in UTC; null for 0. */
xlcfg_doc *xlcfg__present_time(int64_t when);
/*
 * The get object but for its version, which stands there as null in its
 * place.  mem has the rows of state.db for these devices; may be empty.
 */
xlcfg_doc *xlcfg__present_get(const char *driver,
                              const struct xlcfg_domain *dom,
                              const struct xlcfg_answer *answer,
                              const struct xlcfg__memories *mem,
                              const char *hash, const char *address_hash);
/* Hash over the addresses alone. */
int xlcfg__address_hash(const struct xlcfg_answer *answer, char hex_r[65],
                        xlcfg_error *err);
/* What of it makes a version: see docs/architecture.md. */
int xlcfg__answer_digest(const char *driver, const struct xlcfg_domain *dom,
                         const struct xlcfg_answer *answer, char hex_r[65],
                         xlcfg_error *err);

#endif
