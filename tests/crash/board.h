/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What killer.so and the runner share.  board.py reads and writes the same
 * layout: little-endian words, then the texts.
 */
#ifndef TESTS_CRASH_BOARD_H
#define TESTS_CRASH_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

#define BOARD_MEMBERS 256
#define BOARD_TRACE 4096
#define BOARD_LABEL 120

enum {
    BOARD_SELF = 1,             /* who makes the call */
    BOARD_CALLER = 2,           /* the first process: xlcfg */
    BOARD_CHILD = 4,            /* its latest child: libxl's process */
    BOARD_ALL = 8,              /* the whole family */
};

struct board {
    /* orders */
    uint32_t at;                /* the call that is hit; 0: none */
    uint32_t who;
    uint32_t reads;             /* reading requests count too */
    uint32_t fault;             /* fail with this errno; 0: kill */
    uint32_t goes_on;           /* every call from `at` on is hit */
    /* what came of it */
    uint32_t hit_by;            /* a pid; 0: call `at` was not reached */
    _Atomic uint32_t armed, dead, count, members;
    _Atomic int32_t caller, child;
    _Atomic int32_t pids[BOARD_MEMBERS];
    char only[BOARD_LABEL];     /* count only what is done to such a path */
    char label[BOARD_LABEL];    /* of the call that was hit */
    char trace[BOARD_TRACE][BOARD_LABEL];
};

#endif
