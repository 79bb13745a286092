/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl-cfg: the truth about a running domain's configuration.
 *
 *     xlcfg_ctx *ctx;
 *     xlcfg_doc *answer;
 *     xlcfg_error err = XLCFG_ERROR_INIT;
 *     if (xlcfg_ctx_open(NULL, NULL, &ctx, &err) == 0 &&
 *         xlcfg_domain_get(ctx, "guest1", NULL, &answer, &err) == 0)
 *         puts(xlcfg_doc_string(xlcfg_doc_get(answer, "version")));
 *
 * Calls return 0 or a negative XLCFG_ERROR_*; results are written on success
 * alone.  `err` may be NULL everywhere; when it is not, it holds the reason
 * of the last failure in words.  A context may be used by one thread at a
 * time; several contexts may be used by several threads.  While one is open
 * up to eight threads of the library's, which no signal reaches, wait for the
 * next question; closing the last context ends them.  A context of a libvirt
 * on this host may have up to four connections to it.  Nothing in here prints,
 * exits, aborts, or installs a signal handler.
 */
#ifndef LIBXL_CFG_H
#define LIBXL_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XLCFG_VERSION_STRING "0.1.0"

/*
 * Error numbers.  The first group has libxl's own numbers and meanings
 * (libxl_types.h), so that a caller who holds both can pass them on.
 */
enum {
    XLCFG_ERROR_FAIL = -3,              /* an internal failure */
    XLCFG_ERROR_NI = -4,                /* this build or backend cannot */
    XLCFG_ERROR_NOMEM = -5,
    XLCFG_ERROR_INVAL = -6,             /* bad input from the caller */
    XLCFG_ERROR_TIMEDOUT = -9,
    XLCFG_ERROR_LOCK_FAIL = -15,
    XLCFG_ERROR_DEVICE_EXISTS = -17,
    XLCFG_ERROR_DOMAIN_NOTFOUND = -21,
    XLCFG_ERROR_NOTFOUND = -23,         /* no such device, schema, ... */

    XLCFG_ERROR_PARSE = -1001,          /* text that is not what it claims */
    XLCFG_ERROR_CONFLICT = -1002,       /* --if-version and the like */
    XLCFG_ERROR_PENDING = -1003,        /* asked for, not finished */
    XLCFG_ERROR_REFUSED = -1004,        /* failed and rolled back */
    XLCFG_ERROR_UNREACHABLE = -1005,    /* the backend does not answer */
    XLCFG_ERROR_TOO_OLD = -1006,        /* a token history cannot serve */
    XLCFG_ERROR_STORE = -1007,          /* state.db or a file of ours */
};

typedef struct xlcfg_error {
    int code;                   /* XLCFG_ERROR_* */
    char where[512];            /* file, JSON pointer, or xenstore path */
    char message[1024];         /* what was wrong and what was expected */
} xlcfg_error;

#define XLCFG_ERROR_INIT { 0, "", "" }

/* The symbolic name of a code, "CONFLICT"; never NULL. */
const char *xlcfg_error_name(int code);

/* The library's version, "0.1.0". */
const char *xlcfg_version(void);

/* ---- documents: immutable JSON values --------------------------------- */

/*
 * A document is an immutable JSON value with a reference count.  It may be
 * read by several threads at once.  Pointers that the walker returns are
 * borrowed: they live as long as the document they came from.
 */
typedef struct xlcfg_doc xlcfg_doc;

typedef enum xlcfg_doc_type {
    XLCFG_DOC_NULL, XLCFG_DOC_BOOL, XLCFG_DOC_NUMBER, XLCFG_DOC_STRING,
    XLCFG_DOC_ARRAY, XLCFG_DOC_OBJECT,
} xlcfg_doc_type;

enum {                          /* flags of xlcfg_doc_print */
    XLCFG_PRINT_PRETTY = 1,     /* indented, one member a line */
    XLCFG_PRINT_CANONICAL = 2,  /* sorted keys, no blanks, plain numbers */
};

