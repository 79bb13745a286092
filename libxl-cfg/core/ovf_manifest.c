/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manifest beside an OVF envelope: a digest for each file. */
#include "core/hash.h"
#include "core/json.h"
#include "core/ovf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 10000

/* "NAME", of a file in the folder and not below or above it. */
static bool is_name(const char *name)
{
    return *name && strcmp(name, ".") && strcmp(name, "..") &&
        !strchr(name, '/');
}

static bool is_digest(const char *hex)
{
    size_t len = strspn(hex, "0123456789abcdefABCDEF");

    return len >= 40 && len < XLCFG__DIGEST_HEX && !hex[len];
}

static bool is_there(const xlcfg__items *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (!strcmp(xlcfg__doc_getstr(files->v[i], "name"), name))
            return true;
    return false;
}

static char *trimmed(char *text)
{
    size_t len;

    text += strspn(text, " \t\r");
    len = strlen(text);
    while (len && strchr(" \t\r", text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* The line is taken to pieces. */
static int read_line(xlcfg__items *files, char *line, unsigned number,
                     xlcfg_error *err)
{
    char *open = strchr(line, '('), *equals = strrchr(line, '=');
    char *close = NULL, *name, *digest;
    xlcfg__members m = { 0 };
    char where[32];

    snprintf(where, sizeof(where), "line %u", number);
    if (equals) {
        *equals = '\0';
        close = strrchr(line, ')');
    }
    if (!open || !close || close < open || *trimmed(close + 1))
        return xlcfg__err(err, XLCFG_ERROR_PARSE, where,
                          "expected SHA256(NAME)= DIGEST");
    *open = *close = '\0';
    name = open + 1;
    digest = trimmed(equals + 1);
    line = trimmed(line);
    if (!xlcfg__digest_is_known(line))
        return xlcfg__err(err, XLCFG_ERROR_NI, where, "the algorithm "
                          "%.20s: expected SHA1, SHA256 or SHA512", line);
    if (!is_name(name))
        return xlcfg__err(err, XLCFG_ERROR_PARSE, where, "%.200s leads out "
                          "of the folder: expected a name in it", name);
    if (!is_digest(digest))
        return xlcfg__err(err, XLCFG_ERROR_PARSE, where,
                          "%.140s is no digest", digest);
    if (is_there(files, name) || files->count >= FILES_MAX)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, where, files->count <
                          FILES_MAX ? "%.200s is there twice"
                          : "%.200s is one too many", name);
    for (char *p = digest; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    xlcfg__members_add(&m, "name", xlcfg__doc_str(name));
    xlcfg__members_add(&m, "algorithm", xlcfg__doc_str(line));
    xlcfg__members_add(&m, "digest", xlcfg__doc_str(digest));
    xlcfg__members_add(&m, "line", xlcfg__doc_int(number));
    xlcfg__items_add(files, xlcfg__members_end(&m));
    return files->failed ? xlcfg__nomem(err) : 0;
}

int xlcfg__manifest_read(const char *text, size_t len, xlcfg_doc **files_r,
                         xlcfg_error *err)
{
    xlcfg__items files = { 0 };
    char *copy, *line, *next;
    unsigned number = 1;
    int rc = 0;

    if (memchr(text, '\0', len) || !xlcfg__utf8_ok(text, len))
        return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                          "expected a text in UTF-8");
    copy = malloc(len + 1);
    if (!copy)
        return xlcfg__nomem(err);
    memcpy(copy, text, len);
    copy[len] = '\0';
    for (line = copy; line && !rc; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (*trimmed(line))
            rc = read_line(&files, line, number, err);
    }
    free(copy);
    if (rc) {
        xlcfg__items_dispose(&files);
        return rc;
    }
    *files_r = xlcfg__items_end(&files);
    return *files_r ? 0 : xlcfg__nomem(err);
}
