/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of the hubs of one connection one keeps the store: it alone takes hints,
 * sweeps and looks, and says to those who ask that all is recorded.  The
 * others follow it, and only read what it records.  A hub that neither keeps
 * nor has one to follow does all for itself.
 */
#include "ops/hub.h"

#include <stdlib.h>

/* A keeper that takes longer to say how it is is not followed. */
#define ANSWER_MS 5000
/* How late a keeper's sign may be, and how often it gives one at most. */
#define LATE_MS 2000
#define BEAT_MS 250

/* false: somebody else does. */
static bool keep(struct xlcfg__hub *hub, const char *name)
{
    int rc = xlcfg__keeper_open(hub->sweeper.ctx->state_dir, name,
                                &hub->keeper, NULL);

    if (rc)
        hub->keeper = NULL;     /* in a folder that has no place for it, too */
    return rc != XLCFG_ERROR_LOCK_FAIL;
}

static void start_following(struct xlcfg__hub *hub, const char *name)
{
    const char *dir = hub->sweeper.ctx->state_dir;

    /* one that did not answer, and has given no sign since, will not now */
    if (hub->follow.file.st_ino &&
        !xlcfg__follow_moved(&hub->follow, dir, name))
        return;
    hub->following = !xlcfg__follow(dir, name, ANSWER_MS, &hub->follow);
    hub->follow_until = xlcfg__now_ms() + hub->sweep_ms + LATE_MS;
}

/* Is it there, and has it given a sign in time? */
static bool goes_on(struct xlcfg__hub *hub, const char *name)
{
    const char *dir = hub->sweeper.ctx->state_dir;

    if (xlcfg__follow_ended(&hub->follow, dir, name))
        return false;
    if (xlcfg__now_ms() < hub->follow_until)
        return true;
    if (!xlcfg__follow_moved(&hub->follow, dir, name))
        return false;
    hub->follow_until = xlcfg__now_ms() + hub->sweep_ms + LATE_MS;
    return true;
}

bool xlcfg__hub_follows(struct xlcfg__hub *hub, bool *due)
{
    char *name;

    if (hub->keeper && !xlcfg__keeper_lost(hub->keeper))
        return false;
    xlcfg__keeper_close(hub->keeper);
    hub->keeper = NULL;
    if (!hub->following && !*due)
        return false;
    name = xlcfg__keeper_name(hub->sweeper.ctx);
    if (name && hub->following && !goes_on(hub, name)) {
        xlcfg__hub_unfollow(hub);
        *due = true;            /* what was its work is to be done now */
    }
    if (name && !hub->following && !keep(hub, name))
        start_following(hub, name);
    free(name);
    return hub->following;
}

void xlcfg__hub_unfollow(struct xlcfg__hub *hub)
{
    xlcfg__follow_end(&hub->follow);
    hub->following = false;
}

void xlcfg__hub_answer(struct xlcfg__hub *hub)
{
    xlcfg_ctx *ctx = hub->sweeper.ctx;
    char version[XLCFG__VERSION_MAX];
    size_t count = 0;
    xlcfg__state *st;
    bool sure;

    sure = xlcfg__sweep_sure(&hub->sweeper, &count) &&
        !xlcfg__store(ctx, false, &st, NULL) &&
        !xlcfg__state_version(st, version, NULL);
    xlcfg__keeper_answer(hub->keeper, sure ? version : NULL, count);
}

void xlcfg__hub_beat(void *arg)
{
    struct xlcfg__hub *hub = arg;
    int64_t now = xlcfg__now_ms();

    if (!hub->keeper || now < hub->beat_at)
        return;
    xlcfg__keeper_beat(hub->keeper);
    hub->beat_at = now + BEAT_MS;
}
