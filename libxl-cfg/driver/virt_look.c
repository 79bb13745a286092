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
    char *again;                /* the same, once more; NULL: not read */
    char *before;               /* of kept, read before again; NULL: not */
    bool moved;                 /* these are not of one moment */
    xmlDocPtr tree;             /* of live; NULL: not taken apart */
    struct xlcfg__virt_sense sense;
    bool is_kept;
    bool begun;                 /* by an act, which read live */
    bool listed;                /* with others: hint is from a list */
    int hint;                   /* is_kept, as was said: 0, 1; else -1 */
};

/* ---- what libvirt says ---- */

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

    if (v->is_remote && dom->recalled && !l->listed && l->hint == 1)
        turn = xlcfg__turn_start(&work, &b);
    xml = xlcfg__virt_xml(d, 0);
    if (turn)
        xlcfg__turn_end(turn, XLCFG__NO_END);
    l->kept.xml = b.xml;
    return xml;
}

static int read_first(struct virt *v, virDomainPtr d,
                      const struct xlcfg_domain *dom, struct look *l,
                      xlcfg_error *err)
{
    l->live.uuid = l->kept.uuid = dom->uuid;
    l->kept.kept = true;
    l->xml = xlcfg__virt_seen(v->memo, dom->uuid, false);
    l->before = xlcfg__virt_seen(v->memo, dom->uuid, true);
    l->begun = l->xml;
    if (!l->xml)
        l->xml = read_live(v, d, dom, l);
    return l->xml ? 0 : xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
}

static int ask_kept(virDomainPtr d, struct look *l, xlcfg_error *err)
{
    int kept = l->hint < 0 ? virDomainIsPersistent(d) : l->hint;

    l->is_kept = kept == 1;
    return kept < 0 ? xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err)
        : 0;
}

/* What libvirt keeps, and what runs once more: after what ran was read. */
struct rest {
    struct virt *v;
    virDomainPtr d;
    const struct xlcfg_domain *dom;
    struct look *l;
    int rc;
    xlcfg_error err;
};

/* Is it kept as it was before its text was read?  Of one that is not, libvirt
 * gives what runs for it. */
static int ask_still(virDomainPtr d, struct look *l, xlcfg_error *err)
{
    int still = virDomainIsPersistent(d);

    if (still < 0)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    l->moved = l->moved || still != l->is_kept;
    return 0;
}

static int read_definition(virDomainPtr d, struct look *l, xlcfg_error *err)
{
    free(l->kept.xml);
    l->kept.xml = l->is_kept ? xlcfg__virt_xml(d, VIR_DOMAIN_XML_INACTIVE)
        : NULL;
    return !l->is_kept || l->kept.xml ? 0
        : xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
}

static int read_again(virDomainPtr d, struct look *l, xlcfg_error *err)
{
    l->again = xlcfg__virt_xml(d, 0);
    return l->again ? 0 : xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE,
                                              err);
}

/* On a connection of its own. */
static void run_again(void *arg)
{
    struct rest *r = arg;
    struct xlcfg__virt_hold hold;

    r->rc = xlcfg__virt_hold(r->v, r->dom, true, &hold, &r->err);
    if (r->rc)
        return;
    r->rc = read_again(hold.d, r->l, &r->err);
    xlcfg__virt_let_go(r->v, &hold);
}

/* What both texts were before they may be read in any order, at once: while
 * they stay as they were there is a moment between. */
static int read_both(struct rest *r, xlcfg_error *err)
{
    static const struct xlcfg__work work = { .run = run_again };
    struct rest again = { .v = r->v, .d = r->d, .dom = r->dom, .l = r->l,
                          .err = XLCFG_ERROR_INIT };
    struct xlcfg__turn *turn = xlcfg__turn_start(&work, &again);
    int rc = read_definition(r->d, r->l, err);

    if (turn)
        xlcfg__turn_end(turn, XLCFG__NO_END);
    else
        run_again(&again);
    if (!rc && again.rc) {
        rc = again.rc;
        *err = again.err;
    }
    r->l->moved = !rc && strcmp(r->l->before, r->l->kept.xml);
    return rc;
}

