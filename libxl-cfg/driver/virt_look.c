/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One look at one domain: at what runs (virt_live.c) and what is kept for the
 * next start (virt_kept.c), of one moment.
 */
#include "driver/virt_i.h"
#include "driver/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One look: what libvirt said, and whether it was all understood before. */
struct look {
    struct xlcfg__virt_text live, kept;         /* xml NULL: none is kept */
    char *xml;                  /* of live, to compare and liken with */
    xmlDocPtr tree;             /* of live; NULL: not taken apart */
    struct xlcfg__virt_sense sense;
    bool is_kept;
    bool begun;                 /* by an act, which read live */
    bool beside;                /* kept was read while live was, not after */
    int hint;                   /* is_kept is from a list: 0, 1; else -1 */
};

/* What is kept, by another thread. */
struct beside {
    virDomainPtr d;
    char *xml;
};

static void read_kept(void *arg)
{
    struct beside *b = arg;

    b->xml = xlcfg__virt_xml(b->d, VIR_DOMAIN_XML_INACTIVE);
}

/* Of a guest that is known both texts are likely to be, too: a daemon answers
 * for both at once.  A list has other guests to ask for meanwhile. */
static char *read_live(struct virt *v, virDomainPtr d,
                       const struct xlcfg_domain *dom, struct look *l)
{
    static const struct xlcfg__work work = { .run = read_kept };
    struct xlcfg__turn *turn = NULL;
    struct beside b = { .d = d };
    char *xml;

    if (v->is_remote && dom->recalled && l->hint == 1)
        turn = xlcfg__turn_start(&work, &b);
    xml = xlcfg__virt_xml(d, 0);
    l->beside = turn && xlcfg__turn_end(turn, XLCFG__NO_END);
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
    if (!l->xml)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    if (kept < 0)
        kept = virDomainIsPersistent(d);
    if (kept < 0)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    l->is_kept = kept;
    return kept && !l->kept.xml ? read_again(d, l, err) : 0;
}

static void print(char print_r[48], unsigned long live, unsigned long kept)
{
    snprintf(print_r, 48, "%lu.%lu", live, kept);
}

bool xlcfg__virt_know(struct virt *v, const char *uuid, char *live,
                      char *kept, struct xlcfg__virt_sense *sense_r,
                      char print_r[48])
{
    struct xlcfg__virt_text runs = { .uuid = uuid, .xml = live };
    struct xlcfg__virt_text stays = { .uuid = uuid, .kept = true,
                                      .xml = kept };
    struct xlcfg__virt_sense sense = { .number = 0 };
    bool all;

    all = xlcfg__virt_recall(v->memo, &runs, sense_r);
    stays.beside = sense_r->number;
    all = all && (!kept || xlcfg__virt_recall(v->memo, &stays, &sense));
    if (all)
        print(print_r, sense_r->number, sense.number);
    xlcfg__virt_sense_dispose(&sense);
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
    rc = xlcfg__virt_show(v, d, dom, &l->live, l->xml, &l->sense, &l->tree,
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
        print(look->print, l->sense.number, kept.number);
    return 0;
}

bool xlcfg__virt_is_of(const char *xml, const struct xlcfg_domain *dom)
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

    rc = xlcfg__virt_hold(v, dom, false, &hold, err);
    if (rc)
        return rc;
    l.hint = hold.kept;
    if (xlcfg__virt_is_busy(v, hold.d, dom->uuid, look->view)) {
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
    if (!rc && dom->recalled && !xlcfg__virt_is_of(l.xml, dom))
        rc = XLCFG_STALE;
    known = !rc && !l.begun &&
        xlcfg__virt_know(v, dom->uuid, l.xml, l.is_kept ? l.kept.xml : NULL,
                         &l.sense, look->print);
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
