/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keep DOMID: a virtual TPM comes and goes, by a process as most are, and by
 * one that is given all whose parents died (a subreaper).  For each a line:
 * after each of four acts and the context's end a letter for the process that
 * waits for the next, another one for another, and a - for none.  Before the
 * last act it is killed.  We have a child after none of them.
 */
#include <libxl_cfg.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
    fprintf(stderr, "keep: %s: %s\n", what, why);
    exit(1);
}

static bool same_program(const char *pid)
{
    struct stat ours, its;
    char path[300];

    snprintf(path, sizeof(path), "/proc/%s/exe", pid);
    return !stat("/proc/self/exe", &ours) && !stat(path, &its) &&
        ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

/* The process besides us that was forked of us; 0: there is none. */
static pid_t waiting(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    pid_t found = 0;

    if (!dir)
        die("/proc", strerror(errno));
    while ((entry = readdir(dir))) {
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid <= 0 || pid == getpid() || !same_program(entry->d_name))
            continue;
        if (found)
            die("/proc", "there are two");
        found = pid;
    }
    closedir(dir);
    if (waitpid(-1, NULL, WNOHANG) != -1)
        die("waitpid", "we have a child");
    return found;
}

static void tell(void)
{
    static pid_t known[26];
    pid_t pid = waiting();
    int i = 0;

    while (pid && known[i] && known[i] != pid)
        i++;
    if (pid)
        known[i] = pid;
    printf(" %c", pid ? 'A' + i : '-');
}

static void attach(xlcfg_ctx *ctx, const char *dom)
{
    static const char text[] =
        "{\"uuid\": \"11111111-2222-3333-4444-555555555555\"}";
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *body = NULL, *doc = NULL;

    if (xlcfg_doc_parse(text, sizeof(text) - 1, &body, &err) ||
        xlcfg_device_attach(ctx, dom, "vtpm", body, NULL, &doc, &err))
        die("attach", err.message);
    xlcfg_doc_free(body);
    xlcfg_doc_free(doc);
    tell();
}

static void detach(xlcfg_ctx *ctx, const char *dom)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;

    if (xlcfg_device_detach(ctx, dom, "vtpm/0", NULL, &doc, &err))
        die("detach", err.message);
    xlcfg_doc_free(doc);
    tell();
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage", "keep DOMID");
    for (int reaper = 0; reaper < 2; reaper++) {
        xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
        xlcfg_error err = XLCFG_ERROR_INIT;
        xlcfg_ctx *ctx;

        if (reaper && prctl(PR_SET_CHILD_SUBREAPER, 1))
            die("prctl", strerror(errno));
        if (xlcfg_ctx_open("xen:///", &opt, &ctx, &err))
            die("open", err.message);
        printf("%s:", reaper ? "a reaper" : "as most");
        attach(ctx, argv[1]);
        detach(ctx, argv[1]);
        attach(ctx, argv[1]);
        if (waiting())
            kill(waiting(), SIGKILL);
        while (waiting())
            usleep(1000);
        detach(ctx, argv[1]);
        xlcfg_ctx_close(ctx);
        tell();
        puts("");
    }
    return 0;
}
