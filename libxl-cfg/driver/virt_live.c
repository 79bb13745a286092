/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What runs: a domain's live XML, and what is understood of it.  The
 * configuration is never asked of statistics, which wait for the guest; and
 * libvirt is asked first whether somebody holds the domain.
 */
#include "driver/virt_i.h"
#include "core/hash.h"
#include "driver/clock.h"
#include "driver/virt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* From this version on a look at the XML waits for another's hotplug. */
#define XML_WAITS 11000000UL
#define STEP_MS 10

static void nap(void)
{
    static const struct timespec step = { 0, STEP_MS * 1000000 };

    nanosleep(&step, NULL);
}

char *xlcfg__virt_xml(virDomainPtr d, unsigned flags)
{
    char *xml = virDomainGetXMLDesc(d, flags | VIR_DOMAIN_XML_SECURE);

    return xml ? xml : virDomainGetXMLDesc(d, flags);
}

int xlcfg__virt_parse_desc(virDomainPtr d, const char *xml, xmlDocPtr *doc_r,
                           xlcfg_error *err)
{
    int rc = xlcfg__virt_parse(xml, strlen(xml), "domain", doc_r, err);

    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_in(err, virDomainGetName(d));
    return rc;
}

int xlcfg__virt_desc(virDomainPtr d, unsigned flags,
                     xmlDocPtr *doc_r, xlcfg_error *err)
{
    char *xml = xlcfg__virt_xml(d, flags);
    int rc;

    if (!xml)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    rc = xlcfg__virt_parse_desc(d, xml, doc_r, err);
    free(xml);
    return rc;
}

bool xlcfg__virt_xml_waits(const struct virt *v)
{
    return !v->version || v->version >= XML_WAITS;
}

/* Who was not in the monitor so short a time ago is not stuck there now.  It
 * is all that counts where the XML waits for nobody. */
bool xlcfg__virt_cannot_be_stuck(struct virt *v, const char *uuid)
{
    return !xlcfg__virt_xml_waits(v) && xlcfg__virt_is_heard(v, uuid);
}

bool xlcfg__virt_is_stuck(const virDomainControlInfo *info)
{
    return info->state == VIR_DOMAIN_CONTROL_ERROR &&
        info->details != VIR_DOMAIN_CONTROL_ERROR_REASON_INTERNAL;
}

bool xlcfg__virt_is_busy(struct virt *v, virDomainPtr d, const char *uuid,
                         struct xlcfg_view *view)
{
    unsigned left = v->version >= XML_WAITS ? v->deadline_ms / 3 : 0;
    virDomainControlInfo info;

    if (xlcfg__virt_cannot_be_stuck(v, uuid))
        return false;
    for (;; left -= left < STEP_MS ? left : STEP_MS) {
        int64_t now = xlcfg__now_ms();

        /* a driver without this call has no such wait */
        if (virDomainGetControlInfo(d, &info, 0) < 0)
            return false;
        if (info.state == VIR_DOMAIN_CONTROL_OK) {
            xlcfg__virt_is_calm(v->memo, uuid, now);
            return false;
        }
        if (!left)
            break;
        nap();
    }
    if (xlcfg__virt_is_stuck(&info) || v->version >= XML_WAITS) {
        xlcfg__view_note(view, "devices: libvirt is busy with this domain "
                         "for %llu ms, its XML would be waited for",
                         info.stateTime);
        return true;
    }
    /* a look into QEMU would wait as long */
    if (info.stateTime >= XLCFG__VIRT_STUCK_MS && view->deep) {
        xlcfg__view_note(view, "devices: QEMU has not answered libvirt for "
                         "%llu ms, and is to be asked", info.stateTime);
        return true;
    }
    if (info.stateTime >= XLCFG__VIRT_STUCK_MS)
        xlcfg__view_note(view, "devices: QEMU has not answered libvirt for "
                         "%llu ms: what libvirt remembers is shown",
                         info.stateTime);
    return false;
}

/* ---- what is understood ---- */


/* Takes the text's XML.  *tree_r: as take_apart; NULL of one that was known. */
static int understand(struct virt *v, const struct xlcfg_domain *dom,
                      struct xlcfg__virt_text *text,
                      struct xlcfg__virt_sense *sense, xmlDocPtr *tree_r,
                      xlcfg_error *err)
{
    int rc = 0;

    *tree_r = NULL;
    if (xlcfg__virt_recall(v->memo, text, sense)) {
        free(text->xml);
    } else {
        struct xlcfg__virt_parts *old;

        old = xlcfg__virt_last_parts(v->memo, text->uuid);
        rc = xlcfg__virt_take_apart(text->xml, old, NULL, sense, tree_r, err);
        xlcfg__virt_parts_free(old);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_in(err, dom->name);
        if (!rc)
            xlcfg__virt_learn(v->memo, text, sense);
        else
            free(text->xml);
    }
    text->xml = NULL;
    return rc;
}

