/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON text before it is parsed: is it UTF-8, do its escapes make sense. */
#include "core/json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Length of one UTF-8 sequence at s, 0 if it is none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
    static const unsigned min[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 4 :
        s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
    unsigned cp;

    if (n < 2 || n > left)
        return n == 1;
    cp = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (s[i] & 0x3fu);
    }
    if (cp < min[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return 0;
    return n;
}

/* Where it stops to be UTF-8; len when it never does. */
static size_t utf8_end(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t i = 0;
    uint64_t w;

    while (i < len) {
        size_t n;

        if (len - i >= 8) {
            memcpy(&w, p + i, 8);
            if (!(w & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        n = utf8_len(p + i, len - i);
        if (!n)
            return i;
        i += n;
    }
    return len;
}

bool xlcfg__utf8_ok(const char *s, size_t len)
{
    return utf8_end(s, len) == len;
}

static int hex4(const char *s, size_t left)
{
    int n = 0;

    if (left < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int d = c >= '0' && c <= '9' ? c - '0' :
            c >= 'a' && c <= 'f' ? c - 'a' + 10 :
            c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

        if (d < 0)
            return -1;
        n = n << 4 | d;
    }
    return n;
}

/*
 * What is wrong with the escape at s, or NULL; *n_r gets its length.  yajl
 * would put a question mark in the place of half a surrogate pair, which is
 * a change of the data.
 */
static const char *bad_escape(const char *s, size_t left, size_t *n_r)
{
    int hi, lo = -1;

    *n_r = 2;
    if (left < 2 || s[1] != 'u')
        return NULL;
    hi = hex4(s + 2, left - 2);
    if (hi == 0)
        return "NUL in a string";
    if (hi < 0xd800 || hi >= 0xe000)
        return NULL;
    if (left >= 12 && s[6] == '\\' && s[7] == 'u')
        lo = hex4(s + 8, left - 8);
    if (hi >= 0xdc00 || lo < 0xdc00 || lo >= 0xe000)
        return "half a UTF-16 surrogate pair";
    *n_r = 12;
    return NULL;
}

const char *xlcfg__json_bad_text(const char *text, size_t len, size_t *at_r)
{
    const char *end = text + len, *p = text, *why;
    size_t n;

    *at_r = utf8_end(text, len);
    if (*at_r != len)
        return "invalid UTF-8";
    while (len && (p = memchr(p, '\\', (size_t)(end - p)))) {
        why = bad_escape(p, (size_t)(end - p), &n);
        *at_r = (size_t)(p - text);
        if (why)
            return why;
        if ((size_t)(end - p) <= n)
            break;
        p += n;
    }
    return NULL;
}

void xlcfg__json_position(const char *text, size_t at, char *buf,
                          size_t size)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < at; i++) {
        column++;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    snprintf(buf, size, "line %zu column %zu", line, column);
}
