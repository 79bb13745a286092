/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xlcfg: global options, the table of commands, errors, reading files. */
#include "xlcfg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const commands[] = {
    &cmd_list, &cmd_get, &cmd_devices, &cmd_addresses,
    &cmd_template, &cmd_live, &cmd_diff,
    &cmd_explain, &cmd_attach, &cmd_detach, &cmd_update, &cmd_settle,
    &cmd_create, &cmd_import, &cmd_export, &cmd_pending, &cmd_watch,
    &cmd_history, &cmd_wait, &cmd_features, &cmd_schema, &cmd_table,
    &cmd_check,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct {
    int error, code;
} codes[] = {
    { XLCFG_ERROR_NI, EXIT_NOT_ABLE },
    { XLCFG_ERROR_INVAL, EXIT_USAGE },
    { XLCFG_ERROR_PARSE, EXIT_USAGE },
    { XLCFG_ERROR_DEVICE_EXISTS, EXIT_REFUSED },
    { XLCFG_ERROR_DOMAIN_NOTFOUND, EXIT_NOT_THERE },
    { XLCFG_ERROR_NOTFOUND, EXIT_NOT_THERE },
    { XLCFG_ERROR_CONFLICT, EXIT_CONFLICT },
    { XLCFG_ERROR_TOO_OLD, EXIT_CONFLICT },
    { XLCFG_ERROR_PENDING, EXIT_PENDING },
    { XLCFG_ERROR_REFUSED, EXIT_REFUSED },
    { XLCFG_ERROR_LOCK_FAIL, EXIT_REFUSED },
    { XLCFG_ERROR_TIMEDOUT, EXIT_UNREACHABLE },
    { XLCFG_ERROR_UNREACHABLE, EXIT_UNREACHABLE },
};

static int code_of(int error)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].error == error)
            return codes[i].code;
    return EXIT_INTERNAL;
}

static void print_error(const struct tool *t, const xlcfg_error *err)
{
    if (t->format != FORMAT_JSON) {
        text_line(stderr, "xlcfg: %s%s%s", err->where,
                  err->where[0] ? ": " : "", err->message);
        return;
    }
    fprintf(stderr, "{\"error\": {\"code\": %d, \"name\": ", err->code);
    text_json(stderr, xlcfg_error_name(err->code));
    fputs(", \"message\": ", stderr);
    text_json(stderr, err->message);
    fputs(", \"where\": ", stderr);
    if (err->where[0])
        text_json(stderr, err->where);
    else
        fputs("null", stderr);
    fputs("}}\n", stderr);
}

int tool_fail(const struct tool *t, const xlcfg_error *err)
{
    print_error(t, err);
    return code_of(err->code);
}

int tool_fail_in(const struct tool *t, const char *path,
                 const xlcfg_error *err)
{
    xlcfg_error whole = { err->code, "", "" };

    snprintf(whole.where, sizeof(whole.where), "%.200s%s%.300s", path,
             err->where[0] ? ": " : "", err->where);
    snprintf(whole.message, sizeof(whole.message), "%s", err->message);
    return tool_fail(t, &whole);
}

bool tool_is_version(const char *text)
{
    return strspn(text, "0123456789abcdef") == 12 && text[12] == '.' &&
        strspn(text + 13, "0123456789") == 20 && !text[33];
}

int tool_usage(const struct tool *t, const char *where, const char *fmt, ...)
{
    xlcfg_error err = { XLCFG_ERROR_INVAL, "", "" };
    va_list ap;

    snprintf(err.where, sizeof(err.where), "%s", where ? where : "");
    va_start(ap, fmt);
    vsnprintf(err.message, sizeof(err.message), fmt, ap);
    va_end(ap);
    print_error(t, &err);
    return EXIT_USAGE;
}

int tool_open(struct tool *t)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg_ctx_open(t->uri, &t->opt, &t->ctx, &err);
    return rc ? tool_fail(t, &err) : 0;
}

/* Does arg spell this option?  Sets *inline_r past its '='. */
static bool spells(const char *arg, const char *name, const char **inline_r)
{
    size_t len = strcspn(name, "=");

    if (strncmp(arg, "--", 2) || strncmp(arg + 2, name, len))
        return false;
    *inline_r = arg[2 + len] == '=' ? arg + 3 + len : NULL;
    return !arg[2 + len] || arg[2 + len] == '=';
}

static int take_option(const struct tool *t, int argc, char **argv, int *i,
                       const struct option_row *rows)
{
    for (; rows->name; rows++) {
        const char *value;

        if (!spells(argv[*i], rows->name, &value))
            continue;
        if (!strchr(rows->name, '=')) {
            if (value)
                return tool_usage(t, argv[*i], "takes no value");
            *rows->value = "";
            return 0;
        }
        if (!value && *i + 1 >= argc)
            return tool_usage(t, argv[*i], "expected a value");
        *rows->value = value ? value : argv[++*i];
        return 0;
    }
    return tool_usage(t, argv[*i], "no such option here: see --help");
}

