/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every allocation fails once: the n-th of a whole walk, for each n, until a
 * walk meets none.  Linked with --wrap, so that allocations of the library
 * come here, and every block it takes is counted until it is given back.
 */
#include "core/diff.h"
#include "core/merge.h"
#include "driver/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long made, fail_at, alive;
static bool hit;

static bool fails(void)
{
    if (++made != fail_at)
        return false;
    hit = true;
    return true;
}

static void *count(void *p)
{
    alive += p != NULL;
    return p;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);
int __wrap_vasprintf(char **s, const char *fmt, va_list ap);
int __wrap_asprintf(char **s, const char *fmt, ...);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : count(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t m)
{
    return fails() ? NULL : count(__real_calloc(n, m));
}

void *__wrap_realloc(void *p, size_t n)
{
    if (fails())
        return NULL;
    return p ? __real_realloc(p, n) : count(__real_malloc(n));
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : count(__real_strdup(s));
}

void __wrap_free(void *p)
{
    alive -= p != NULL;
    __real_free(p);
}

int __wrap_vasprintf(char **s, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    if (fails())
        return -1;
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    *s = count(__real_malloc((size_t)n + 1));
    return vsnprintf(*s, (size_t)n + 1, fmt, ap);
}

int __wrap_asprintf(char **s, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = __wrap_vasprintf(s, fmt, ap);
    va_end(ap);
    return n;
}

static const char tmpl[] = "{\"c_info\":{\"name\":\"g\"},\"b_info\":{\"a\":1},"
    "\"disks\":[{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"},{\"vdev\":7},3],"
    "\"nics\":[{\"mac\":\"00:16:3e:00:00:01\"},"
    "{\"mac\":\"00:16:3e:00:00:01\"},{\"devid\":1}]}";

static const char uri[] = "mem:{\"domains\":[{\"uuid\":"
    "\"11111111-2222-3333-4444-555555555555\",\"name\":\"g\",\"domid\":1,"
    "\"run\":\"r\",\"live\":{\"b_info\":{\"b\":2},\"disks\":[{\"vdev\":"
    "\"xvda\",\"pdev_path\":\"/b\"},{\"vdev\":\"xvdb\"}]},\"devices\":"
    "{\"disk/xvdb\":{\"live\":\"leaving\",\"reason\":\"held\"},\"vtpm/0\":"
    "{\"live\":\"unknown\"}},\"unknown\":[\"/x: y\"]}],\"fail\":[{\"call\":"
    "\"attach\",\"error\":\"FAIL\",\"message\":\"m\"}]}";

static int look(struct xlcfg_view *live)
{
    struct xlcfg_conn *conn = NULL;
    struct xlcfg_domain dom = { .domid = -1 };
    struct xlcfg_domains list = { 0 };
    char *index = NULL;
    int rc;

    rc = xlcfg__conn_open(uri, NULL, &conn, NULL);
    if (rc)
        return rc;
    rc = conn->drv.list(conn->handle, &list, NULL);
    if (!rc)
        rc = conn->drv.find(conn->handle, "g", &dom, NULL);
    if (!rc)
        rc = conn->drv.index(conn->handle, &dom, &index, NULL);
    if (!rc)
        rc = conn->drv.live(conn->handle, &dom, live, NULL);
    free(index);
    xlcfg__domains_dispose(&list);
    xlcfg__domain_dispose(&dom);
    xlcfg__conn_free(conn);
    return rc;
}

static int answer(const struct xlcfg_view *t, const struct xlcfg_view *live)
{
    struct xlcfg_answer a = { 0 };
    xlcfg_doc *diff = NULL;
    char *text = NULL, hex[65];
    int rc;

    rc = xlcfg__merge(t, NULL, live, &a, NULL);
    if (rc)
        return rc;
    diff = xlcfg__diff("template", t, "live", live, true);
    rc = diff ? 0 : XLCFG_ERROR_NOMEM;
    if (!rc)
        rc = xlcfg_doc_print(diff, XLCFG_PRINT_PRETTY, &text, NULL, NULL);
    if (!rc)
        rc = xlcfg_doc_hash(a.config, hex, NULL);
    free(text);
    xlcfg_doc_free(diff);
    xlcfg__answer_dispose(&a);
    return rc;
}

static int walk(void)
{
    struct xlcfg_view t, live;
    xlcfg_doc *doc = NULL;
    int rc;

    xlcfg__view_init(&t);
    xlcfg__view_init(&live);
    rc = xlcfg_doc_parse(tmpl, strlen(tmpl), &doc, NULL);
    if (!rc)
        rc = xlcfg__view_from_config(doc, &t, NULL);
    if (!rc)
        rc = look(&live);
    if (!rc)
        rc = answer(&t, &live);
    xlcfg__view_dispose(&t);
    xlcfg__view_dispose(&live);
    xlcfg_doc_free(doc);
    return rc;
}

int main(void)
{
    int passed = 0, failed = 0;

    do {
        int rc;

        hit = false;
        made = alive = 0;
        fail_at++;
        rc = walk();
        if (rc == (hit ? XLCFG_ERROR_NOMEM : 0) && !alive) {
            passed++;
        } else {
            failed++;
            printf("not ok: allocation %ld: %s, %ld blocks left\n", fail_at,
                   xlcfg_error_name(rc), alive);
        }
    } while (hit);
    /* a walk that allocates next to nothing has not been one */
    if (fail_at < 200) {
        failed++;
        printf("not ok: only %ld allocations were met\n", fail_at);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
