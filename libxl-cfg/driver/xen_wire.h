/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Xenstore's wire protocol: many questions in one go, and an end to each
 * wait.  libxenstore has neither: its calls, the connect included,
 * last as long as a xenstored that does not answer.
 *
 *     struct xlcfg__wire_ask ask = { .type = XS_READ, .path = "/tool" };
 *     xlcfg__wire_ask(wire, &ask, 1);
 *     if (!ask.error)
 *         use(ask.data, ask.len);
 *     free(ask.data);
 *
 * One thread at a time.  No signal is raised and no handler touched.
 */
#ifndef XLCFG_DRIVER_XEN_WIRE_H
#define XLCFG_DRIVER_XEN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xlcfg__wire;

#define XLCFG_WIRE_PATH 256

/* Where xenstored is looked for first: of the environment, or in path. */
const char *xlcfg__wire_path(char path[XLCFG_WIRE_PATH]);

/*
 * $XENSTORED_PATH, xenstored's socket, or the kernel's device, whichever is
 * there.  Waits for ms at most, and later for each answer for twice as long:
 * who has a deadline of ms of its own is the first to give up, and says so.
 * 0 or an errno.
 */
int xlcfg__wire_open(unsigned ms, struct xlcfg__wire **wire_r);
void xlcfg__wire_close(struct xlcfg__wire *wire);       /* NULL accepted */

struct xlcfg__wire_ask {
    uint32_t type;              /* XS_READ and the like */
    const char *path;
    const char *more;           /* a second word, or what XS_WRITE writes;
                                   may be NULL */
    uint32_t tx;                /* the transaction it is part of, or 0 */
    int error;                  /* 0, xenstore's errno, or the wire's */
    char *data;                 /* yours to free, a NUL behind it; NULL with
                                   an error */
    size_t len;
};

/* Ask them all, in one go, and wait for all the answers.  Hints (of what
 * XS_WATCH was asked for) that come before the last of them are forgotten: it
 * is newer. */
void xlcfg__wire_ask(struct xlcfg__wire *wire, struct xlcfg__wire_ask *asks,
                     size_t count);
/* Wait for a hint that came after the last answer, for ms at most.  False:
 * there was none, or the connection is lost. */
bool xlcfg__wire_hint(struct xlcfg__wire *wire, unsigned ms);

/* The errno that ended this connection; 0: it stands. */
int xlcfg__wire_lost(const struct xlcfg__wire *wire);

#endif