/*
 * Parse `len` bytes of JSON text.  Refused, with line and column: what is
 * not JSON, invalid UTF-8, NUL in a string, half a surrogate pair, a key
 * twice in one object, nesting over 64, text over 64 MiB.
 * Errors: PARSE, NOMEM.
 */
int xlcfg_doc_parse(const char *text, size_t len, xlcfg_doc **doc_r,
                    xlcfg_error *err);

/* JSON text of a document, NUL-terminated, yours to free(). */
int xlcfg_doc_print(const xlcfg_doc *doc, unsigned flags, char **text_r,
                    size_t *len_r, xlcfg_error *err);

/* SHA-256 of the canonical form as 64 hex digits and a NUL. */
int xlcfg_doc_hash(const xlcfg_doc *doc, char hex_r[65], xlcfg_error *err);

/*
 * A copy to be shown: VNC and SPICE passwords (members called "passwd") read
 * "<redacted>".  What the other calls answer is never redacted.
 */
int xlcfg_doc_redact(const xlcfg_doc *doc, xlcfg_doc **doc_r,
                     xlcfg_error *err);

xlcfg_doc *xlcfg_doc_ref(const xlcfg_doc *doc);
void xlcfg_doc_free(xlcfg_doc *doc);            /* NULL accepted */

xlcfg_doc_type xlcfg_doc_kind(const xlcfg_doc *doc);    /* NULL: null */
/* The text of a string or number, NULL for any other; borrowed. */
const char *xlcfg_doc_string(const xlcfg_doc *doc);
bool xlcfg_doc_is_true(const xlcfg_doc *doc);
/* Members of an array or object; 0 for anything else. */
size_t xlcfg_doc_count(const xlcfg_doc *doc);
/* Item i of an array or value i of an object; NULL past the end. */
const xlcfg_doc *xlcfg_doc_at(const xlcfg_doc *doc, size_t i);
/* Name of member i of an object; NULL for anything else. */
const char *xlcfg_doc_name(const xlcfg_doc *doc, size_t i);
/* The member called `name`; NULL when there is none. */
const xlcfg_doc *xlcfg_doc_get(const xlcfg_doc *doc, const char *name);
/* The value a JSON pointer (RFC 6901) names; NULL when there is none. */
const xlcfg_doc *xlcfg_doc_pointer(const xlcfg_doc *doc, const char *ptr);

/* ---- a context: one connection to one hypervisor ---------------------- */

typedef struct xlcfg_ctx xlcfg_ctx;

/* Start from XLCFG_CTX_OPTIONS_INIT; members are only ever appended. */
typedef struct xlcfg_ctx_options {
    size_t size;                /* of this struct, set by the initialiser */
    const char *state_dir;      /* NULL: $XLCFG_STATE_DIR, then the default
                                   /var/lib/libxl-cfg */
    const char *xen_lib_dir;    /* NULL: $XLCFG_XEN_LIB_DIR, /var/lib/xen */
    unsigned deadline_ms;       /* of one look at the backend; 0: 3000 */
    unsigned lock_ms;           /* wait for a lock at most; 0: 5000 */
    bool deep;                  /* look also where a look costs something:
                                   libvirt: into QEMU itself, which marks
                                   the domain as tainted (custom-monitor).
                                   Without it: only of a domain that has an
                                   open intent */
} xlcfg_ctx_options;

#define XLCFG_CTX_OPTIONS_INIT \
    { sizeof(struct xlcfg_ctx_options), NULL, NULL, 0, 0, false }

/*
 * Open a context.  uri NULL: `xen:///` where a xenstore answers, else
 * `qemu:///system`.  `mem:FILE` is the in-memory driver fed from a JSON
 * file.  Nothing is written; state.db is made by the first call that records.
 * A connection that breaks later is opened again by the next question.
 * Blocks for 8 s at most, on Xen for deadline_ms.  Errors: INVAL (not a URI
 * of ours), NI (driver not built in), UNREACHABLE.
 */
int xlcfg_ctx_open(const char *uri, const xlcfg_ctx_options *opt,
                   xlcfg_ctx **ctx_r, xlcfg_error *err);
void xlcfg_ctx_close(xlcfg_ctx *ctx);           /* NULL accepted */

