/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as an OVF envelope: what is refused names its line, and what is
 * taken can be written and is the same when it is read again.  The same bytes
 * as JSON: whatever a configuration holds comes through an envelope.
 */
#include "core/ovf.h"
#include "fuzz.h"

#include <libxml/xmlerror.h>
#include <string.h>

static void quiet(void *arg, const char *fmt, ...)
{
    (void)arg; (void)fmt;
}

/* Passwords that were left out are the one thing that does not come back. */
static bool is_whole(const xlcfg_doc *doc)
{
    const char *text = xlcfg_doc_string(doc);

    if (text && !strcmp(text, "<redacted>"))
        return false;
    for (size_t i = 0; i < xlcfg_doc_count(doc); i++)
        if (!is_whole(xlcfg_doc_at(doc, i)))
            return false;
    return true;
}

static void there_and_back(const xlcfg_doc *config)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg__members m = { 0 };
    xlcfg_doc *get, *again;
    char *text;

    xlcfg__members_add(&m, "config", xlcfg_doc_ref(config));
    get = xlcfg__members_end(&m);
    must(get);
    must(xlcfg__ovf_write(get, NULL, NULL, &text, &err) == 0);
    must(xlcfg__ovf_read(text, strlen(text), NULL, &again, &err) == 0);
    must(xlcfg__doc_equal(xlcfg_doc_get(again, "config"), config));
    free(text);
    xlcfg_doc_free(again);
    xlcfg_doc_free(get);
}

/* The same bytes as a manifest: each line that is taken is a whole one. */
static void manifest(const char *text, size_t size)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *files;
    int rc = xlcfg__manifest_read(text, size, &files, &err);

    if (rc) {
        must((rc == XLCFG_ERROR_PARSE || rc == XLCFG_ERROR_NI) &&
             err.message[0]);
        return;
    }
    for (size_t i = 0; i < xlcfg_doc_count(files); i++) {
        const xlcfg_doc *line = xlcfg_doc_at(files, i);
        const char *name = xlcfg__doc_getstr(line, "name");

        must(*name && !strchr(name, '/') && strcmp(name, ".."));
        must(xlcfg__doc_getstr(line, "algorithm") &&
             strlen(xlcfg__doc_getstr(line, "digest")) >= 40);
    }
    xlcfg_doc_free(files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int rc;

    manifest(text, size);
    xmlSetGenericErrorFunc(NULL, quiet);
    rc = xlcfg__ovf_read(text, size, "/folder", &doc, &err);
    if (rc) {
        must(rc == XLCFG_ERROR_PARSE);
        must(!strncmp(err.where, "line ", 5) && err.message[0]);
    } else {
        const xlcfg_doc *config = xlcfg_doc_get(doc, "config");

        must(xlcfg_doc_kind(config) == XLCFG_DOC_OBJECT);
        if (is_whole(config))
            there_and_back(config);
        xlcfg_doc_free(doc);
    }
    if (!xlcfg_doc_parse(text, size, &doc, NULL)) {
        if (xlcfg_doc_kind(doc) == XLCFG_DOC_OBJECT && is_whole(doc))
            there_and_back(doc);
        xlcfg_doc_free(doc);
    }
    return 0;
}