/* A live view of what was understood. */
static int show(const struct xlcfg__virt_sense *sense,
                struct xlcfg_view *view, xlcfg_error *err)
{
    static const enum xlcfg_kind seen[] = {
        XLCFG_KIND_DISK, XLCFG_KIND_NIC, XLCFG_KIND_PCI, XLCFG_KIND_VFB,
        XLCFG_KIND_CHANNEL, XLCFG_KIND_USBCTRL, XLCFG_KIND_USBDEV,
    };
    const xlcfg_doc *of[XLCFG_KINDS];
    size_t next[XLCFG_KINDS] = { 0 };
    int rc;

    rc = xlcfg__view_from_config(sense->config, view, err);
    if (rc)
        return rc;
    for (int k = 0; k < XLCFG_KINDS; k++)
        of[k] = xlcfg_doc_get(sense->addresses, xlcfg__kinds[k].array);
    /* each device has a name of its own here, so none was left out */
    for (size_t i = 0; i < view->count; i++) {
        enum xlcfg_kind kind = view->devs[i].kind;
        const xlcfg_doc *at = xlcfg_doc_at(of[kind], next[kind]++);

        if (xlcfg_doc_kind(at) == XLCFG_DOC_OBJECT)
            view->devs[i].address = xlcfg_doc_ref(at);
    }
    view->whole = view->in_order = true;
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        view->sees[seen[i]] = true;
    return 0;
}

/* There, but not to be understood: said, nothing is made up. */
static int show_trouble(struct xlcfg_view *view, const xlcfg_error *why)
{
    xlcfg__view_note(view, "devices: %s: %s", why->where, why->message);
    return view->unknown.failed ? XLCFG_ERROR_NOMEM : 0;
}

int xlcfg__virt_show(struct virt *v, virDomainPtr d,
                     const struct xlcfg_domain *dom,
                     struct xlcfg__virt_text *text, const char *xml,
                     struct xlcfg__virt_sense *sense, xmlDocPtr *tree_r,
                     struct xlcfg_view *view, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    rc = understand(v, dom, text, sense, tree_r, &why);
    if (!rc)
        rc = show(sense, view, &why);
    if (!rc && view->deep && v->is_qemu && dom->domid >= 0)
        return xlcfg__virt_deep(v, d, xml, view, err);
    if (rc == XLCFG_ERROR_PARSE)
        rc = show_trouble(view, &why);
    if (rc && err)
        *err = why;
    return rc;
}

int xlcfg__virt_live(void *handle, const struct xlcfg_domain *dom,
                     struct xlcfg_view *view, xlcfg_error *err)
{
    struct xlcfg__virt_text text = { .uuid = dom->uuid };
    struct xlcfg__virt_sense sense = { .number = 0 };
    struct virt *v = handle;
    virDomainPtr d = NULL;
    xmlDocPtr tree = NULL;
    int rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    if (xlcfg__virt_is_busy(v, d, dom->uuid, view)) {
        rc = view->unknown.failed ? xlcfg__nomem(err) : 0;
        goto out;
    }
    text.xml = xlcfg__virt_xml(d, 0);
    if (!text.xml)
        rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    else
        rc = xlcfg__virt_show(v, d, dom, &text, NULL, &sense, &tree, view, err);
    xmlFreeDoc(tree);
    xlcfg__virt_sense_dispose(&sense);
out:
    virDomainFree(d);
    return rc;
}

/* The text libvirt has, whatever of it moved: to read it costs a tenth of
 * understanding it. */
int xlcfg__virt_index(void *handle, const struct xlcfg_domain *dom,
                      char **text_r, xlcfg_error *err)
{
    struct virt *v = handle;
    struct xlcfg_view busy;
    char hex[65] = "", *xml = NULL;
    virDomainPtr d;
    int rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    xlcfg__view_init(&busy);
    if (!xlcfg__virt_is_busy(v, d, dom->uuid, &busy)) {
        xml = virDomainGetXMLDesc(d, 0);
        if (!xml)
            rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    }
    if (xml)
        xlcfg__hash_bytes(xml, strlen(xml), hex);
    xlcfg__view_dispose(&busy);
    free(xml);
    virDomainFree(d);
    if (rc)
        return rc;
    *text_r = strdup(hex);
    return *text_r ? 0 : xlcfg__nomem(err);
}