/* ---- questions --------------------------------------------------------
 * `dom` is a name, a uuid, or a domid (on libvirt: id).  Every answer is a
 * document of yours, in the shape that json-schema/<name>.json describes:
 * the name of the command, device.json of attach, detach, update and wait.
 * Errors of all: DOMAIN_NOTFOUND, UNREACHABLE, NOMEM.  They block for the
 * context's deadline at most.  None of them changes a guest, its template, or
 * its xenstore; those marked "records" note a change found since the last look
 * as a new version in state.db when that can be written.
 */

/* All domains: get's `domain`, version and hashes each.  Records. */
int xlcfg_domain_list(xlcfg_ctx *ctx, bool full, xlcfg_doc **doc_r,
                      xlcfg_error *err);
/* Start from XLCFG_CHANGES_OPTIONS_INIT; members are only ever appended. */
typedef struct xlcfg_changes_options {
    size_t size;
    bool full;                  /* the whole answer of get in each row */
    const char *since;          /* a version: only what changed after it */
    const xlcfg_doc *known;     /* an earlier listing, or an object of uuid
                                   and version or hash: only what differs.
                                   INVAL (where: the row) for anything else */
} xlcfg_changes_options;

#define XLCFG_CHANGES_OPTIONS_INIT \
    { sizeof(struct xlcfg_changes_options), false, NULL, NULL }

/*
 * The listing (list.json), with `since` or `known` only the domains that
 * differ, and in "gone" those that are no more.  Every domain is looked at.
 * The rows are as the events up to "version" made them: a watch from there
 * has no gap and repeats nothing.  opt NULL: all.  Records, also that a
 * domain is gone.  Errors: INVAL (no version; not of that form), TOO_OLD.
 */
int xlcfg_changes(xlcfg_ctx *ctx, const xlcfg_changes_options *opt,
                  xlcfg_doc **doc_r, xlcfg_error *err);
/*
 * The configuration and the device states (get.json).  Records.  Where the
 * backend names the domain and cannot look at it in time, it is what was last
 * seen of it, with "last_seen" in it, or what is in files.
 */
int xlcfg_domain_get(xlcfg_ctx *ctx, const char *dom, void *reserved,
                     xlcfg_doc **doc_r, xlcfg_error *err);
/*
 * What was last seen of a domain, by name, uuid or id, as state.db has it: for
 * when the backend of this URI cannot be reached, and nothing of it is asked.
 * The same shape, never complete, every device `unknown`; "last_seen" says how
 * old it is.  uri and opt as for xlcfg_ctx_open; of opt only state_dir and
 * lock_ms are used.  Reads only.  NOTFOUND: nothing was ever seen of it, or it
 * is gone, or there is no store.  Since 0.1.
 */
int xlcfg_domain_last(const char *uri, const xlcfg_ctx_options *opt,
                      const char *dom, xlcfg_doc **doc_r, xlcfg_error *err);
/*
 * The configuration as the backend's own XML, yours to free(): what defines
 * the same guest again.  Records.  NI: the driver has no XML form.
 */
int xlcfg_domain_xml(xlcfg_ctx *ctx, const char *dom, char **xml_r,
                     xlcfg_error *err);
/* The private template as it stands (template.json). */
int xlcfg_domain_template(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                          xlcfg_error *err);
/* The live view alone, as a configuration (template.json). */
int xlcfg_domain_live(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                      xlcfg_error *err);
/* What differs between template and live view (diff.json). */
int xlcfg_domain_diff(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                      xlcfg_error *err);
/* What the next start would change: the backend's own definition, else the
 * template, against what runs (diff.json).  What any start makes of a
 * definition is no difference; that a domain is saved, and goes on with what it
 * ran with, is in `unknown`.  NOTFOUND: there is neither. */
int xlcfg_domain_pending(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                         xlcfg_error *err);
/*
 * Per device what template, intent and live view said, the cell of the merge
 * table and the verdict.  key NULL: all.  NOTFOUND: no such device.
 */
int xlcfg_domain_explain(xlcfg_ctx *ctx, const char *dom, const char *key,
                         xlcfg_doc **doc_r, xlcfg_error *err);
