/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as libxl's userdata file of a domain: read, taken apart, merged
 * with a live view that saw nothing - once because it could not look, once
 * because it looked and nothing was there - and printed.
 */
#include "fuzz.h"
#include "store/template.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID "5a3c0d52-3ab1-4a2f-9a50-0b5f2f5a6c11"

static char dir[] = "/dev/shm/template_fuzz.XXXXXX";
static char path[128];

static void leave(void)
{
    unlink(path);
    rmdir(dir);
}

static void setup(void)
{
    if (path[0])
        return;
    must(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/userdata-d.1." UUID ".libxl-json", dir);
    atexit(leave);
}

static void put(const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

static void merge(const struct xlcfg_view *tmpl, bool looked)
{
    struct xlcfg_intents none = { 0 };
    struct xlcfg_answer answer = { 0 };
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_view live;

    xlcfg__view_init(&live);
    for (int kind = 0; kind < XLCFG_KINDS; kind++)
        live.sees[kind] = looked;
    must(xlcfg__merge(tmpl, &none, &live, &answer, &err) == 0);
    must(answer.count >= tmpl->count);
    fuzz_check_answer(&answer);
    xlcfg__answer_dispose(&answer);
    xlcfg__view_dispose(&live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg__stamp stamp;
    struct xlcfg_view view;
    xlcfg_doc *doc;
    int rc;

    setup();
    put(data, size);
    rc = xlcfg__template_read(dir, 1, UUID, 0, &doc, &stamp, &err);
    must(stamp.size == size);
    if (rc) {
        must(rc == XLCFG_ERROR_PARSE && err.message[0] && err.where[0]);
        return 0;
    }
    xlcfg__view_init(&view);
    rc = xlcfg__view_from_config(doc, &view, &err);
    must(rc == 0 || (rc == XLCFG_ERROR_PARSE && err.message[0]));
    if (!rc) {
        merge(&view, false);
        merge(&view, true);
    }
    xlcfg__view_dispose(&view);
    xlcfg_doc_free(doc);
    return 0;
}
