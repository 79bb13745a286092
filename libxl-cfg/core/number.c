/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers: decimal arithmetic on text. */
#include "core/number.h"

#include <stdio.h>
#include <string.h>

#define PLAIN 40                /* digits of a number written out in full */
#define SMALL 15                /* digits of an exponent for arithmetic */

/* What a JSON number says: digits times ten to the power of shift plus the
 * exponent. */
struct parts {
    bool minus;
    char digits[XLCFG__NUMBER_MAX];
    size_t count;               /* 0: the number is 0 */
    long shift;
    bool exp_minus;
    const char *exp;            /* without leading zeros */
    size_t exp_count;
};

bool xlcfg__number_is_plain(const char *s, size_t len)
{
    bool minus = len && *s == '-';

    s += minus;
    len -= minus;
    if (!len || len > PLAIN || (*s == '0' && (minus || len > 1)))
        return false;
    for (size_t i = 0; i < len; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

static void take_apart(const char *s, size_t len, struct parts *p)
{
    bool point = false;
    size_t i;

    p->minus = *s == '-';
    p->count = 0;
    p->shift = 0;
    for (i = p->minus; i < len && s[i] != 'e' && s[i] != 'E'; i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        p->shift -= point;
        if (p->count || s[i] != '0')
            p->digits[p->count++] = s[i];
    }
    for (; p->count && p->digits[p->count - 1] == '0'; p->count--)
        p->shift++;
    p->exp_minus = ++i < len && s[i] == '-';
    if (i < len && (s[i] == '-' || s[i] == '+'))
        i++;
    for (; i < len && s[i] == '0'; i++)
        ;
    p->exp = s + i;
    p->exp_count = i < len ? len - i : 0;
}

/* The power of ten when its exponent is short. */
static long long small_power(const struct parts *p)
{
    long long e = 0;

    for (size_t i = 0; i < p->exp_count; i++)
        e = e * 10 + (p->exp[i] - '0');
    return (p->exp_minus ? -e : e) + p->shift;
}

/*
 * An exponent of more digits than SMALL plus the shift, which is at most as
 * big as a number is long and so cannot turn its sign.
 */
static size_t put_long_power(const struct parts *p, char *buf)
{
    long carry = p->exp_minus ? -p->shift : p->shift;
    char *d = buf + p->exp_minus;
    size_t count = p->exp_count, zeros = 0;

    buf[0] = '-';
    memcpy(d, p->exp, count);
    for (size_t i = count; i-- > 0 && carry;) {
        long v = d[i] - '0' + carry;
        long digit = (v % 10 + 10) % 10;

        d[i] = (char)('0' + digit);
        carry = (v - digit) / 10;
    }
    if (carry) {                /* 999... became 1000... */
        memmove(d + 1, d, count++);
        *d = (char)('0' + carry);
    }
    while (zeros < count && d[zeros] == '0')
        zeros++;
    memmove(d, d + zeros, count - zeros);
    return count - zeros + p->exp_minus;
}

size_t xlcfg__number_text(const char *s, size_t len, char *buf)
{
    struct parts p;
    long long power;
    size_t out = 0;

    take_apart(s, len, &p);
    if (!p.count) {
        buf[0] = '0';
        return 1;
    }
    if (p.minus)
        buf[out++] = '-';
    memcpy(buf + out, p.digits, p.count);
    out += p.count;
    if (p.exp_count > SMALL) {
        buf[out++] = 'e';
        return out + put_long_power(&p, buf + out);
    }
    power = small_power(&p);
    if (power >= 0 && power <= PLAIN && p.count + (size_t)power <= PLAIN) {
        memset(buf + out, '0', (size_t)power);
        return out + (size_t)power;
    }
    return power ? out + (size_t)sprintf(buf + out, "e%lld", power) : out;
}