/* What this driver can do here, with the reason of each no (features.json).
 * name NULL: all.  INVAL: no feature of that name. */
int xlcfg_features(xlcfg_ctx *ctx, const char *name, xlcfg_doc **doc_r,
                   xlcfg_error *err);
/* Look at the parts this needs: driver, state.db, templates.  `doc_r` has
 * checks[{name,ok,message}]; the return code is 0 even if one is not ok. */
int xlcfg_check(xlcfg_ctx *ctx, xlcfg_doc **doc_r, xlcfg_error *err);

/* ---- plugging ---------------------------------------------------------
 * Each act is recorded durably before it touches anything, is judged by the
 * live view, and ends in a new version.  What was begun and is not finished
 * is an open intent: get shows it, xlcfg_settle goes on with it.
 *
 * if_version and if_incarnation are compared in the transaction that makes
 * the intent durable, so of two writers who saw the same one loses: with
 * if_version of all writers of a domain, with if_incarnation of those of one
 * device.  The text of a CONFLICT has the version of now and what changed.
 * With neither, the last writer wins.
 *
 * On Xen another process, forked of this one, calls libxl, with the rights and
 * a copy of the memory that this one had then.  It waits for the next plug until
 * the context is closed, this process ends, or 30 s have passed, and is no child
 * of this process: nobody who waits for any child meets it.  (An init or a
 * subreaper would; it has none left when a call returns.)
 */

/* Start from XLCFG_PLUG_OPTIONS_INIT; members are only ever appended. */
typedef struct xlcfg_plug_options {
    size_t size;
    const char *if_version;     /* CONFLICT when the domain has another */
    bool dry_run;               /* check and choose, touch nothing */
    bool force;                 /* detach: do not ask the guest */
    unsigned wait_ms;           /* for the guest to let go, 0: 10000; for an
                                   attached device to be ready, 0: 5000 */
    int64_t if_incarnation;     /* CONFLICT when the device has another, or
                                   is not there; -1: when it is there;
                                   0: not asked (an answer that has 0 does
                                   not know it: ask again) */
    bool reset_address;         /* detach: its address is given up with it;
                                   else it is kept for it */
    bool unused_address;        /* attach: REFUSED when none is free but
                                   those kept for devices that have left;
                                   else one of those is taken then */
} xlcfg_plug_options;

#define XLCFG_PLUG_OPTIONS_INIT \
    { sizeof(struct xlcfg_plug_options), NULL, false, false, 0, 0, false, \
      false }

/*
 * Attach a device: `kind` as in keys, `body` in libxl's shape.  The answer is
 * {"version", "device"}, device as in get.  Blocks as long as the backend's
 * scripts may take.  opt NULL: the defaults.
 * Errors: INVAL, NI, CONFLICT, DEVICE_EXISTS (nothing was touched);
 * REFUSED (rolled back, or noted as failed), PENDING (the backend is not
 * ready yet), UNREACHABLE (the intent stays open).
 */
int xlcfg_device_attach(xlcfg_ctx *ctx, const char *dom, const char *kind,
                        const xlcfg_doc *body, const xlcfg_plug_options *opt,
                        xlcfg_doc **doc_r, xlcfg_error *err);
/*
 * Detach the device of this key.  PENDING: the guest has not let go, the
 * unplug stays asked for.  REFUSED: the guest said no.  NOTFOUND: no such
 * device.  The answer is as attach's, the state `detached`.
 */
int xlcfg_device_detach(xlcfg_ctx *ctx, const char *dom, const char *key,
                        const xlcfg_plug_options *opt, xlcfg_doc **doc_r,
                        xlcfg_error *err);
/*
 * Change the device of this key: the members of body take the place of those
 * it has, null takes one away, the others stay; the key must stay the same.
 * The answer is as attach's.  What changes nothing is done at once, without a
 * new version.  Only wait_ms, dry_run and the conditions of opt are used.
 * Errors: INVAL (where: JSON pointer), NI (where: what cannot be changed),
 * NOTFOUND, CONFLICT, REFUSED, UNREACHABLE (the intent stays open).
 */
