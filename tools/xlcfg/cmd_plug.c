/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg attach, detach, settle */
#include "xlcfg.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- a word on the terminal while it lasts ---- */

struct progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool running, done;
    char text[256];
};

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
        fprintf(stderr, "%s ...\n", p->text);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void progress_begin(struct progress *p, const struct tool *t,
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

static void progress_end(struct progress *p)
{
    if (!p->running)
        return;
    pthread_mutex_lock(&p->lock);
    p->done = true;
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
}

/* ---- options ---- */

/* --wait and --wait=S: taken here, for its value is optional. */
static int take_wait(const struct tool *t, int *argc, char **argv,
                     xlcfg_plug_options *opt)
{
    int out = 1;

    for (int i = 1; i < *argc; i++) {
        char *end;
        double s;

        if (!strcmp(argv[i], "--wait")) {
            opt->wait_ms = UINT32_MAX;
            continue;
        }
        if (strncmp(argv[i], "--wait=", 7)) {
            argv[out++] = argv[i];
            continue;
        }
        s = strtod(argv[i] + 7, &end);
        if (*end || end == argv[i] + 7 || !(s >= 0 && s <= 4000000))
            return tool_usage(t, argv[i], "expected seconds up to 4000000");
        opt->wait_ms = s >= 0.001 ? (unsigned)(s * 1000) : 1;
    }
    argv[out] = NULL;
    *argc = out;
    return 0;
}

/* The options of both; words is how many arguments there must be. */
static int plug_options(struct tool *t, int *argc, char **argv, int words,
                        const char *usage, xlcfg_plug_options *opt)
{
    const char *dry = NULL, *force = NULL;
    const struct option_row rows[] = {
        { "if-version=", &opt->if_version }, { "dry-run", &dry },
        { "force", &force }, { 0 },
    };
    int code;

    code = take_wait(t, argc, argv, opt);
    if (!code)
        code = tool_options(t, argc, argv, rows);
    if (code)
        return code;
    if (*argc != words)
        return tool_usage(t, NULL, "usage: xlcfg %s", usage);
    if (t->format == FORMAT_XML)
        return tool_usage(t, "-o xml", "%s has no XML form", argv[0]);
    opt->dry_run = dry;
    opt->force = force;
    return tool_open(t);
}

/* ---- attach, detach ---- */

static int finish(struct tool *t, const xlcfg_plug_options *opt,
                  xlcfg_doc *doc)
{
    const xlcfg_doc *dev = xlcfg_doc_get(doc, "device");

    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML)
        return tool_print(t, doc);
    if (t->format == FORMAT_NAME)
        puts(cell_text(dev, "key"));
    else if (!t->quiet)
        printf("%s: %s%s\n", cell_text(dev, "key"), cell_text(dev, "state"),
               opt->dry_run ? " (dry run: nothing was touched)" : "");
    xlcfg_doc_free(doc);
    return EXIT_DONE;
}

static int read_body(const struct tool *t, const char *path,
                     xlcfg_doc **body_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text;
    size_t len;
    int code;

    code = tool_read(t, path, &text, &len);
    if (code)
        return code;
    if (xlcfg_doc_parse(text, len, body_r, &err))
        code = tool_usage(t, path, "%s%s%s", err.where,
                          err.where[0] ? ": " : "", err.message);
    free(text);
    return code;
}

static int run_attach(struct tool *t, int argc, char **argv)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *body, *doc;
    struct progress p;
    int code, rc;

    code = plug_options(t, &argc, argv, 4, "attach DOM KIND FILE|-", &opt);
    if (!code)
        code = read_body(t, argv[3], &body);
    if (code)
        return code;
    progress_begin(&p, t, "attaching a", argv[2]);
    rc = xlcfg_device_attach(t->ctx, argv[1], argv[2], body, &opt, &doc,
                             &err);
    progress_end(&p);
    xlcfg_doc_free(body);
    return rc ? tool_fail(t, &err) : finish(t, &opt, doc);
}

static int run_detach(struct tool *t, int argc, char **argv)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct progress p;
    xlcfg_doc *doc;
    int code, rc;

    code = plug_options(t, &argc, argv, 3, "detach DOM KEY", &opt);
    if (code)
        return code;
    progress_begin(&p, t, "waiting for the guest to let go of", argv[2]);
    rc = xlcfg_device_detach(t->ctx, argv[1], argv[2], &opt, &doc, &err);
    progress_end(&p);
    return rc ? tool_fail(t, &err) : finish(t, &opt, doc);
}

/* ---- settle ---- */

static void print_lines(const xlcfg_doc *list, const char *member,
                        const char *before)
{
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *row = xlcfg_doc_at(list, i);

        printf("%s %s: %s%s\n", cell_text(row, "domain"),
               cell_text(row, "key"), before, cell_text(row, member));
    }
}

static int run_settle(struct tool *t, int argc, char **argv)
{
    const char *dry = NULL;
    const struct option_row rows[] = { { "dry-run", &dry }, { 0 } };
    xlcfg_error err = XLCFG_ERROR_INIT;
    bool pending, failed;
    struct progress p;
    xlcfg_doc *doc;
    int code, rc;

    code = tool_options(t, &argc, argv, rows);
    if (code)
        return code;
    if (argc > 2)
        return tool_usage(t, NULL, "usage: xlcfg settle [DOM]");
    if (t->format == FORMAT_XML)
        return tool_usage(t, "-o xml", "settle has no XML form");
    code = tool_open(t);
    if (code)
        return code;
    progress_begin(&p, t, "settling", argc > 1 ? argv[1] : "all domains");
    rc = xlcfg_settle(t->ctx, argc > 1 ? argv[1] : NULL, dry, &doc, &err);
    progress_end(&p);
    if (rc)
        return tool_fail(t, &err);
    pending = strcmp(cell_text(doc, "pending"), "0");
    failed = strcmp(cell_text(doc, "failed"), "0");
    if (t->format == FORMAT_JSON || t->format == FORMAT_YAML) {
        code = tool_print(t, doc);
    } else {
        print_lines(xlcfg_doc_get(doc, "steps"), "step",
                    dry ? "would: " : "");
        print_lines(xlcfg_doc_get(doc, "open"), "message", "open: ");
        xlcfg_doc_free(doc);
    }
    return code ? code : failed ? EXIT_REFUSED : pending ? EXIT_PENDING
                                                         : EXIT_DONE;
}

const struct command cmd_attach = {
    "attach", "DOM KIND FILE|-", "attach a device",
    "FILE is the device in libxl's shape, as JSON.  Ends when the device is\n"
    "attached, or when a failed attach is taken back (exit 6).\n"
    "  --if-version V   only if the domain still has this version\n"
    "  --dry-run        check and choose, touch nothing", run_attach,
}, cmd_detach = {
    "detach", "DOM KEY", "detach a device",
    "Exit 5: asked for, and the guest has not let go; `xlcfg settle` goes\n"
    "on with it.\n"
    "  --wait[=S]       wait so long, or for ever (10 seconds)\n"
    "  --force          do not ask the guest\n"
    "  --if-version V   only if the domain still has this version\n"
    "  --dry-run        check, touch nothing", run_detach,
}, cmd_settle = {
    "settle", "[DOM]", "finish what was left open",
    "Goes on with attaches and unplugs whose process is gone, and ends half\n"
    "states that are safe to end; prints each step.  Exit 5 or 6: something\n"
    "is still open.\n"
    "  --dry-run        say what would be done", run_settle,
};
