/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line tool: one file per command, a table of them in main.c. */
#ifndef XLCFG_TOOL_H
#define XLCFG_TOOL_H

#include "libxl_cfg.h"

#include <pthread.h>
#include <stdio.h>

enum {                          /* exit codes: a contract */
    EXIT_DONE = 0, EXIT_DIFFERS = 1, EXIT_USAGE = 2, EXIT_NOT_THERE = 3,
    EXIT_CONFLICT = 4, EXIT_PENDING = 5, EXIT_REFUSED = 6,
    EXIT_NOT_ABLE = 7, EXIT_UNREACHABLE = 8, EXIT_INTERNAL = 9,
};

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_YAML, FORMAT_NAME,
              FORMAT_XML };

struct tool {
    const char *uri;
    xlcfg_ctx_options opt;
    enum format format;
    bool format_given, quiet, secrets;
    xlcfg_ctx *ctx;             /* opened by tool_open */
};

struct command {
    const char *name, *args, *summary, *help;
    int (*run)(struct tool *t, int argc, char **argv);
};

extern const struct command cmd_list, cmd_get, cmd_devices, cmd_template,
    cmd_addresses,
    cmd_live, cmd_diff, cmd_explain, cmd_schema, cmd_table, cmd_check,
    cmd_features, cmd_attach, cmd_detach, cmd_update, cmd_settle,
    cmd_create, cmd_import, cmd_export, cmd_pending, cmd_watch, cmd_history,
    cmd_wait;

/* Open the context; 0 or an exit code, the error printed. */
int tool_open(struct tool *t);
/* Print an error in the form asked for; the exit code of its number. */
int tool_fail(const struct tool *t, const xlcfg_error *err);
/* The same of what a file says: the file is put before the place in it. */
int tool_fail_in(const struct tool *t, const char *path,
                 const xlcfg_error *err);
/* 12 hexadecimal digits, a dot and 20 digits. */
bool tool_is_version(const char *text);
/* A mistake on the command line; EXIT_USAGE. */
int tool_usage(const struct tool *t, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Take options of the command: --name, --name=V, --name V; *value set for
 * those that `names` ends with '='.  1: took one, 0: no more, else usage. */
struct option_row {
    const char *name;           /* "long" or "version=" */
    const char **value;         /* set to "" for those without = */
};
int tool_options(const struct tool *t, int *argc, char **argv,
                 const struct option_row *rows);

/* What a command begins with: its options, and from `least` to `most`
 * arguments.  usage: the command's name and what follows it.  0 or an exit
 * code. */
int tool_args(const struct tool *t, int *argc, char **argv,
              const struct option_row *rows, int least, int most,
              const char *usage);
/* A usage error when -o asks for this form, which the command has not; 0. */
int tool_lacks(const struct tool *t, enum format format,
               const char *command);
/* As tool_args, for a command that has no XML form and asks a driver: the context
 * is opened. */
int tool_begin(struct tool *t, int *argc, char **argv,
               const struct option_row *rows, int least, int most,
               const char *usage);

/* Seconds of an option, in ms; an exit code when they are none or more than
 * `most`. */
int tool_seconds(const struct tool *t, const char *option, const char *text,
                 double most, unsigned *ms_r);
/* The answer as it may be shown: without secrets unless --secrets.  Takes
 * doc; NULL: the error is printed and *code set. */
xlcfg_doc *tool_shown(const struct tool *t, xlcfg_doc *doc, int *code);
/* The backend cannot be reached (the exit code says so): what was last seen of
 * the domain, NULL when that is nothing or code is another. */
xlcfg_doc *tool_last(const struct tool *t, const char *dom, int code);
/* Said on standard error, but in the JSON form: this is no look of now. */
void tool_say_last(const struct tool *t, const xlcfg_doc *doc);
/* Whole documents: JSON or YAML to stdout; frees doc; an exit code. */
int tool_print(struct tool *t, xlcfg_doc *doc);
/* The same, ending with code when all went well. */
int tool_printed(struct tool *t, xlcfg_doc *doc, int code);
/* Without secrets, and whole when JSON or YAML is asked for: then true, with
 * *doc gone, as after an error; *code is how it ended. */
bool tool_print_whole(struct tool *t, xlcfg_doc **doc, int *code);
/* What is not known, a line each on standard error; not with --quiet. */
void tool_unknown(const struct tool *t, const xlcfg_doc *unknown);
/* An answer about one device: whole, or its key and state and then `note`;
 * takes doc; an exit code. */
int tool_print_device(struct tool *t, xlcfg_doc *doc, const char *note);
/* Flush stdout and say whether all of it arrived. */
int tool_flush(const struct tool *t, int code);
int yaml_print(const xlcfg_doc *doc);

/* ---- text as somebody else wrote it ---- */

#define TEXT_NONE UINT32_MAX    /* in the place of a byte that is no UTF-8 */
/* The character at s, which is not at its end, and how many bytes it has. */
size_t text_next(const char *s, uint32_t *c_r);
/* Is it one that a terminal shows, and does not obey? */
bool text_is_safe(uint32_t c);
/* Print s, '?' for what is not safe, and nothing with f NULL; how many
 * characters it has. */
size_t text_put(FILE *f, const char *s);
/* One line of what the format makes, put so; a newline comes behind it. */
void text_line(FILE *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* s as a JSON string, which it is whatever bytes s has. */
void text_json(FILE *f, const char *s);

/* A table: cells are copied; columns as wide as their widest cell. */
struct table;
struct table *table_new(const char *const *heads, size_t columns);
void table_cell(struct table *tb, const char *text);    /* NULL: "-" */
void table_print(struct table *tb);                     /* frees it */
/* Text of a scalar member for a cell, "-" when null or absent. */
const char *cell_text(const xlcfg_doc *doc, const char *name);
/* Its address, {"vdev": "xvda"} as vdev=xvda; the buffer is the caller's. */
const char *cell_address(const xlcfg_doc *dev, char *buf, size_t size);

/* A file, or "-" for standard input, whole; *text_r is malloc'd. */
int tool_read(const struct tool *t, const char *path, char **text_r,
              size_t *len_r);

/* The configuration of an OVF's text; what was not understood is named on
 * standard error.  An exit code. */
int tool_read_ovf(struct tool *t, const char *path, const char *text,
                  size_t len, xlcfg_doc **config_r);

/* A line on standard error after a second, when that is a terminal and not
 * --quiet.  Every begin comes to an end. */
struct progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool running, done;
    char text[256];
};
void progress_begin(struct progress *p, const struct tool *t,
                    const char *verb, const char *what);
void progress_end(struct progress *p);

/* A line for each row of a list: the member that names it, or else the
 * other one; `other` may be NULL. */
void print_names(const xlcfg_doc *list, const char *member,
                 const char *other);

/* A differing document (diff.json): JSON, YAML, names, or rows with these
 * heads; an exit code.  Takes doc. */
int diff_print(struct tool *t, xlcfg_doc *doc, const char *from,
               const char *to);

#endif