/* What is kept is read between two looks at what runs. */
static int read_rest(struct rest *r, xlcfg_error *err)
{
    struct look *l = r->l;
    int rc = ask_kept(r->d, l, err);

    if (!rc && l->begun && l->before && l->is_kept) {
        rc = read_both(r, err);
    } else if (!rc) {
        rc = read_definition(r->d, l, err);
        if (!rc)
            rc = read_again(r->d, l, err);
    }
    if (rc)
        return rc;
    l->moved = l->moved || strcmp(l->again, l->xml);
    return ask_still(r->d, l, err);
}

static void run_rest(void *arg)
{
    struct rest *r = arg;

    r->rc = read_rest(r, &r->err);
}

/* ---- what that means ---- */

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

/* What runs was; then what is kept is worth to be read for that alone. */
static bool is_known(struct virt *v, virDomainPtr d,
                     const struct xlcfg_domain *dom, struct look *l,
                     struct xlcfg_look *look)
{
    l->live.xml = l->xml;
    if (!xlcfg__virt_recall(v->memo, &l->live, &l->sense) ||
        ask_kept(d, l, NULL))
        return false;
    xlcfg__virt_sense_dispose(&l->sense);
    if (l->is_kept && !l->kept.xml)
        l->kept.xml = xlcfg__virt_xml(d, VIR_DOMAIN_XML_INACTIVE);
    return (!l->is_kept || l->kept.xml) &&
        xlcfg__virt_know(v, dom->uuid, l->xml,
                         l->is_kept ? l->kept.xml : NULL, &l->sense,
                         look->print);
}

/* Takes l->kept.xml. */
static void show_kept(struct virt *v, virDomainPtr d,
                      const struct xlcfg_domain *dom, struct look *l,
                      struct xlcfg_look *look)
{
    struct xlcfg__virt_beside live = { .xml = l->xml, .tree = l->tree,
                                       .parts = l->sense.parts };
    struct xlcfg__virt_sense kept = { .number = 0 };

    /* texts of two moments are not learnt as those of one */
    l->kept.beside = l->moved ? 0 : l->sense.number;
    if (l->is_kept)
        look->stored_rc = xlcfg__virt_understand_kept(v, dom, &l->kept,
                                          dom->domid >= 0 ? &live : NULL,
                                          &kept, &look->stored_err);
    else
        look->stored_rc = xlcfg__virt_is_transient(dom, &look->stored_err);
    if (!look->stored_rc) {
        look->stored = xlcfg_doc_ref(kept.config);
        look->stored_rc = xlcfg__virt_as_defined(kept.plain, &look->stored,
                                                 look->view,
                                                 &look->stored_err);
    }
    if (look->next && !look->stored_rc && dom->domid >= 0)
        look->stored_rc = xlcfg__virt_next(d, dom, l->sense.config,
                                           &look->stored, &look->stored_err);
    look->print[0] = '\0';
    if (!l->moved && l->sense.number && (!l->is_kept || kept.number) &&
        !look->view->deep && !look->view->unknown.count)
        print(look->print, l->sense.number, kept.number);
    xlcfg__virt_sense_dispose(&kept);
}

/* Nothing is to be read now. */
static int be_blind(const struct xlcfg_domain *dom, struct xlcfg_look *look,
                    xlcfg_error *err)
{
    if (dom->recalled)
        return XLCFG_STALE;     /* it is not seen now */
    look->blind = true;
    look->stored_rc = xlcfg__err(&look->stored_err, XLCFG_ERROR_TIMEDOUT,
                                 dom->uuid,
                                 "libvirt is busy with this domain");
    return look->view->unknown.failed ? xlcfg__nomem(err) : 0;
}

/* It is there, but what it is is not understood, and said already. */
static void be_puzzled(const struct xlcfg_domain *dom,
                       struct xlcfg_look *look)
{
    look->blind = true;
    look->stored_rc = xlcfg__err(&look->stored_err, XLCFG_ERROR_TIMEDOUT,
                                 dom->uuid, "its XML is not understood");
}

