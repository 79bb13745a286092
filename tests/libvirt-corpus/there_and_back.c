/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domain XML to JSON and back, thousands of files in one process.
 *
 *     there_and_back OUT < LIST
 *
 * LIST: lines "NUMBER KIND PATH", KIND is domain or device.  What a file
 * comes back as goes to OUT/NUMBER.xml.  One line for each file:
 *
 *     NUMBER same                XML, JSON, XML, JSON: the JSON is the same
 *     NUMBER changed             it is not
 *     NUMBER other               a device that libxl has no kind for
 *     NUMBER refused WHERE|TEXT
 *     NUMBER unwritten WHERE|TEXT     read, but not written again
 */
#include "driver/virt_i.h"
#include "driver/virt_body.h"
#include "driver/virt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *slurp(const char *path, size_t *len_r)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    char buf[65536];
    size_t n;

    if (!f || !to) {
        perror(path);
        exit(9);
    }
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        fwrite(buf, 1, n, to);
    if (ferror(f) || fclose(to)) {
        perror(path);
        exit(9);
    }
    fclose(f);
    *len_r = size;
    return text;
}

static void spill(const char *folder, const char *number, const char *xml)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.xml", folder, number);
    f = fopen(path, "w");
    if (!f || fputs(xml, f) < 0 || fclose(f)) {
        perror(path);
        exit(9);
    }
}

/* Through the text of JSON, as a reader of ours gets it. */
static int as_text(xlcfg_doc **doc, xlcfg_error *err)
{
    char *text = NULL;
    size_t len;
    int rc = xlcfg_doc_print(*doc, 0, &text, &len, err);

    xlcfg_doc_free(*doc);
    *doc = NULL;
    if (!rc)
        rc = xlcfg_doc_parse(text, len, doc, err);
    free(text);
    return rc;
}

static int read_one(const char *xml, size_t len, enum xlcfg_kind *kind_r,
                    bool device, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int rc = device ? xlcfg__virt_device_from_xml(xml, len, kind_r, doc_r,
                                                  err)
        : xlcfg__virt_from_xml(xml, len, doc_r, err);

    return rc ? rc : as_text(doc_r, err);
}

/* The element of a body, as text. */
static int write_device(enum xlcfg_kind kind, const xlcfg_doc *body,
                        char **xml_r, xlcfg_error *err)
{
    xmlDocPtr doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNodePtr top = xmlNewNode(NULL, (const xmlChar *)"devices");
    xlcfg_doc *text = NULL;
    int rc;

    xmlDocSetRootElement(doc, top);
    rc = xlcfg__virt_element(kind, body, top, err);
    if (!rc) {
        text = xlcfg__xml_text(top->children);
        *xml_r = strdup(xlcfg_doc_string(text));
    }
    xlcfg_doc_free(text);
    xmlFreeDoc(doc);
    return rc;
}

static int write_one(const xlcfg_doc *doc, enum xlcfg_kind kind, bool device,
                     char **xml_r, xlcfg_error *err)
{
    return device ? write_device(kind, doc, xml_r, err)
        : xlcfg__virt_to_xml(doc, xml_r, err);
}

/* The same by parts that were understood before. */
static bool same_by_parts(const char *xml)
{
    struct xlcfg__virt_sense once = { .number = 0 }, twice = { .number = 0 };
    xmlDocPtr tree = NULL, again = NULL;
    bool same;

    same = !xlcfg__virt_take_apart(xml, NULL, NULL, &once, &tree, NULL) &&
        !xlcfg__virt_take_apart(xml, once.parts, NULL, &twice, &again, NULL)
        && xlcfg__doc_equal(once.config, twice.config) &&
        xlcfg__doc_equal(once.addresses, twice.addresses);
    xmlFreeDoc(tree);
    xmlFreeDoc(again);
    xlcfg__virt_sense_dispose(&once);
    xlcfg__virt_sense_dispose(&twice);
    return same;
}

static void one(const char *out, const char *number, bool device,
                const char *path)
{
    enum xlcfg_kind kind = XLCFG_KINDS, twice = XLCFG_KINDS;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL, *again = NULL;
    char *back = NULL, *xml;
    size_t len;
    int rc;

    xml = slurp(path, &len);
    rc = read_one(xml, len, &kind, device, &doc, &err);
    if (rc) {
        printf("%s %s %s|%s\n", number, rc == XLCFG_ERROR_NI ? "other"
               : "refused", err.where, err.message);
        goto out;
    }
    rc = write_one(doc, kind, device, &back, &err);
    if (rc) {
        printf("%s unwritten %s|%s\n", number, err.where, err.message);
        goto out;
    }
    spill(out, number, back);
    rc = read_one(back, strlen(back), &twice, device, &again, &err);
    printf("%s %s\n", number, !rc && kind == twice &&
           xlcfg__doc_equal(doc, again) && (device || same_by_parts(xml))
           ? "same" : "changed");
out:
    xlcfg_doc_free(doc);
    xlcfg_doc_free(again);
    free(back);
    free(xml);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    if (argc != 2) {
        fprintf(stderr, "usage: there_and_back OUT < LIST\n");
        return 2;
    }
    while ((n = getline(&line, &size, stdin)) > 0) {
        char number[20], kind[20];
        int at = 0;

        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%19s %19s %n", number, kind, &at) != 2 || !at) {
            fprintf(stderr, "expected NUMBER KIND PATH: %s\n", line);
            return 2;
        }
        one(argv[1], number, !strcmp(kind, "device"), line + at);
        fflush(stdout);
    }
    free(line);
    return 0;
}
