/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a context answered last of each domain, and what that was made of.  A
 * driver that tells by a print that all is as it was, a store that has the
 * same version, and no open intent: then the answer is the same one.
 */
#ifndef XLCFG_OPS_RECALL_H
#define XLCFG_OPS_RECALL_H

#include "ops/ctx.h"

struct xlcfg__recall;

struct xlcfg__recall *xlcfg__recall_new(void);
struct xlcfg__recall *xlcfg__recall_ref(struct xlcfg__recall *recall);
void xlcfg__recall_free(struct xlcfg__recall *recall);  /* NULL accepted */

/*
 * For any thread.  The print that cut's domain must still have, and the
 * answer, which is the caller's; NULL: nothing is known of it as it was read
 * so far.
 */
xlcfg_doc *xlcfg__recall_find(struct xlcfg__recall *recall,
                              const struct xlcfg__cut *cut, char print_r[48]);
/* Remember the answer to this cut, if it is one to be remembered. */
void xlcfg__recall_keep(struct xlcfg__recall *recall,
                        const struct xlcfg__cut *cut, const xlcfg_doc *doc);
/* The cut was answered by what was remembered. */
void xlcfg__recall_again(struct xlcfg__recall *recall,
                         const struct xlcfg__cut *cut);
/* When the domain was last seen to be of this version: seconds since the
 * epoch, 0: never by this context. */
int64_t xlcfg__recall_when(struct xlcfg__recall *recall, const char *uuid,
                           const char *version);

#endif
