/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg watch, history: events, a line each. */
#include "xlcfg.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 256

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* ---- one line ---- */

static void put_cell(const char *text, size_t width)
{
    for (size_t n = text_put(stdout, text); n < width; n++)
        putchar(' ');
    putchar(' ');
}

static void print_heads(const struct tool *t)
{
    if (t->format == FORMAT_TABLE && !t->quiet)
        printf("%-33s %-18s %-14s %s\n", "VERSION", "EVENT", "NAME",
               "DEVICES");
}

static void print_table(const xlcfg_doc *doc)
{
    const xlcfg_doc *changes = xlcfg_doc_get(doc, "changes");
    const xlcfg_doc *dom = xlcfg_doc_get(doc, "domain");

    put_cell(cell_text(doc, "version"), 33);
    put_cell(cell_text(doc, "event"), 18);
    put_cell(cell_text(dom, "name"), 14);
    for (size_t i = 0; i < xlcfg_doc_count(changes); i++) {
        const xlcfg_doc *c = xlcfg_doc_at(changes, i);
        const char *was = cell_text(c, "was"), *now = cell_text(c, "now");

        if (i)
            fputs(", ", stdout);
        put_cell(cell_text(c, "key"), 0);
        if (strcmp(was, now) && strcmp(was, "-"))
            printf("%s->", was);
        fputs(now, stdout);
        if (strcmp(cell_text(c, "reason"), "-") &&
            xlcfg_doc_count(changes) == 1) {
            fputs(": ", stdout);
            put_cell(cell_text(c, "reason"), 0);
        }
    }
    putchar('\n');
}

/* Takes doc.  An exit code; -1: nobody reads any more. */
static int print_event(struct tool *t, xlcfg_doc *doc)
{
    int code = EXIT_DONE;
    char *text;

    doc = tool_shown(t, doc, &code);
    if (!doc)
        return code;
    if (t->format == FORMAT_TABLE) {
        print_table(doc);
    } else if (t->format == FORMAT_YAML) {
        yaml_print(doc);
    } else if (xlcfg_doc_print(doc, 0, &text, NULL, NULL)) {
        code = tool_usage(t, NULL, "out of memory");
        code = code ? EXIT_INTERNAL : code;
    } else {
        puts(text);
        free(text);
    }
    xlcfg_doc_free(doc);
    if (!code && (fflush(stdout) || ferror(stdout))) {
        if (errno == EPIPE || stop)
            return -1;
        tool_usage(t, "standard output", "%s", strerror(errno));
        return EXIT_INTERNAL;
    }
    return code;
}

static int check_format(const struct tool *t, const char *command)
{
    if (t->format == FORMAT_XML || t->format == FORMAT_NAME)
        return tool_usage(t, "-o", "expected table, json or yaml for %s",
                          command);
    return 0;
}

static int take_count(const struct tool *t, const char *text, size_t *n_r)
{
    char *end;
    long long n;

    *n_r = 0;
    if (!text)
        return 0;
    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno || *end || end == text || n < 1)
        return tool_usage(t, "--count", "expected a number from 1, not '%s'",
                          text);
    *n_r = (size_t)n;
    return 0;
}

/* ---- watch ---- */

/* Signals end it between two lines; a write that blocks is interrupted. */
static void catch_signals(sigset_t *open_r)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction act = { .sa_handler = on_signal };
    sigset_t ours;

    sigemptyset(&ours);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        sigaddset(&ours, numbers[i]);
        sigaction(numbers[i], &act, NULL);
    }
    /* blocked but in ppoll and in writing, so that none comes too early */
    sigprocmask(SIG_BLOCK, &ours, open_r);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigdelset(open_r, numbers[i]);
    signal(SIGPIPE, SIG_IGN);
}

static int print_open(struct tool *t, xlcfg_doc *doc, const sigset_t *open)
{
    sigset_t was;
    int code;

    sigprocmask(SIG_SETMASK, open, &was);
    code = stop ? -1 : print_event(t, doc);
    if (stop && code == EXIT_DONE && ferror(stdout))
        code = -1;
    sigprocmask(SIG_SETMASK, &was, NULL);
    return code;
}

/* Until told to stop; *resume is behind the last line that got out. */
static int follow(struct tool *t, xlcfg_watch *w, size_t count,
                  const sigset_t *open, char *resume, size_t size)
{
    struct pollfd fd = { .fd = xlcfg_watch_fd(w), .events = POLLIN };
    xlcfg_error err = XLCFG_ERROR_INIT;
    size_t shown = 0;

    while (!stop && (!count || shown < count)) {
        xlcfg_doc *doc;
        bool event;
        int rc, code;

        rc = xlcfg_watch_next(w, &doc, &err);
        if (rc < 0)
            return tool_fail(t, &err);
        if (rc) {
            /* nothing left out: all up to here was told */
            snprintf(resume, size, "%s", xlcfg_watch_token(w));
            (void)ppoll(&fd, 1, NULL, open);
            continue;
        }
        event = strcmp(cell_text(doc, "event"), "bookmark");
        code = print_open(t, doc, open);
        if (code)
            return code < 0 ? EXIT_DONE : code;
        snprintf(resume, size, "%s", xlcfg_watch_token(w));
        shown += event;
    }
    return EXIT_DONE;
}