static int show_live(struct virt *v, virDomainPtr d,
                     const struct xlcfg_domain *dom, struct look *l,
                     struct xlcfg_look *look, xlcfg_error *err)
{
    xlcfg__virt_sense_dispose(&l->sense);
    l->live.xml = strdup(l->xml);
    return !l->live.xml ? xlcfg__nomem(err)
        : xlcfg__virt_show(v, d, dom, &l->live, l->xml, &l->sense, &l->tree,
                           look->view, err);
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

/* Where the XML waits for nobody, who is in the monitor is asked beside it. */
static bool is_busy(struct virt *v, virDomainPtr d, const char *uuid,
                    bool waits, struct xlcfg_look *look)
{
    return waits == xlcfg__virt_xml_waits(v) &&
        xlcfg__virt_is_busy(v, d, uuid, look->view);
}

/* What runs is understood while the rest is read, by another thread: in a list
 * others use it. */
static int see(struct virt *v, virDomainPtr d, const struct xlcfg_domain *dom,
               struct look *l, struct xlcfg_look *look, xlcfg_error *err)
{
    static const struct xlcfg__work work = { .run = run_rest };
    struct rest rest = { .v = v, .d = d, .dom = dom, .l = l,
                         .err = XLCFG_ERROR_INIT };
    bool known = !l->begun && is_known(v, d, dom, l, look);
    struct xlcfg__turn *turn = NULL;
    int rc;

    if (!known && v->is_remote && !l->listed)
        turn = xlcfg__turn_start(&work, &rest);
    if (is_busy(v, d, dom->uuid, false, look)) {
        rc = be_blind(dom, look, err);
        goto out;
    }
    look->same = known && look->known && !strcmp(look->known, look->print) &&
        !look->view->deep && !look->view->unknown.count;
    rc = look->same ? 0 : show_live(v, d, dom, l, look, err);
    if (!rc && !look->same && !l->sense.config)
        be_puzzled(dom, look);
    if (!rc && !known && !turn)
        run_rest(&rest);
out:
    if (turn)
        xlcfg__turn_end(turn, XLCFG__NO_END);
    if (rc || look->same || look->blind)
        return rc;
    /* a text that is known was that of one that is kept; but a list may be of
     * long ago */
    if (known && l->listed)
        rest.rc = ask_still(d, l, &rest.err);
    look->moved = l->moved;
    if (rest.rc) {
        if (err)
            *err = rest.err;
        return rest.rc;
    }
    show_kept(v, d, dom, l, look);
    return 0;
}

int xlcfg__virt_look(void *handle, const struct xlcfg_domain *dom,
                     struct xlcfg_look *look, xlcfg_error *err)
{
    struct look l = { .is_kept = false };
    struct xlcfg__virt_hold hold;
    struct virt *v = handle;
    int rc;

    rc = xlcfg__virt_hold(v, dom, false, &hold, err);
    if (rc)
        return rc;
    l.hint = hold.kept;
    l.listed = hold.listed;
    if (is_busy(v, hold.d, dom->uuid, true, look)) {
        rc = be_blind(dom, look, err);
        goto out;
    }
    rc = read_first(v, hold.d, dom, &l, err);
    if (!rc && dom->recalled && !xlcfg__virt_is_of(l.xml, dom))
        rc = XLCFG_STALE;
    if (!rc)
        rc = see(v, hold.d, dom, &l, look, err);
    if (!rc && !look->blind && dom->domid >= 0)
        xlcfg__virt_go_ahead(v, hold.d, dom->uuid, l.xml);
    free(l.xml);
    free(l.kept.xml);
    free(l.again);
    free(l.before);
    xmlFreeDoc(l.tree);
    xlcfg__virt_sense_dispose(&l.sense);
out:
    xlcfg__virt_let_go(v, &hold);
    if (rc == XLCFG_STALE)
        xlcfg__virt_unlearn_name(v, dom->uuid);
    return rc;
}
