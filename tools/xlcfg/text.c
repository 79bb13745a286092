/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that somebody else wrote - names, reasons, arguments - as one line of
 * output: nothing in it that a terminal would obey or a reader refuse. */
#include "xlcfg.h"

#include <stdarg.h>
#include <stdlib.h>

size_t text_next(const char *s, uint32_t *c_r)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *u = (const unsigned char *)s;
    size_t len = *u < 0x80 ? 1 : *u >> 5 == 6 ? 2 : *u >> 4 == 14 ? 3
        : *u >> 3 == 30 ? 4 : 0;
    uint32_t c = len == 1 ? *u : len ? *u & (0x7fU >> len) : 0;

    *c_r = TEXT_NONE;
    for (size_t i = 1; i < len; i++) {
        if (u[i] >> 6 != 2)
            return 1;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (!len || c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 1;
    *c_r = c;
    return len;
}

/* Controls (C0, DEL, C1), line and paragraph separators, what turns the
 * direction of writing, and what is no character. */
bool text_is_safe(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } rows[] = {
        { 0x00, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c },
        { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
        { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xfffe, 0xffff },
        { TEXT_NONE, TEXT_NONE },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (c >= rows[i].first && c <= rows[i].last)
            return false;
    return true;
}

size_t text_put(FILE *f, const char *s)
{
    size_t n = 0;

    for (; *s; n++) {
        uint32_t c;
        size_t len = text_next(s, &c);

        if (f && text_is_safe(c))
            fwrite(s, 1, len, f);
        else if (f)
            fputc('?', f);
        s += len;
    }
    return n;
}

void text_line(FILE *f, const char *fmt, ...)
{
    char *text;
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (r < 0) {
        fputs("xlcfg: out of memory: a line is left out\n", stderr);
        return;
    }
    text_put(f, text);
    fputc('\n', f);
    free(text);
}

void text_json(FILE *f, const char *s)
{
    fputc('"', f);
    while (*s) {
        uint32_t c;
        size_t len = text_next(s, &c);

        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", (int)c);
        else if (c == TEXT_NONE)
            fputs("\\ufffd", f);
        else if (!text_is_safe(c))
            fprintf(f, "\\u%04x", (unsigned)c);
        else
            fwrite(s, 1, len, f);
        s += len;
    }
    fputc('"', f);
}
