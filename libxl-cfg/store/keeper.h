/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper: of the processes that watch one connection's domains, the one
 * that answers whether all that happened up to now is in state.db.  It holds
 * a lock and a socket in the folder of the store:
 *
 *     who asks                     the keeper
 *     connects          ------->   looks at all it was told of until now,
 *     reads             <-------   writes "VERSION COUNT\n", and closes
 *
 * A keeper that cannot say writes "-".  One that was killed has let go of
 * both with its last breath; one that hangs is not waited for longer than the
 * one who asks likes.
 *
 * Others that watch follow it: they stay connected, so that its end is heard
 * of at once, and see from the time of its socket that it goes on.  It has
 * only so many places; whom it has none for goes by that time alone.
 */
#ifndef XLCFG_STORE_KEEPER_H
#define XLCFG_STORE_KEEPER_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

typedef struct xlcfg__keeper xlcfg__keeper;

#define XLCFG__KEEPER_VERSION_MAX 64

/*
 * Become the keeper of what `name` stands for (any text).  LOCK_FAIL: another
 * process is; STORE: the folder cannot be used so.
 */
int xlcfg__keeper_open(const char *dir, const char *name,
                       xlcfg__keeper **keeper_r, xlcfg_error *err);
void xlcfg__keeper_close(xlcfg__keeper *keeper);        /* NULL accepted */
/* Polls readable when somebody asks. */
int xlcfg__keeper_fd(const xlcfg__keeper *keeper);
/* The socket is no more where others look for it: close, and open anew. */
bool xlcfg__keeper_lost(const xlcfg__keeper *keeper);
/* Somebody asks. */
bool xlcfg__keeper_asked(const xlcfg__keeper *keeper);
/* Takes in those who ask now; how many wait for an answer. */
size_t xlcfg__keeper_take(xlcfg__keeper *keeper);
/* To all that were taken in: everything up to now is in the store, which has
 * this version, and there are `count` domains.  version NULL: cannot say. */
void xlcfg__keeper_answer(xlcfg__keeper *keeper, const char *version,
                          size_t count);
/* Nobody is to wait for it or follow it now. */
void xlcfg__keeper_dismiss(xlcfg__keeper *keeper);
/* For those who wait or follow: it goes on. */
void xlcfg__keeper_beat(const xlcfg__keeper *keeper);

/* NOTFOUND: there is no keeper, or it cannot say; TIMEDOUT: it did not within
 * wait_ms.  Nothing is printed or kept. */
int xlcfg__keeper_ask(const char *dir, const char *name, unsigned wait_ms,
                      char version_r[XLCFG__KEEPER_VERSION_MAX],
                      size_t *count_r);

struct xlcfg__follow {
    int fd;                     /* readable when the keeper has ended; -1:
                                   it had no place */
    struct stat file;           /* the socket, when it was last looked at */
};

#define XLCFG__FOLLOW_INIT { .fd = -1 }

/* Ask, and follow who answers, whatever it says.  It is waited for as long as
 * it gives a sign every wait_ms.  Errors as ask. */
int xlcfg__follow(const char *dir, const char *name, unsigned wait_ms,
                  struct xlcfg__follow *follow);
/* The keeper has ended, or another has its place. */
bool xlcfg__follow_ended(const struct xlcfg__follow *follow, const char *dir,
                         const char *name);
/* Has it given a sign since this, or `follow`, was called last? */
bool xlcfg__follow_moved(struct xlcfg__follow *follow, const char *dir,
                         const char *name);
void xlcfg__follow_end(struct xlcfg__follow *follow);

#endif
