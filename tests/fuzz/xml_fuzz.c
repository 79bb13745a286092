/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as domain XML and as the XML of one device.  What is refused
 * names its line; what is taken can be written again, and is the same when it
 * is read again, and when it is read by its parts.
 */
#include "driver/virt_body.h"
#include "driver/virt_i.h"
#include "driver/virt_xml.h"
#include "fuzz.h"

#include <libxml/xmlerror.h>
#include <string.h>

static void quiet(void *arg, const char *fmt, ...)
{
    (void)arg; (void)fmt;
}

static void check_refusal(int rc, const xlcfg_error *err)
{
    must(rc == XLCFG_ERROR_PARSE || rc == XLCFG_ERROR_NI);
    must(!strncmp(err->where, "line ", 5) && err->message[0]);
}

/* The same by its parts, and by parts that were understood before. */
static void parts(const char *xml, int whole, const xlcfg_doc *config)
{
    struct xlcfg__virt_sense once = { .number = 0 }, twice = { .number = 0 };
    xmlDocPtr tree = NULL, again = NULL;
    int rc = xlcfg__virt_take_apart(xml, NULL, NULL, &once, &tree, NULL);

    must(rc == whole);
    if (!rc) {
        must(xlcfg__doc_equal(once.config, config));
        must(!xlcfg__virt_take_apart(xml, once.parts, NULL, &twice, &again,
                                     NULL));
        must(xlcfg__doc_equal(twice.config, config));
        must(xlcfg__doc_equal(twice.addresses, once.addresses));
    }
    xmlFreeDoc(tree);
    xmlFreeDoc(again);
    xlcfg__virt_sense_dispose(&once);
    xlcfg__virt_sense_dispose(&twice);
}

/* As what is kept beside itself that runs: what one is read as, the other is,
 * whole or by its parts. */
static void beside(const char *xml, int whole)
{
    struct xlcfg__virt_sense runs = { .number = 0 }, kept = { .number = 0 },
        cut = { .number = 0 };
    struct xlcfg__virt_beside live = { .xml = xml };
    xmlDocPtr tree = NULL, other = NULL, third = NULL;

    must(xlcfg__virt_take_apart(xml, NULL, &live, &kept, &other, NULL) ==
         whole);
    if (!whole) {
        must(!xlcfg__virt_take_apart(xml, NULL, NULL, &runs, &tree, NULL));
        live.tree = tree;
        live.parts = runs.parts;
        must(!xlcfg__virt_take_apart(xml, NULL, &live, &cut, &third, NULL));
        must(xlcfg__doc_equal(cut.config, kept.config));
    }
    xmlFreeDoc(tree);
    xmlFreeDoc(other);
    xmlFreeDoc(third);
    xlcfg__virt_sense_dispose(&runs);
    xlcfg__virt_sense_dispose(&kept);
    xlcfg__virt_sense_dispose(&cut);
}

/* A comment at its end says nothing; with one the text is read another way. */
static void commented(const char *xml, size_t len, int plain,
                      const xlcfg_doc *config)
{
    static const char comment[] = "<!-- -->";
    char *text = malloc(len + sizeof(comment));
    xlcfg_doc *again = NULL;
    int rc;

    must(text);
    memcpy(text, xml, len);
    memcpy(text + len, comment, sizeof(comment));
    rc = xlcfg__virt_from_xml(text, len + sizeof(comment) - 1, &again, NULL);
    must(plain || (!rc && xlcfg__doc_equal(config, again)));
    xlcfg_doc_free(again);
    free(text);
}

/* What is printed here is what the library prints. */
static void printed(const char *xml, size_t len)
{
    xmlBufferPtr buf;
    xlcfg_doc *text;
    xmlNodePtr top;
    xmlDocPtr doc;

    if (xlcfg__virt_parse(xml, len, NULL, &doc, NULL))
        return;
    top = xmlDocGetRootElement(doc);
    buf = xmlBufferCreate();
    text = xlcfg__xml_text(top);
    must(buf && text && xmlNodeDump(buf, doc, top, 0, 0) >= 0);
    must(text->count == (size_t)xmlBufferLength(buf) &&
         !memcmp(text->text, xmlBufferContent(buf), text->count));
    xlcfg_doc_free(text);
    xmlBufferFree(buf);
    xmlFreeDoc(doc);
}

static void domain(const char *xml, size_t len)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *config = NULL, *again;
    char *back, *twice, *text;
    int rc = xlcfg__virt_from_xml(xml, len, &config, &err);

    if (!memchr(xml, '\0', len)) {
        text = strndup(xml, len);
        must(text);
        parts(text, rc, config);
        beside(text, rc);
        free(text);
    }
    commented(xml, len, rc, config);
    printed(xml, len);
    if (rc) {
        check_refusal(rc, &err);
        return;
    }
    must(xlcfg__virt_to_xml(config, &back, &err) == 0);
    must(xlcfg__virt_from_xml(back, strlen(back), &again, &err) == 0);
    must(xlcfg__doc_equal(config, again));
    must(xlcfg__virt_to_xml(again, &twice, &err) == 0);
    must(!strcmp(back, twice));
    free(back);
    free(twice);
    xlcfg_doc_free(config);
    xlcfg_doc_free(again);
}

static void device(const char *xml, size_t len)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    enum xlcfg_kind kind, twice;
    xlcfg_doc *body, *text, *again;
    xmlNodePtr top;
    xmlDocPtr doc;
    int rc = xlcfg__virt_device_from_xml(xml, len, &kind, &body, &err);

    if (rc) {
        check_refusal(rc, &err);
        return;
    }
    must(kind < XLCFG_KINDS);
    doc = xmlNewDoc((const xmlChar *)"1.0");
    top = xmlNewNode(NULL, (const xmlChar *)"devices");
    must(doc && top);
    xmlDocSetRootElement(doc, top);
    must(xlcfg__virt_element(kind, body, top, &err) == 0);
    text = xlcfg__xml_text(top->children);
    must(text);
    must(xlcfg__virt_device_from_xml(text->text, strlen(text->text), &twice,
                                     &again, &err) == 0);
    must(kind == twice && xlcfg__doc_equal(body, again));
    xlcfg_doc_free(again);
    xlcfg_doc_free(text);
    xlcfg_doc_free(body);
    xmlFreeDoc(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    xmlSetGenericErrorFunc(NULL, quiet);
    domain((const char *)data, size);
    device((const char *)data, size);
    return 0;
}
