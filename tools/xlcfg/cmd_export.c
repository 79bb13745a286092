/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg export, and what create and import read of an OVF */
#include "xlcfg.h"

#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- long work on files: told on a terminal, and ended by a signal ---- */

static volatile sig_atomic_t told_to_stop;

static void on_signal(int number)
{
    (void)number;
    told_to_stop = 1;
}

struct long_work {
    const char *verb;
    bool speaks, spoke;
    time_t last;                /* when it spoke, or began */
    struct sigaction was[3];
};

static const int stopping[] = { SIGINT, SIGTERM, SIGHUP };

static time_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static int on_step(void *arg, const char *what, uint64_t done, uint64_t all)
{
    struct long_work *w = arg;

    if (told_to_stop)
        return 1;
    if (w->speaks && now() > w->last) {
        w->last = now();
        w->spoke = true;
        fprintf(stderr, "\r%s ", w->verb);
        text_put(stderr, what);
        fprintf(stderr, ": %llu of %llu MiB\033[K",
                (unsigned long long)(done >> 20),
                (unsigned long long)(all >> 20));
    }
    return 0;
}

static void work_begin(struct long_work *w, const struct tool *t,
                       const char *verb)
{
    struct sigaction act = { .sa_handler = on_signal };

    *w = (struct long_work){ .verb = verb, .last = now(),
                             .speaks = !t->quiet && isatty(STDERR_FILENO) };
    for (size_t i = 0; i < 3; i++)
        sigaction(stopping[i], &act, &w->was[i]);
}

static void work_end(struct long_work *w)
{
    for (size_t i = 0; i < 3; i++)
        sigaction(stopping[i], &w->was[i], NULL);
    if (w->spoke)
        fputs("\r\033[K", stderr);
}

/* ---- reading ---- */

/* The folder of a file, in full: what it names relatively is there. */
static char *folder_of(const char *path)
{
    char *copy = strdup(strcmp(path, "-") ? path : "./-");
    char *full = copy ? realpath(dirname(copy), NULL) : NULL;

    free(copy);
    return full;
}

static void print_notes(const struct tool *t, const char *path,
                        const xlcfg_doc *doc)
{
    const xlcfg_doc *notes = xlcfg_doc_get(doc, "notes");
    const xlcfg_doc *unchanged = xlcfg_doc_get(doc, "unchanged");

    if (t->quiet)
        return;
    for (size_t i = 0; i < xlcfg_doc_count(notes); i++) {
        const xlcfg_doc *n = xlcfg_doc_at(notes, i);

        text_line(stderr, "xlcfg: note: %s: line %s: <%s>: %s", path,
                  cell_text(n, "line"), cell_text(n, "element"),
                  cell_text(n, "message"));
    }
    if (unchanged && !xlcfg_doc_is_true(unchanged) &&
        !xlcfg_doc_count(notes))
        text_line(stderr, "xlcfg: note: %s: its configuration was changed "
                  "after it was exported", path);
}

/* What stands around the envelope; of standard input nothing does. */
static int check_package(struct tool *t, const char *path, const char *text,
                         size_t len, const xlcfg_doc *doc)
{
    xlcfg_package_options opt = XLCFG_PACKAGE_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *notes;
    struct long_work w;
    int rc;

    if (!strcmp(path, "-"))
        return EXIT_DONE;
    opt.progress = on_step;
    opt.arg = &w;
    work_begin(&w, t, "comparing");
    rc = xlcfg_package_check(path, text, len, doc, &opt, &notes, &err);
    work_end(&w);
    if (rc)
        return tool_fail(t, &err);
    for (size_t i = 0; !t->quiet && i < xlcfg_doc_count(notes); i++)
        text_line(stderr, "xlcfg: note: %s",
                  xlcfg_doc_string(xlcfg_doc_at(notes, i)));
    xlcfg_doc_free(notes);
    return EXIT_DONE;
}

int tool_read_ovf(struct tool *t, const char *path, const char *text,
                  size_t len, xlcfg_doc **config_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *folder = folder_of(path);
    xlcfg_doc *doc;
    int rc;

    if (!folder)
        return tool_usage(t, path, "its folder cannot be found");
    rc = xlcfg_ovf_parse(text, len, folder, &doc, &err);
    free(folder);
    if (rc)
        return tool_fail_in(t, path, &err);
    print_notes(t, path, doc);
    rc = check_package(t, path, text, len, doc);
    if (!rc)
        *config_r = xlcfg_doc_ref(xlcfg_doc_get(doc, "config"));
    xlcfg_doc_free(doc);
    return rc;
}

/* ---- writing ---- */

static int run_package(struct tool *t, const char *dom, const char *folder)
{
    xlcfg_package_options opt = XLCFG_PACKAGE_OPTIONS_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct long_work w;
    char *path;
    int rc;

    opt.secrets = t->secrets;
    opt.progress = on_step;
    opt.arg = &w;
    work_begin(&w, t, "copying");
    rc = xlcfg_domain_package(t->ctx, dom, folder, &opt, &path, &err);
    work_end(&w);
    if (rc)
        return tool_fail(t, &err);
    text_line(stdout, "%s", path);
    free(path);
    return EXIT_DONE;
}

static int run(struct tool *t, int argc, char **argv)
{
    const char *ovf = NULL, *folder = NULL;
    const struct option_row rows[] = {
        { "ovf", &ovf }, { "copy-disks=", &folder }, { 0 },
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text;
    int code;

    code = tool_args(t, &argc, argv, rows, 1, 1,
                     "export DOM [--copy-disks DIR]");
    if (!code)
        code = tool_lacks(t, FORMAT_NAME, "export");
    if (!code)
        code = tool_lacks(t, FORMAT_YAML, "export");
    if (!code)
        code = tool_open(t);
    if (code)
        return code;
    if (folder)
        return run_package(t, argv[1], folder);
    if (xlcfg_domain_ovf(t->ctx, argv[1], t->secrets, &text, &err))
        return tool_fail(t, &err);
    fputs(text, stdout);
    free(text);
    return EXIT_DONE;
}

const struct command cmd_export = {
    "export", "DOM [--copy-disks DIR]", "an OVF envelope or package",
    "The envelope is printed.\n"
    "OVF 1.1: processors, memory, disks and networks in OVF's own words, and\n"
    "in a section of its own the whole configuration with every address.\n"
    "xlcfg import takes it back as it was.  Disks are named by where they\n"
    "are, not copied.  Passwords are left out, unless --secrets is given.\n"
    "  --ovf             the only form, and so the default\n"
    "  --copy-disks DIR  a package in the new folder DIR instead: envelope,\n"
    "                    copies of the disks, and a manifest; prints the\n"
    "                    envelope's path.  DIR is there whole or not at all.\n"
    "                    Exit 6: the domain runs (pause it), or a disk cannot\n"
    "                    be copied", run,
};
