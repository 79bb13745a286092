/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper of a domain.  What it makes again is what libxl holds for the
 * domain at its end, so a device plugged meanwhile comes with it.  A domain
 * that was suspended is somebody else's from then on.
 *
 * It says what it did to syslog: nobody reads what it prints.
 */
#include "driver/xen_plug_keep.h"
#include "driver/xen_plug_words.h"

#include <errno.h>
#include <libxl.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define DUMP_DIR "/var/lib/xen/dump"

struct keeper {
    libxl_ctx *ctx;
    struct xlcfg__xen_words words;
    uint32_t domid;
    libxl_evgen_domain_death *death;
};

static void stamp(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;

    if (!gmtime_r(&now, &tm) || !strftime(text, size, "%Y%m%dT%H%M%SZ", &tm))
        snprintf(text, size, "%lld", (long long)now);
}

static libxl_action_on_shutdown action_of(const libxl_domain_config *config,
                                          int reason)
{
    switch (reason) {
    case LIBXL_SHUTDOWN_REASON_POWEROFF:
        return config->on_poweroff;
    case LIBXL_SHUTDOWN_REASON_REBOOT:
        return config->on_reboot;
    case LIBXL_SHUTDOWN_REASON_CRASH:
        return config->on_crash;
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
        return config->on_watchdog;
    case LIBXL_SHUTDOWN_REASON_SOFT_RESET:
        return config->on_soft_reset;
    default:
        return LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
    }
}

static void dump_core(struct keeper *k, const char *name)
{
    char path[512], when[32];
    int r;

    stamp(when, sizeof(when));
    snprintf(path, sizeof(path), DUMP_DIR "/%.200s.%s.core", name, when);
    r = libxl_domain_core_dump(k->ctx, k->domid, path, NULL);
    if (r)
        syslog(LOG_ERR, "domain %u: %s: no core was written: libxl says %d",
               k->domid, path, r);
}

/* Under another name and uuid, as it stands at its end. */
static bool set_aside(struct keeper *k, libxl_domain_config *config)
{
    char suffix[40] = "-";
    libxl_uuid uuid;

    stamp(suffix + 1, sizeof(suffix) - 1);
    libxl_uuid_generate(&uuid);
    return !libxl_domain_preserve(k->ctx, k->domid, &config->c_info, suffix,
                                  uuid);
}

static bool start_again(struct keeper *k, libxl_domain_config *config)
{
    int r;

    config->c_info.domid = INVALID_DOMID;
    r = libxl_domain_create_new(k->ctx, config, &k->domid, NULL, NULL);
    if (!r) {
        r = libxl_evenable_domain_death(k->ctx, k->domid, 0, &k->death);
        if (!r)
            r = libxl_domain_unpause(k->ctx, k->domid, NULL);
        if (r)
            (void)libxl_domain_destroy(k->ctx, k->domid, NULL);
    }
    if (r)
        syslog(LOG_ERR, "%s: could not be started again: %s",
               config->c_info.name, k->words.len ? k->words.text
               : "libxl gives no reason");
    return !r;
}

static bool destroy(struct keeper *k)
{
    int r;

    libxl_evdisable_domain_death(k->ctx, k->death);
    k->death = NULL;
    r = libxl_domain_destroy(k->ctx, k->domid, NULL);
    if (r)
        syslog(LOG_ERR, "domain %u: could not be destroyed: libxl says %d",
               k->domid, r);
    return !r;
}

/* True: there is a domain to keep again. */
static bool act(struct keeper *k, libxl_domain_config *config, int reason)
{
    libxl_action_on_shutdown action = action_of(config, reason);

    switch (action) {
    case LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY:
        dump_core(k, config->c_info.name);
        break;
    case LIBXL_ACTION_ON_SHUTDOWN_DESTROY:
        break;
    case LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART:
        dump_core(k, config->c_info.name);
        return destroy(k) && start_again(k, config);
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART:
        return destroy(k) && start_again(k, config);
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME:
        libxl_evdisable_domain_death(k->ctx, k->death);
        k->death = NULL;
        return set_aside(k, config) && start_again(k, config);
    case LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET:
        return !libxl_domain_soft_reset(k->ctx, config, k->domid, NULL,
                                        NULL) &&
            !libxl_domain_unpause(k->ctx, k->domid, NULL);
    case LIBXL_ACTION_ON_SHUTDOWN_PRESERVE:
        return false;
    }
    (void)destroy(k);
    return false;
}

/* True: go on listening. */
static bool ended(struct keeper *k, int reason)
{
    libxl_domain_config config;
    bool go_on = false;
    int r;

    if (reason == LIBXL_SHUTDOWN_REASON_SUSPEND)
        return false;
    libxl_domain_config_init(&config);
    r = libxl_retrieve_domain_configuration(k->ctx, k->domid, &config, NULL);
    if (!r)
        go_on = act(k, &config, reason);
    else
        syslog(LOG_ERR, "domain %u: it ended, and libxl does not tell its "
               "configuration: it is left as it is", k->domid);
    libxl_domain_config_dispose(&config);
    return go_on;
}

static void listen_to(struct keeper *k)
{
    bool go_on = true;

    while (go_on) {
        libxl_event *event;

        if (libxl_event_wait(k->ctx, &event, LIBXL_EVENTMASK_ALL, NULL,
                             NULL))
            return;
        if (event->domid == k->domid) {
            if (event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH)
                go_on = false;
            else if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN)
                go_on = ended(k,
                              event->u.domain_shutdown.shutdown_reason);
        }
        libxl_event_free(k->ctx, event);
    }
}

static void keep(libxl_ctx *parents, uint32_t domid, int ready)
{
    struct keeper k = { .domid = domid };
    xlcfg_error err = XLCFG_ERROR_INIT;
    char said = 0;

    libxl_postfork_child_noexec(parents);
    /* locks, databases, and connections of the caller's */
    if (dup2(ready, 3) < 0 || close_range(4, ~0U, 0))
        _exit(1);
    (void)setsid();
    (void)prctl(PR_SET_NAME, "xlcfg-keeper");
    if (chdir("/"))
        _exit(1);
    openlog("xlcfg-keeper", LOG_PID, LOG_DAEMON);
    k.ctx = xlcfg__xen_ctx(&k.words, &err);
    if (!k.ctx || libxl_evenable_domain_death(k.ctx, domid, 0, &k.death))
        _exit(1);
    if (write(3, &said, 1) != 1)
        _exit(1);
    close(3);
    listen_to(&k);
    libxl_ctx_free(k.ctx);
    _exit(0);
}

int xlcfg__xen_keep(libxl_ctx *ctx, uint32_t domid, xlcfg_error *err)
{
    ssize_t n;
    pid_t pid;
    int fd[2];
    char said;

    if (pipe(fd))
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "pipe: %s",
                          strerror(errno));
    pid = fork();
    if (!pid) {
        close(fd[0]);
        keep(ctx, domid, fd[1]);
    }
    close(fd[1]);
    do
        n = pid < 0 ? 0 : read(fd[0], &said, 1);
    while (n < 0 && errno == EINTR);
    close(fd[0]);
    return n == 1 ? 0 : xlcfg__err(err, XLCFG_ERROR_FAIL, NULL,
                                   "the process that acts on the domain's "
                                   "end did not start");
}
