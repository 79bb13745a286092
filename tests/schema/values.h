/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values that a field can be filled with, none of them the default.
 *
 * v is the variant: v % ARMS chooses the arm of a keyed union, v / ARMS
 * walks everything else, so that each arm meets each value.  order tells
 * fields of one type apart.  ARMS comes from the generated file.
 */
#ifndef XLCFG_TEST_SCHEMA_VALUES_H
#define XLCFG_TEST_SCHEMA_VALUES_H

struct enum_row {
    const char *name;
    const libxl_enum_string_table *strings;
};

static void *array(int n, size_t size)
{
    void *p = calloc((size_t)n, size);

    if (!p)
        die("out of memory");
    return p;
}

static int enum_value(const int *values, int n, int v, int order)
{
    return values[(v / ARMS + order) % n];
}

static bool bool_value(int v, int order)
{
    return (v / ARMS + order) % 4 != 3;
}

static int signed_value(int v, int order)
{
    static const int values[] = { INT_MAX, INT_MIN, 1, -2, 4097 };

    return values[(v / ARMS + order) % 5];
}

/* libxl's own reader drops numbers beyond INT64_MAX: see --readable. */
static uint64_t most = UINT64_MAX;

/* All ones is the default of some memory sizes: the others cover those. */
static uint64_t unsigned_value(uint64_t max, int v, int order)
{
    if (max > most)
        max = most;
    switch ((v / ARMS + order) % 4) {
    case 0:
        return max;
    case 1:
        return max - 1;
    case 2:
        return max / 2 + 1;
    default:
        return 3;
    }
}

/* Every class of character that JSON treats in its own way. */
static char *text_value(const char *where, int v, int order)
{
    static const char *const tails[] = {
        "", " \"quoted\\\"", " a/b\tc\r\n", " \x01\x1f\x7f\b\f",
        " \xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x80\xa8",
    };
    char *s;

    if (asprintf(&s, "%s %d%s", where, v,
                 tails[(v / ARMS + order) % 5]) < 0)
        die("out of memory");
    return s;
}

static void fill_libxl_defbool(libxl_defbool *p, int v, int order)
{
    libxl_defbool_set(p, (v / ARMS + order) % 2);
}

static void fill_bytes(uint8_t *p, int n, int v, int order)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(0xff - v * 7 - order * 3 - i * 17);
}

static void fill_libxl_uuid(libxl_uuid *p, int v, int order)
{
    fill_bytes(p->uuid, sizeof(p->uuid), v, order);
}

static void fill_libxl_mac(libxl_mac *p, int v, int order)
{
    fill_bytes(*p, sizeof(*p), v, order);
}

static void fill_libxl_ms_vm_genid(libxl_ms_vm_genid *p, int v, int order)
{
    fill_bytes(p->bytes, sizeof(p->bytes), v, order);
}

static void fill_libxl_bitmap(libxl_bitmap *p, int v, int order)
{
    static const int sizes[] = { 1, 3, 8 };

    p->size = (uint32_t)sizes[(v / ARMS + order) % 3];
    p->map = array((int)p->size, 1);
    fill_bytes(p->map, (int)p->size, v, order);
    p->map[p->size - 1] |= 0x80;
}

static void fill_libxl_string_list(libxl_string_list *p, int v, int order)
{
    int n = 1 + (v / ARMS + order) % 3;

    *p = array(n + 1, sizeof(char *));
    for (int i = 0; i < n; i++)
        (*p)[i] = text_value("item", v + i * ARMS, order);
}

static void fill_libxl_key_value_list(libxl_key_value_list *p, int v,
                                      int order)
{
    int n = 1 + (v / ARMS + order) % 3;

    *p = array(2 * n + 1, sizeof(char *));
    for (int i = 0; i < n; i++) {
        char key[64];

        snprintf(key, sizeof(key), "vm-data/key-%d", i);
        (*p)[2 * i] = text_value(key, v + i * ARMS, order);
        if (i < 2)              /* a third key has no value */
            (*p)[2 * i + 1] = text_value("value", v + i * ARMS, order + 1);
    }
}

static void fill_libxl_cpuid_policy_list(libxl_cpuid_policy_list *p, int v,
                                         int order)
{
    /* libxl itself turns these into leaves, subleaves and MSRs. */
    static const char *const words[] = {
        "family=7", "rdcl-no=1", "invtsc=s", "arch-caps=1", "taa-no=k",
        "maxleaf=0x16", "proccount=4",
    };
    static const char *const leaves[] = {
        "7,1:eax=xxxxxxxxxxxxxxxxxxxxxxxxxxx01ks1,"
        "ebx=10101010101010101010101010101010,"
        "ecx=kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk,"
        "edx=00000000000000000000000000000000",
        "0x80000008:ebx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1",
    };
    int step = v / ARMS + order;

    for (int i = 0; i <= step % 7; i++)
        if (libxl_cpuid_parse_config(p, words[(i + step) % 7]))
            die("libxl_cpuid_parse_config refused a policy");
    for (int i = 0; i < 1 + step % 2; i++)
        if (libxl_cpuid_parse_config_xend(p, leaves[i]))
            die("libxl_cpuid_parse_config_xend refused a policy");
}

#endif