int xlcfg_device_update(xlcfg_ctx *ctx, const char *dom, const char *key,
                        const xlcfg_doc *body, const xlcfg_plug_options *opt,
                        xlcfg_doc **doc_r, xlcfg_error *err);
/*
 * The addresses that are kept for a domain's devices, also for those that
 * have left: {"version", "choice", "newest", "addresses": [{key, kind, held,
 * address}]}.  held "device": it is there and has it; "kept": it has left,
 * has it again when it is attached again, and no other is given it unasked.
 * choice says how addresses are chosen for this domain: a number that it was
 * first recorded with; newest is what a new domain begins with.  Records.
 */
int xlcfg_domain_addresses(xlcfg_ctx *ctx, const char *dom,
                           xlcfg_doc **doc_r, xlcfg_error *err);
/* Give up the address that is kept for a device that has left.  NOTFOUND:
 * none is; REFUSED: the device is there.  if_version, unless NULL: CONFLICT
 * when the domain has another version. */
int xlcfg_address_reset(xlcfg_ctx *ctx, const char *dom, const char *key,
                        const char *if_version, xlcfg_error *err);
/* How addresses are chosen for this domain from now on; nothing that it has
 * moves.  INVAL: no such choice.  if_version as above. */
int xlcfg_address_choice(xlcfg_ctx *ctx, const char *dom, int64_t choice,
                         const char *if_version, xlcfg_error *err);
/*
 * Finish, forward or back, what was left open by a process that is gone, and
 * half states that are safe to end.  dom NULL: of all running domains.  The
 * answer is {"steps": [{domain, key, step}], "open": [{domain, key, error,
 * message}], "pending": n, "failed": n}.  It may be killed and run again.
 */
int xlcfg_settle(xlcfg_ctx *ctx, const char *dom, bool dry_run,
                 xlcfg_doc **doc_r, xlcfg_error *err);

/* ---- versions, history, events -----------------------------------------
 * A version is a text: comparable with strcmp inside one store, and a token
 * from which a watch goes on.  Each recorded change is one revision and one
 * event (event.json) with the whole answer of get as of then; several changes
 * between two looks are one.  TOO_OLD: history no longer holds what came
 * after the token, or the token is of another store or of the future; the
 * message names the version to list from.
 */

/*
 * Events of a domain (NULL: all) after `since` (NULL: all that history has),
 * oldest first, at most `most` (0: 1000), as an array.  A domain that is
 * gone has a history as long as its events are kept.  Errors: INVAL (no
 * version), TOO_OLD, STORE.
 */
int xlcfg_history(xlcfg_ctx *ctx, const char *dom, const char *since,
                  size_t most, xlcfg_doc **doc_r, xlcfg_error *err);
/* get's answer as it was at a version.  NOTFOUND: the domain was not there
 * then.  TOO_OLD: history does not reach so far back. */
int xlcfg_domain_get_version(xlcfg_ctx *ctx, const char *dom,
                             const char *version, xlcfg_doc **doc_r,
                             xlcfg_error *err);
/* What differs in the configuration (diff.json); to NULL: now. */
int xlcfg_domain_diff_versions(xlcfg_ctx *ctx, const char *dom,
                               const char *from, const char *to,
                               xlcfg_doc **doc_r, xlcfg_error *err);

/* Start from XLCFG_WATCH_OPTIONS_INIT; members are only ever appended. */
typedef struct xlcfg_watch_options {
    size_t size;
    unsigned bookmark_ms;       /* between two bookmarks; 0: none */
    unsigned sweep_ms;          /* between two looks at all; 0: 5000 */
} xlcfg_watch_options;

#define XLCFG_WATCH_OPTIONS_INIT \
    { sizeof(struct xlcfg_watch_options), 0, 0 }

typedef struct xlcfg_watch xlcfg_watch;

/*
 * Watch a domain (NULL: all) from the token on (NULL: from now, after a look
 * at everything).  The first watch of a context starts a thread that takes
 * the looks; the last one's end ends it.  All signals are blocked in it.
 * A reader that does not keep up loses nothing as long as history holds what
 * it has not read; after that it gets TOO_OLD.  opt NULL: the defaults; those
 * of the context's first watch rule how often is swept.
 * Errors: DOMAIN_NOTFOUND, INVAL (no token), TOO_OLD, UNREACHABLE, STORE.
 */
