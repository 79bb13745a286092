/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking at one domain: in the live XML, and at what is kept (virt_kept.c).
 * The configuration is never asked of statistics, which wait for the guest;
 * and libvirt is asked first whether somebody holds the domain.
 */
#include "driver/virt_i.h"
#include "core/hash.h"
#include "driver/clock.h"
#include "driver/crew.h"
#include "driver/virt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* From this version on a look at the XML waits for another's hotplug. */
#define XML_WAITS 11000000UL
#define STEP_MS 10
#define TYPE ((const xmlChar *)"type")

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

/* Who was not in the monitor so short a time ago is not stuck there now.  It
 * is all that counts where the XML waits for nobody. */
static bool cannot_be_stuck(struct virt *v, const char *uuid)
{
    return v->version && v->version < XML_WAITS &&
        xlcfg__virt_is_heard(v, uuid);
}

/*
 * Does somebody hold the domain?  Then from some version on its XML would be
 * waited for: true, nothing is to be read.  Before that it is libvirt's
 * memory that is shown; said when it is for long.
 */
static bool is_busy(struct virt *v, virDomainPtr d, const char *uuid,
                    struct xlcfg_view *view)
{
    unsigned left = v->version >= XML_WAITS ? v->deadline_ms / 3 : 0;
    virDomainControlInfo info;

