/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A word on the terminal when something takes longer than a second. */
#include "xlcfg.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *speak(void *arg)
{
    struct progress *p = arg;
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_mutex_lock(&p->lock);
    while (!p->done && !r)
        r = pthread_cond_timedwait(&p->moved, &p->lock, &until);
    if (!p->done)
        text_line(stderr, "%s ...", p->text);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void progress_begin(struct progress *p, const struct tool *t,
                    const char *verb, const char *what)
{
    memset(p, 0, sizeof(*p));
    if (t->quiet || !isatty(STDERR_FILENO))
        return;
    snprintf(p->text, sizeof(p->text), "%s %.200s", verb, what);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->moved, NULL);
    p->running = !pthread_create(&p->thread, NULL, speak, p);
}

void progress_end(struct progress *p)
{
    if (!p->running)
        return;
    pthread_mutex_lock(&p->lock);
    p->done = true;
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
}