int tool_options(const struct tool *t, int *argc, char **argv,
                 const struct option_row *rows)
{
    bool plain = false;
    int out = 1, code;

    for (int i = 1; i < *argc; i++) {
        if (!plain && !strcmp(argv[i], "--")) {
            plain = true;
        } else if (!plain && !strncmp(argv[i], "--", 2)) {
            code = take_option(t, *argc, argv, &i, rows);
            if (code)
                return code;
        } else {
            argv[out++] = argv[i];
        }
    }
    *argc = out;
    return 0;
}

int tool_args(const struct tool *t, int *argc, char **argv,
              const struct option_row *rows, int least, int most,
              const char *usage)
{
    int code = tool_options(t, argc, argv, rows);

    if (!code && (*argc <= least || *argc - 1 > most))
        code = tool_usage(t, *argc - 1 > most ? argv[most + 1] : NULL,
                          "usage: xlcfg %s", usage);
    return code;
}

int tool_lacks(const struct tool *t, enum format format, const char *command)
{
    static const char *const rows[][2] = {
        [FORMAT_TABLE] = { "-o table", "table" },
        [FORMAT_JSON] = { "-o json", "JSON" },
        [FORMAT_YAML] = { "-o yaml", "YAML" },
        [FORMAT_NAME] = { "-o name", "name" },
        [FORMAT_XML] = { "-o xml", "XML" },
    };

    return t->format != format ? 0
        : tool_usage(t, rows[format][0], "%s has no %s form", command,
                     rows[format][1]);
}

int tool_begin(struct tool *t, int *argc, char **argv,
               const struct option_row *rows, int least, int most,
               const char *usage)
{
    int code = tool_args(t, argc, argv, rows, least, most, usage);

    if (!code)
        code = tool_lacks(t, FORMAT_XML, argv[0]);
    return code ? code : tool_open(t);
}

int tool_seconds(const struct tool *t, const char *option, const char *text,
                 double most, unsigned *ms_r)
{
    char *end;
    double s = strtod(text, &end);

    if (*end || end == text || !(s >= 0 && s <= most))
        return tool_usage(t, option, "expected seconds from 0 to %.0f, not "
                          "'%s'", most, text);
    *ms_r = s > 0 && s < 0.001 ? 1 : (unsigned)(s * 1000);
    return 0;
}

int tool_flush(const struct tool *t, int code)
{
    if (!fflush(stdout) && !ferror(stdout))
        return code;
    tool_usage(t, "standard output", "%s", strerror(errno));
    return EXIT_INTERNAL;
}

int tool_read(const struct tool *t, const char *path, char **text_r,
              size_t *len_r)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
    size_t len = 0, room = 0;
    char *text = NULL;

    if (!f)
        return tool_usage(t, path, "%s", strerror(errno));
    for (;;) {
        size_t n;

        if (len + 1 >= room) {
            char *more = realloc(text, room = room ? room * 2 : 65536);

            if (!more || room > (size_t)256 << 20) {
                free(more ? more : text);
                if (f != stdin)
                    fclose(f);
                return tool_usage(t, path, "more than 128 MiB");
            }
            text = more;
        }
        n = fread(text + len, 1, room - len - 1, f);
        len += n;
        if (!n)
            break;
    }
    text[len] = '\0';
    if (ferror(f)) {
        free(text);
        if (f != stdin)
            fclose(f);
        return tool_usage(t, path, "cannot be read");
    }
    if (f != stdin)
        fclose(f);
    *text_r = text;
    *len_r = len;
    return 0;
}

/* ---- help, and main ---- */

static void help(void)
{
    puts("usage: xlcfg [-c URI] [--state-dir DIR] [-o FORMAT] [--quiet] "
         "COMMAND ...\n\n"
         "The true configuration of running domains, on Xen and on KVM.\n\n"
         "commands:");
    for (size_t i = 0; i < COMMANDS; i++) {
        char usage[80];

        snprintf(usage, sizeof(usage), "%s%s%s", commands[i]->name,
                 *commands[i]->args ? " " : "", commands[i]->args);
        printf("  %-34s %s\n", usage, commands[i]->summary);
    }
    puts("\noptions, before or behind the command:\n"
         "  -c, --connect URI   xen:///, a libvirt URI, or mem:FILE\n"
         "  --state-dir DIR     where state.db is "
         "(XLCFG_STATE_DIR, /var/lib/libxl-cfg)\n"
         "  --deadline SECONDS  longest look at the backend (3)\n"
         "  --deep              look into QEMU itself, which taints the "
         "domain (libvirt)\n"
         "  -o FORMAT           table, json, yaml, or name\n"
         "  --secrets           show passwords instead of <redacted>\n"
         "  -q, --quiet         no output but what was asked for\n"
         "  --version, --help   `xlcfg COMMAND --help` says more\n\n"
         "DOM is a name, a uuid, or a domid.\n"
         "exit codes: 0 done, 1 differs, 2 usage or bad input, 3 no such "
         "domain or device,\n"
         "4 conflict, 5 requested but not finished, 6 refused, 7 not able, "
         "8 backend\n"
         "unreachable, 9 internal");
}