    if (cannot_be_stuck(v, uuid))
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
    if (info.state == VIR_DOMAIN_CONTROL_ERROR || v->version >= XML_WAITS) {
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

/* *tree_r: for who needs it as well, to be freed; NULL after an error. */
static int take_apart(const char *xml, struct xlcfg__virt_sense *sense,
                      xmlDocPtr *tree_r, xlcfg_error *err)
{
    int rc;

    rc = xlcfg__virt_parse(xml, strlen(xml), "domain", tree_r, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_from_tree(*tree_r, &sense->config, &sense->addresses,
                               err);
    if (rc) {
        xmlFreeDoc(*tree_r);
        *tree_r = NULL;
    }
    return rc;
}

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
        rc = take_apart(text->xml, sense, tree_r, err);
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
    view->whole = true;
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

/* Takes the text's XML; xml, unless NULL, is the same. */
static int show_live(struct virt *v, virDomainPtr d,
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
    if (is_busy(v, d, dom->uuid, view)) {
        rc = view->unknown.failed ? xlcfg__nomem(err) : 0;
        goto out;
    }
    text.xml = xlcfg__virt_xml(d, 0);
    if (!text.xml)
        rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    else
        rc = show_live(v, d, dom, &text, NULL, &sense, &tree, view, err);
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
    if (!is_busy(v, d, dom->uuid, &busy)) {
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

/* ---- both at once ---- */

/* One look: what libvirt said, and whether it was all understood before. */
struct look {
    struct xlcfg__virt_text live, kept;         /* xml NULL: none is kept */
    char *xml;                  /* of live, to compare and liken with */
    xmlDocPtr tree;             /* of live; NULL: not taken apart */
    struct xlcfg__virt_sense sense;
    bool is_kept;
    bool begun;                 /* by an act, which read live */
    bool beside;                /* kept was read while live was, not after */
    bool changed;               /* it is not what it was */
    int hint;                   /* is_kept is from a list: 0, 1; else -1 */
};

/* What is kept, and whether the domain is what it was: by other threads. */
struct beside {
    struct virt *v;
    virDomainPtr d;
    const struct xlcfg_domain *dom;
    char *xml;
    bool is_told;
};

static void read_kept(void *arg)
{
    struct beside *b = arg;

    b->xml = xlcfg__virt_xml(b->d, VIR_DOMAIN_XML_INACTIVE);
}

static void ask_told(void *arg)
{
    struct beside *b = arg;

    b->is_told = xlcfg__virt_is_told(b->v, b->d, b->dom);
}

/* Of a guest that is known both texts are likely to be, and its state, too: a
 * daemon answers for all at once.  A list has other guests to ask for
 * meanwhile. */
static char *read_live(struct virt *v, virDomainPtr d,
                       const struct xlcfg_domain *dom, struct look *l)
{
    static const struct xlcfg__work reads = { .run = read_kept };
    static const struct xlcfg__work asks = { .run = ask_told };
    struct xlcfg__turn *kept = NULL, *told = NULL;
    struct beside b = { .v = v, .d = d, .dom = dom };
    char *xml;

    if (v->is_remote && dom->recalled && l->hint == 1)
        kept = xlcfg__turn_start(&reads, &b);
    if (dom->unasked)
        told = xlcfg__turn_start(&asks, &b);
    if (dom->unasked && !told)
        ask_told(&b);
    xml = xlcfg__virt_xml(d, 0);
    l->beside = kept && xlcfg__turn_end(kept, XLCFG__NO_END);
    if (told)
        xlcfg__turn_end(told, XLCFG__NO_END);
    l->changed = dom->unasked && !b.is_told;
    l->kept.xml = b.xml;
    return xml;
}

/* After what runs, for certain. */
static int read_again(virDomainPtr d, struct look *l, xlcfg_error *err)
{
    free(l->kept.xml);
    l->kept.xml = xlcfg__virt_xml(d, VIR_DOMAIN_XML_INACTIVE);
    return l->kept.xml ? 0
        : xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
}

static int read_texts(struct virt *v, virDomainPtr d,
                      const struct xlcfg_domain *dom, struct look *l,
                      xlcfg_error *err)
{
    int kept = l->hint;

    l->live.uuid = l->kept.uuid = dom->uuid;
    l->kept.kept = true;
    l->xml = xlcfg__virt_seen(v->memo, dom->uuid);
    l->begun = l->xml;
    if (!l->xml)
        l->xml = read_live(v, d, dom, l);
    else
        l->changed = dom->unasked && !xlcfg__virt_is_told(v, d, dom);
    if (l->changed)
        return XLCFG_STALE;
    if (!l->xml)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    if (kept < 0)
        kept = virDomainIsPersistent(d);
    if (kept < 0)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    l->is_kept = kept;
    return kept && !l->kept.xml ? read_again(d, l, err) : 0;
}

static void print(struct xlcfg_look *look, const struct look *l,
                  unsigned long kept)
{
    snprintf(look->print, sizeof(look->print), "%lu.%lu", l->sense.number,
             kept);
}

/* Were both texts of one moment before?  As both are there still they are so
 * again: that needs no third look. */
static bool are_known(struct virt *v, struct look *l, struct xlcfg_look *look)
{
    struct xlcfg__virt_sense kept = { .number = 0 };
    bool all;

    l->live.xml = l->xml;
    all = xlcfg__virt_recall(v->memo, &l->live, &l->sense);
    l->live.xml = NULL;
    l->kept.beside = l->sense.number;
    all = all && (!l->is_kept ||
                  xlcfg__virt_recall(v->memo, &l->kept, &kept));
    if (all)
        print(look, l, kept.number);
    xlcfg__virt_sense_dispose(&kept);
    return all;
}

/* What is kept is read between two looks at what runs; that it is kept was
 * told just now, but by a list. */
static int fill_look(struct virt *v, virDomainPtr d,
                     const struct xlcfg_domain *dom, struct look *l,
                     bool known, struct xlcfg_look *look, xlcfg_error *err)
{
    struct xlcfg__virt_sense kept = { .number = 0 };
    bool told = l->hint < 0 || dom->recalled;
    int rc = l->beside && !known ? read_again(d, l, err) : 0, is_kept;
    char *again;

    if (rc)
        return rc;
    again = known ? strdup(l->xml) : xlcfg__virt_xml(d, 0);
    is_kept = again && !told ? virDomainIsPersistent(d) : l->is_kept;
    if (!again && known)
        return xlcfg__nomem(err);
    if (!again || is_kept < 0) {
        rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
        free(again);
        return rc;
    }
    look->moved = strcmp(again, l->xml) || is_kept != l->is_kept;
    look->print[0] = '\0';
    xlcfg__virt_sense_dispose(&l->sense);
    l->live.xml = again;
    rc = show_live(v, d, dom, &l->live, l->xml, &l->sense, &l->tree,
                   look->view, err);
    if (rc)
        return rc;
    l->kept.beside = l->sense.number;
    if (!l->is_kept)
        look->stored_rc = xlcfg__virt_is_transient(dom, &look->stored_err);
    else
        look->stored_rc = xlcfg__virt_understand_kept(v, dom, &l->kept,
                                          dom->domid >= 0 ? l->xml : "",
                                          l->tree,
                                          &look->stored, &kept.number,
                                          &look->stored_err);
    if (l->sense.number && (!l->is_kept || kept.number) &&
        !look->view->deep && !look->view->unknown.count)
        print(look, l, kept.number);
    return 0;
}

/* Is it the one that was recalled, under that name and in that run? */
static bool is_recalled(const char *xml, const struct xlcfg_domain *dom)
{
    const char *end = strchr(xml, '>'), *id = strstr(xml, " id='");
    const char *name = end ? strstr(end, "<name>") : NULL;
    size_t len = strlen(dom->name);

    return name && !strncmp(name + 6, dom->name, len) &&
        !strncmp(name + 6 + len, "</name>", 7) &&
        dom->domid == (id && id < end ? strtoll(id + 5, NULL, 10) : -1);
}

int xlcfg__virt_look(void *handle, const struct xlcfg_domain *dom,
                     struct xlcfg_look *look, xlcfg_error *err)
{
    struct look l = { .is_kept = false };
    struct xlcfg__virt_hold hold;
    struct virt *v = handle;
    bool known;
    int rc;

    rc = xlcfg__virt_hold(v, dom, &hold, err);
    if (rc)
        return rc;
    l.hint = dom->unasked ? 1 : hold.kept;
    if (is_busy(v, hold.d, dom->uuid, look->view)) {
        if (dom->recalled) {
            rc = XLCFG_STALE;   /* it is not seen now */
            goto out;
        }
        look->blind = true;
        look->stored_rc = xlcfg__err(&look->stored_err,
                                     XLCFG_ERROR_TIMEDOUT, dom->uuid,
                                     "libvirt is busy with this domain");
        rc = look->view->unknown.failed ? xlcfg__nomem(err) : 0;
        goto out;
    }
    rc = read_texts(v, hold.d, dom, &l, err);
    if (!rc && dom->recalled && !is_recalled(l.xml, dom))
        rc = XLCFG_STALE;
    known = !rc && !l.begun && are_known(v, &l, look);
    look->same = known && look->known && !strcmp(look->known, look->print) &&
        !look->view->deep && !look->view->unknown.count;
    if (!rc && !look->same)
        rc = fill_look(v, hold.d, dom, &l, known, look, err);
    if (!rc && dom->domid >= 0)
        xlcfg__virt_go_ahead(v, hold.d, dom->uuid, l.xml);
    free(l.xml);
    free(l.kept.xml);
    xmlFreeDoc(l.tree);
    xlcfg__virt_sense_dispose(&l.sense);
out:
    xlcfg__virt_let_go(v, &hold);
    if (rc == XLCFG_STALE)
        xlcfg__virt_unlearn_name(v, dom->uuid);
    return rc;
}