int xlcfg_watch_open(xlcfg_ctx *ctx, const char *dom, const char *since,
                     const xlcfg_watch_options *opt, xlcfg_watch **watch_r,
                     xlcfg_error *err);
/* Polls readable when xlcfg_watch_next has something; the watch's own. */
int xlcfg_watch_fd(const xlcfg_watch *watch);
/*
 * The next event or bookmark, yours; 1 when there is none now.  Does not
 * block on the backend.  Errors end the watch, and are repeated: TOO_OLD,
 * UNREACHABLE (the backend stayed away), STORE, NOMEM; where it stood is
 * xlcfg_watch_token.
 */
int xlcfg_watch_next(xlcfg_watch *watch, xlcfg_doc **doc_r,
                     xlcfg_error *err);
/* What another watch goes on from; borrowed, until the next call. */
const char *xlcfg_watch_token(const xlcfg_watch *watch);
void xlcfg_watch_close(xlcfg_watch *watch);     /* NULL accepted */

/*
 * Wait until a device is in a state; `detached` also when it is not there,
 * and when the domain is gone, but not when its kind could not be listed: then
 * it is looked again every 5 s.  Woken by events.  The answer is {"version",
 * "device"}, the device as in get, or key and state alone when it is not
 * there.  timeout_ms UINT_MAX: for ever.  Errors: TIMEDOUT, INVAL (no such
 * state, or no key that a device can have), DOMAIN_NOTFOUND (also when it goes
 * away), and as xlcfg_watch_open.
 */
int xlcfg_wait(xlcfg_ctx *ctx, const char *dom, const char *key,
               const char *state, unsigned timeout_ms, xlcfg_doc **doc_r,
               xlcfg_error *err);

/* ---- making domains ---------------------------------------------------- */

/*
 * Text from outside, JSON or the driver's XML, known by its content.  Of a
 * device kind_r gets its kind where the text says so, else NULL; borrowed for
 * ever.  Errors: PARSE, INVAL, NI (this driver has no XML).
 */
int xlcfg_device_parse(xlcfg_ctx *ctx, const char *text, size_t len,
                       const char **kind_r, xlcfg_doc **body_r,
                       xlcfg_error *err);
int xlcfg_config_parse(xlcfg_ctx *ctx, const char *text, size_t len,
                       xlcfg_doc **config_r, xlcfg_error *err);
/* The driver's XML of a configuration, yours to free().  NI. */
int xlcfg_config_xml(xlcfg_ctx *ctx, const xlcfg_doc *config, char **xml_r,
                     xlcfg_error *err);

/*
 * An OVF 1.1 envelope of what get answers, yours to free(): what any reader
 * of OVF takes, and in a section of its own the whole configuration with
 * every address.  Disks are named by where they are, not copied.  Passwords
 * are left out unless secrets is true.  Records.
 */
int xlcfg_domain_ovf(xlcfg_ctx *ctx, const char *dom, bool secrets,
                     char **ovf_r, xlcfg_error *err);
/* Is this text an OVF envelope, by its first element? */
bool xlcfg_is_ovf(const char *text, size_t len);
/*
 * Read an envelope (ovf.json): {"source", "config", "disks", "notes"}.
 * source "libxl-cfg": the configuration is the one that was exported, and
 * "unchanged" says whether its hash still fits (disks that were copied with
 * the envelope are then those in folder); "ovf": it is what OVF's own
 * words amount to, and notes has each thing that was not understood.  folder
 * is where the files are that it names relatively; NULL: they stay as they
 * are named.  Needs no connection; touches nothing.
 * Errors: PARSE (where: "line N: <element>"), NOMEM.
 */
int xlcfg_ovf_parse(const char *text, size_t len, const char *folder,
                    xlcfg_doc **doc_r, xlcfg_error *err);