static int run_watch(struct tool *t, int argc, char **argv)
{
    const char *since = NULL, *every = "5", *count_text = NULL;
    const struct option_row rows[] = {
        { "since=", &since }, { "bookmark=", &every },
        { "count=", &count_text }, { 0 },
    };
    xlcfg_watch_options opt = XLCFG_WATCH_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    char resume[128] = "";
    xlcfg_watch *w;
    sigset_t open;
    size_t count;
    int code;

    code = tool_options(t, &argc, argv, rows);
    if (!code && argc > 2)
        code = tool_usage(t, NULL, "usage: xlcfg watch [DOM]");
    if (!code)
        code = check_format(t, "watch");
    if (!code)
        code = tool_seconds(t, "--bookmark", every, 86400, &opt.bookmark_ms);
    if (!code)
        code = take_count(t, count_text, &count);
    if (!code)
        code = tool_open(t);
    if (code)
        return code;
    catch_signals(&open);
    if (xlcfg_watch_open(t->ctx, argc > 1 ? argv[1] : NULL, since, &opt, &w,
                         &err))
        return tool_fail(t, &err);
    snprintf(resume, sizeof(resume), "%s", xlcfg_watch_token(w));
    print_heads(t);
    fflush(stdout);
    code = follow(t, w, count, &open, resume, sizeof(resume));
    xlcfg_watch_close(w);
    if (code != EXIT_CONFLICT)
        fprintf(stderr, "resume: %s\n", resume);
    __fpurge(stdout);           /* half a line that nobody took */
    clearerr(stdout);
    return code;
}

/* ---- history ---- */

/* A page; the version of its last event in *since. */
static int print_page(struct tool *t, const xlcfg_doc *page, char *since,
                      size_t size)
{
    for (size_t i = 0; i < xlcfg_doc_count(page); i++) {
        const xlcfg_doc *event = xlcfg_doc_at(page, i);
        int code;

        snprintf(since, size, "%s", cell_text(event, "version"));
        code = print_event(t, xlcfg_doc_ref(event));
        if (code)
            return code;
    }
    return EXIT_DONE;
}

static int run_history(struct tool *t, int argc, char **argv)
{
    const char *from = NULL, *count_text = NULL;
    const struct option_row rows[] = {
        { "since=", &from }, { "count=", &count_text }, { 0 },
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    char since[128] = "";
    size_t count, got = PAGE, left;
    int code;

    code = tool_options(t, &argc, argv, rows);
    if (!code && argc > 2)
        code = tool_usage(t, NULL, "usage: xlcfg history [DOM]");
    if (!code)
        code = check_format(t, "history");
    if (!code)
        code = take_count(t, count_text, &count);
    if (!code)
        code = tool_open(t);
    if (code)
        return code;
    signal(SIGPIPE, SIG_IGN);
    for (left = count; !code && got == PAGE; left -= count ? got : 0) {
        size_t most = count && left < PAGE ? left : PAGE;
        xlcfg_doc *page;

        if (!most)
            break;
        if (xlcfg_history(t->ctx, argc > 1 ? argv[1] : NULL,
                          since[0] ? since : from, most, &page, &err))
            return tool_fail(t, &err);
        if (!since[0] && xlcfg_doc_count(page))
            print_heads(t);
        got = xlcfg_doc_count(page);
        code = print_page(t, page, since, sizeof(since));
        xlcfg_doc_free(page);
    }
    return code < 0 ? EXIT_DONE : code;
}

const struct command cmd_watch = {
    "watch", "[DOM]", "events as they happen",
    "Each recorded change is one line: in json what `get` answers, with event\n"
    "and changes.  Goes on until it is told to stop (SIGINT, SIGTERM) or\n"
    "nobody reads, and then says on standard error from where to go on:\n"
    "`resume: TOKEN`.  Exit 4, TOO_OLD: history no longer holds what came\n"
    "after the token; list again.\n"
    "  --since TOKEN      from a version on: of list, of an event, of resume\n"
    "  --bookmark SECONDS how often silence says that it is silence (5;\n"
    "                     0: never)\n"
    "  --count N          end after so many events (a bookmark is none)",
    run_watch,
}, cmd_history = {
    "history", "[DOM]", "events that were",
    "As `watch` prints them, oldest first.\n"
    "  --since TOKEN      only what came after this version\n"
    "  --count N          so many at most", run_history,
};
