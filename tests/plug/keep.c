/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keep DOMID: a virtual TPM comes and goes in a context as it is by default,
 * and in one that keeps its child.  For each a line: after each of four acts
 * and the context's end a letter for the child there is, another one for
 * another, and a - for none.  Before the last act the child is killed.
 */
#include <libxl_cfg.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
    fprintf(stderr, "keep: %s: %s\n", what, why);
    exit(1);
}

/* Our child; 0: there is none, dead or alive. */
static pid_t child(void)
{
    int pid = 0, other = 0;
    char path[64];
    siginfo_t info;
    FILE *file;

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT))
        return 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    file = fopen(path, "re");
    if (!file || fscanf(file, "%d %d", &pid, &other) != 1)
        die(path, "expected one child");
    fclose(file);
    return pid;
}

static void tell(void)
{
    static pid_t known[26];
    pid_t pid = child();
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
    for (int keep = 0; keep < 2; keep++) {
        xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
        xlcfg_error err = XLCFG_ERROR_INIT;
        xlcfg_ctx *ctx;

        opt.keep_child = keep;
        if (xlcfg_ctx_open("xen:///", &opt, &ctx, &err))
            die("open", err.message);
        printf("%s:", keep ? "kept" : "by default");
        attach(ctx, argv[1]);
        detach(ctx, argv[1]);
        attach(ctx, argv[1]);
        if (child())
            kill(child(), SIGKILL);
        detach(ctx, argv[1]);
        xlcfg_ctx_close(ctx);
        tell();
        puts("");
    }
    return 0;
}
