/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a change to those who watch: the delays, counted.  Readers are watches
 * of this process, or `xlcfg watch` processes, whose lines are read.
 */
#ifndef XLCFG_BENCH_LATENCY_H
#define XLCFG_BENCH_LATENCY_H

#include "libxl_cfg.h"

#include <stdbool.h>
#include <stddef.h>

struct latency {
    const char *uri, *state_dir;    /* NULL: as without an option */
    const char *xlcfg;              /* NULL: watches of this process */
    size_t readers, domains, changes;
    /* Makes change n, which is one event; when it was made, in ms. */
    double (*change)(void *arg, size_t n);
    void *arg;
};

/* CLOCK_MONOTONIC, in ms. */
double latency_now(void);

/* Opens the readers, takes the delay of each change to each of them, and
 * prints a line: p50, p99 and the most.  Whatever fails ends the program. */
void latency_measure(const struct latency *l);

void latency_die(const char *what, const xlcfg_error *err);

#endif
