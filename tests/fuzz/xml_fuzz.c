/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as domain XML and as the XML of one device.  What is refused
 * names its line; what is taken can be written again, and is the same when it
 * is read again.
 */
#include "driver/virt_body.h"
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

static void domain(const char *xml, size_t len)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *config, *again;
    char *back, *twice;
    int rc = xlcfg__virt_from_xml(xml, len, &config, &err);

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
