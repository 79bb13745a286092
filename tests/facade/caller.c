/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * caller HOW DOMID: asks libxl for a configuration, in a way that xl and
 * libvirtd do, and sees to it that the call left nothing behind.  Prints the
 * configuration; exit 1 with libxl's error, 3 with what was left.
 *
 *     once     once, and no more is looked at
 *     plain    twice, and what the second call left behind
 *     threads  eight threads, each with its own context, four times each
 *     fork     before a fork, in the child, and after it in the parent
 *     event    by an asynchronous call, its end heard by a callback
 */
#include <dirent.h>
#include <errno.h>
#include <libxl.h>
#include <libxl_event.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xentoollog.h>

#define THREADS 8
#define ROUNDS 4

static uint32_t domid;

static libxl_ctx *context(void)
{
    xentoollog_logger *logger = (xentoollog_logger *)
        xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
    libxl_ctx *ctx = NULL;

    if (!logger || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, logger)) {
        fputs("no libxl context\n", stderr);
        exit(2);
    }
    return ctx;                 /* the logger lives as long as the process */
}

static char *text_of(libxl_ctx *ctx, int rc, libxl_domain_config *config)
{
    char *text = NULL;

    if (rc)
        fprintf(stderr, "error:%d\n", rc);
    else
        text = libxl_domain_config_to_json(ctx, config);
    libxl_domain_config_dispose(config);
    return text;
}

static char *ask(libxl_ctx *ctx)
{
    libxl_domain_config config;
    int rc;

    libxl_domain_config_init(&config);
    rc = libxl_retrieve_domain_configuration(ctx, domid, &config, NULL);
    return text_of(ctx, rc, &config);
}

/* ---- what must be as it was ---- */

struct around {
    int fds, threads;
    sigset_t mask;
    struct sigaction actions[NSIG];
};

static int entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static void look_around(struct around *a)
{
    memset(a, 0, sizeof(*a));
    a->fds = entries("/proc/self/fd");
    a->threads = entries("/proc/self/task");
    pthread_sigmask(SIG_SETMASK, NULL, &a->mask);
    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, NULL, &a->actions[sig]);
}

static void heard(int sig)
{
    (void)sig;
}

static bool is_as_before(const struct around *before)
{
    struct around now;
    bool same = true;

    look_around(&now);
    if (now.fds != before->fds || now.threads != before->threads) {
        fprintf(stderr, "descriptors %d, were %d; threads %d, were %d\n",
                now.fds, before->fds, now.threads, before->threads);
        same = false;
    }
    if (memcmp(&now.mask, &before->mask, sizeof(now.mask))) {
        fputs("the signal mask changed\n", stderr);
        same = false;
    }
    for (int sig = 1; sig < NSIG; sig++)
        if (now.actions[sig].sa_handler != before->actions[sig].sa_handler) {
            fprintf(stderr, "signal %d has another handler\n", sig);
            same = false;
        }
    return same;
}

/* ---- the ways ---- */

static int plain(void)
{
    libxl_ctx *ctx = context();
    struct around before;
    bool same;
    char *text;
    int was;

    signal(SIGUSR1, heard);
    signal(SIGCHLD, heard);
    free(ask(ctx));             /* what is loaded once is loaded now */
    look_around(&before);
    errno = 4711;
    text = ask(ctx);
    was = errno;
    same = is_as_before(&before);
    if (text && was != 4711) {
        fprintf(stderr, "errno is %d\n", was);
        same = false;
    }
    if (text)
        puts(text);
    libxl_ctx_free(ctx);
    return !same ? 3 : !text;
}

static int once(void)
{
    libxl_ctx *ctx = context();
    char *text = ask(ctx);

    if (text)
        puts(text);
    free(text);
    libxl_ctx_free(ctx);
    return !text;
}

static void *one_thread(void *arg)
{
    libxl_ctx *ctx = context();
    char *first = ask(ctx);

    (void)arg;
    for (int i = 1; first && i < ROUNDS; i++) {
        char *again = ask(ctx);

        if (!again || strcmp(first, again)) {
            free(first);
            first = NULL;
        }
        free(again);
    }
    libxl_ctx_free(ctx);
    return first;
}

static int threads(void)
{
    pthread_t id[THREADS];
    char *text[THREADS];
    int rc = 0;

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&id[i], NULL, one_thread, NULL))
            return 2;
    for (int i = 0; i < THREADS; i++)
        pthread_join(id[i], (void **)&text[i]);
    for (int i = 0; i < THREADS; i++)
        if (!text[i] || !text[0] || strcmp(text[i], text[0]))
            rc = 3;
    if (!rc)
        puts(text[0]);
    for (int i = 0; i < THREADS; i++)
        free(text[i]);
    return rc;
}

static int forked(void)
{
    libxl_ctx *ctx = context();
    char *before = ask(ctx), *after;
    int status, rc;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (!pid) {
        libxl_ctx *own;

        libxl_postfork_child_noexec(ctx);
        own = context();
        after = ask(own);
        _exit(!before || !after || strcmp(before, after));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 2;
    after = ask(ctx);
    rc = !before || !after || strcmp(before, after) || status ? 3 : 0;
    if (!rc)
        puts(after);
    free(before);
    free(after);
    libxl_ctx_free(ctx);
    return rc;
}

static int ended_with = 1;

static void ended(libxl_ctx *ctx, int rc, void *arg)
{
    (void)ctx;
    (void)arg;
    ended_with = rc;
}

static int event(void)
{
    libxl_asyncop_how how = { .callback = ended };
    libxl_ctx *ctx = context();
    libxl_domain_config config;
    char *text;
    int rc;

    libxl_domain_config_init(&config);
    rc = libxl_retrieve_domain_configuration(ctx, domid, &config, &how);
    while (!rc && ended_with == 1) {
        struct pollfd fds[64];
        struct timeval now;
        int n = 64, ms = 1000;

        gettimeofday(&now, NULL);
        if (libxl_osevent_beforepoll(ctx, &n, fds, &ms, now))
            return 2;
        poll(fds, (nfds_t)n, ms < 0 || ms > 1000 ? 1000 : ms);
        gettimeofday(&now, NULL);
        libxl_osevent_afterpoll(ctx, n, fds, now);
    }
    text = text_of(ctx, rc ? rc : ended_with, &config);
    if (text)
        puts(text);
    free(text);
    libxl_ctx_free(ctx);
    return !text;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } ways[] = {
        { "once", once }, { "plain", plain }, { "threads", threads },
        { "fork", forked }, { "event", event },
    };

    for (size_t i = 0; argc == 3 && i < sizeof(ways) / sizeof(ways[0]); i++)
        if (!strcmp(argv[1], ways[i].name)) {
            domid = (uint32_t)strtoul(argv[2], NULL, 10);
            return ways[i].run();
        }
    fputs("usage: caller once|plain|threads|fork|event DOMID\n", stderr);
    return 2;
}