static void command_help(const struct command *cmd)
{
    printf("usage: xlcfg [OPTIONS] %s%s%s\n\n%s.\n\n%s\n", cmd->name,
           *cmd->args ? " " : "", cmd->args, cmd->summary, cmd->help);
}

static int set_format(struct tool *t, const char *name)
{
    static const char *const names[] = { "table", "json", "yaml", "name",
                                         "xml" };

    for (int i = 0; i < 5; i++)
        if (!strcmp(name, names[i])) {
            t->format = (enum format)i;
            t->format_given = true;
            return 0;
        }
    return tool_usage(t, name,
                      "no such format: expected table, json, yaml, name, "
                      "or xml");
}

static int set_deadline(struct tool *t, const char *text)
{
    char *end;
    double s = strtod(text, &end);

    if (*end || end == text || !(s >= 0.001 && s <= 3600))
        return tool_usage(t, "--deadline",
                          "expected seconds from 0.001 to 3600, not '%s'",
                          text);
    t->opt.deadline_ms = (unsigned)(s * 1000);
    return 0;
}

/* The global options, wherever they stand; the others stay in argv. */
static int globals(struct tool *t, int *argc, char **argv, bool *help_r)
{
    const char *format = NULL, *deadline = NULL;
    const struct {
        const char *brief, *full;
        const char **value;
    } rows[] = {
        { "-c", "--connect", &t->uri },
        { NULL, "--state-dir", &t->opt.state_dir },
        { "-o", "--output", &format }, { NULL, "--deadline", &deadline },
    };
    int out = 1;

    for (int i = 1; i < *argc; i++) {
        const char **value = NULL;
        size_t len = strcspn(argv[i], "=");

        if (!strcmp(argv[i], "--")) {
            while (i < *argc)
                argv[out++] = argv[i++];
            break;
        }
        for (size_t r = 0; r < 4 && !value; r++)
            if ((rows[r].brief && !strcmp(argv[i], rows[r].brief)) ||
                (strlen(rows[r].full) == len &&
                 !strncmp(argv[i], rows[r].full, len)))
                value = rows[r].value;
        if (value && argv[i][1] == '-' && argv[i][len])
            *value = argv[i] + len + 1;
        else if (value && i + 1 >= *argc)
            return tool_usage(t, argv[i], "expected a value");
        else if (value)
            *value = argv[++i];
        else if (!strcmp(argv[i], "-q") || !strcmp(argv[i], "--quiet"))
            t->quiet = true;
        else if (!strcmp(argv[i], "--secrets"))
            t->secrets = true;
        else if (!strcmp(argv[i], "--deep"))
            t->opt.deep = true;
        else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
            *help_r = true;
        else
            argv[out++] = argv[i];
        /* at once: what is wrong behind it is told in this form */
        if (value == &format && set_format(t, format))
            return EXIT_USAGE;
    }
    argv[out] = NULL;
    *argc = out;
    return deadline ? set_deadline(t, deadline) : 0;
}

int main(int argc, char **argv)
{
    struct tool t = { .opt = XLCFG_CTX_OPTIONS_INIT };
    bool want_help = false;
    int code;

    /* libvirt's log, when it runs inside of this: what matters in it comes
     * as an error, once */
    setenv("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null", 0);
    code = globals(&t, &argc, argv, &want_help);
    if (code)
        return code;
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        printf("xlcfg %s\n", xlcfg_version());
        return tool_flush(&t, EXIT_DONE);
    }
    if (argc < 2 && !want_help)
        return tool_usage(&t, NULL, "no command: see xlcfg --help");
    if (argc < 2 || !strcmp(argv[1], "help")) {
        help();
        return tool_flush(&t, EXIT_DONE);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i]->name))
            continue;
        if (want_help) {
            command_help(commands[i]);
            return tool_flush(&t, EXIT_DONE);
        }
        code = commands[i]->run(&t, argc - 1, argv + 1);
        xlcfg_ctx_close(t.ctx);
        return tool_flush(&t, code);
    }
    return tool_usage(&t, argv[1], "no such command: see xlcfg --help");
}