/* Start from XLCFG_PACKAGE_OPTIONS_INIT; members are only ever appended. */
typedef struct xlcfg_package_options {
    size_t size;
    bool secrets;               /* passwords are not left out */
    /* Between pieces of a file, with bytes of it: not 0 stops. */
    int (*progress)(void *arg, const char *what, uint64_t done, uint64_t all);
    void *arg;
} xlcfg_package_options;

#define XLCFG_PACKAGE_OPTIONS_INIT \
    { sizeof(struct xlcfg_package_options), false, NULL, NULL }

/*
 * An OVF package in a new folder: the envelope, a copy of each disk, and a
 * manifest (SHA-256) of both.  folder is there whole or not at all: it is
 * made beside as FOLDER.part-XXXXXX (which stays if this process is killed).
 * path_r: of the envelope, yours to free().  Copies are of files and block
 * devices, byte for byte, with holes for what is zero.  Blocks for as long as
 * that takes.  Records.
 * Errors: INVAL (folder is there and not empty), REFUSED (the domain runs and
 * may write, or it changed meanwhile; a disk is no file of this host, or one
 * that needs another; told to stop), STORE (folder cannot be written).
 */
int xlcfg_domain_package(xlcfg_ctx *ctx, const char *dom, const char *folder,
                         const xlcfg_package_options *opt, char **path_r,
                         xlcfg_error *err);
/*
 * Is the package around an envelope as it was made?  path, text, len: the
 * envelope's; doc: what xlcfg_ovf_parse made of it with the folder of path.
 * Each line of the manifest beside it, if there is one (the envelope's name
 * with .mf), is compared; and no disk leads out of the folder by a symbolic
 * link.  notes_r: an array of texts, what could not be compared.
 * Errors: INVAL (it is not so; where: the file), PARSE, NI (the manifest),
 * STORE (a file cannot be read), REFUSED (told to stop).
 */
int xlcfg_package_check(const char *path, const char *text, size_t len,
                        const xlcfg_doc *doc,
                        const xlcfg_package_options *opt,
                        xlcfg_doc **notes_r, xlcfg_error *err);

/* Start from XLCFG_CREATE_OPTIONS_INIT; members are only ever appended. */
typedef struct xlcfg_create_options {
    size_t size;
    bool dry_run;               /* say what would be made, touch nothing */
    bool define;                /* only define it; where the backend keeps no
                                   definitions, keep it for the next create */
    bool transient;             /* nothing is left of it when it ends */
    bool if_absent;             /* CONFLICT when there is one, even stopped */
    bool new_addresses;         /* what config leaves open is not as it was
                                   when the domain ran before */
    const char *if_version;     /* CONFLICT unless it is there, and still has
                                   this version: for what is stopped, and is
                                   made anew */
} xlcfg_create_options;

#define XLCFG_CREATE_OPTIONS_INIT \
    { sizeof(struct xlcfg_create_options), false, false, false, false, false, \
      NULL }

/*
 * Make a domain of a configuration in libxl's shape, and start it.  What
 * config leaves open - the uuid, device numbers, addresses - is taken from
 * what is kept under its uuid or name: an import, an earlier start, or a
 * definition of the backend's.  The answer is get's; of what cannot be looked
 * at, for it is only kept or this is a dry run, {"domain", "version",
 * "config"}, version being null.
 * Errors: INVAL (where: JSON pointer), NI, CONFLICT, REFUSED (a domain of
 * this name or uuid is there, or it failed and nothing is left),
 * UNREACHABLE (the creation stays open, for settle).
 */
int xlcfg_domain_create(xlcfg_ctx *ctx, const xlcfg_doc *config,
                        const xlcfg_create_options *opt, xlcfg_doc **doc_r,
                        xlcfg_error *err);

/* ---- constants that need no context ------------------------------------ */

/* The merge table as a document; with `kinds` the kind table. */
int xlcfg_table(bool kinds, xlcfg_doc **doc_r, xlcfg_error *err);
/* Text of one JSON Schema, borrowed for ever; NULL: none of that name. */
const char *xlcfg_schema(const char *name);
/* Name of schema i; NULL past the last. */
const char *xlcfg_schema_name(size_t i);

#ifdef __cplusplus
}
#endif
#endif
