/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An export with copies of the disks: of one moment, or refused. */
#include "ops/ovf.h"
#include "store/package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    xlcfg_ctx *ctx;
    const char *dom;
    xlcfg_package_options opt;
    xlcfg_doc *get;
    xlcfg__package *package;
    xlcfg__members copies;              /* {key: {"name", "size"}} */
    size_t count;
};

/* Letters and digits of it: a name of a file wherever it is taken to. */
static void safe_name(char to[64], const char *from)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = 0;

    for (; *from && n < 63; from++)
        to[n++] = strchr(plain, *from) ? *from : '_';
    to[n] = '\0';
    if (!n)
        strcpy(to, "guest");
}

/* Nobody writes to the disks: the guest is paused, or does not run. */
static bool is_still(const char *state)
{
    return !strcmp(state, "paused") || !strcmp(state, "stopped");
}

static bool is_yes(const xlcfg_doc *value)
{
    return xlcfg_doc_is_true(value) || xlcfg__doc_to_int(value, 0) != 0;
}

static const char *member(const struct job *j, const char *name)
{
    const char *text = xlcfg__doc_getstr(xlcfg_doc_get(j->get, "domain"),
                                         name);

    return text ? text : "";
}

static int check_disk(const struct job *j, const char *key,
                      const xlcfg_doc *disk, xlcfg_error *err)
{
    const char *script = xlcfg__doc_getstr(disk, "script");
    const char *path = xlcfg__doc_getstr(disk, "pdev_path");
    const char *format = xlcfg__doc_getstr(disk, "format");
    const char *own = script ? strrchr(script, '/') : NULL;

    if (*path != '/' || (script && strcmp(own ? own + 1 : script, "block")))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key, "its target is no "
                          "path of this host: %.200s", path);
    if (xlcfg__doc_getstr(disk, "backend_domname") ||
        xlcfg__doc_to_int(xlcfg_doc_get(disk, "backend_domid"), 0))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key,
                          "another domain serves it");
    if (is_yes(xlcfg_doc_get(disk, "is_cdrom")) ||
        !is_yes(xlcfg_doc_get(disk, "readwrite")))
        return 0;
    if (!is_still(member(j, "state")))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key, "the domain is %s "
                          "and may write to it: pause it, or shut it down",
                          member(j, "state"));
    /* Whoever pauses a guest of Xen does not tell the QEMU that serves it. */
    if (format && strcmp(format, "raw") && !strcmp(member(j, "driver"),
                                                   "xen"))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key, "what serves it "
                          "may hold back parts of a %.40s image as long as "
                          "the domain is there", format);
    return 0;
}

static const char *ending(const char *format)
{
    return !format || !strcmp(format, "raw") ? "raw" : format;
}

static int copy_disk(struct job *j, const char *key, const xlcfg_doc *disk,
                     xlcfg_error *err)
{
    const struct xlcfg__progress how = { j->opt.progress, j->opt.arg };
    const char *format = xlcfg__doc_getstr(disk, "format");
    xlcfg__members m = { 0 };
    char vdev[64], name[128];
    uint64_t size = 0;
    int rc;

    rc = check_disk(j, key, disk, err);
    if (rc)
        return rc;
    safe_name(vdev, key + strlen("disk/"));
    snprintf(name, sizeof(name), "disk%zu-%s.%.16s", ++j->count, vdev,
             ending(format));
    rc = xlcfg__package_disk(j->package, name,
                             xlcfg__doc_getstr(disk, "pdev_path"), format,
                             &how, &size, err);
    if (rc)
        return rc;
    xlcfg__members_add(&m, "name", xlcfg__doc_str(name));
    xlcfg__members_add(&m, "size", xlcfg__doc_uint(size));
    xlcfg__members_add(&j->copies, key, xlcfg__members_end(&m));
    return j->copies.failed ? xlcfg__nomem(err) : 0;
}

/* First whether all of it can be, or else a long copy were for nothing. */
static int each_disk(struct job *j, int (*act)(struct job *, const char *,
                                               const xlcfg_doc *,
                                               xlcfg_error *),
                     xlcfg_error *err)
{
    const xlcfg_doc *list = xlcfg_doc_get(j->get, "devices");
    const xlcfg_doc *config = xlcfg_doc_get(j->get, "config");
    int rc = 0;

    for (size_t i = 0; !rc && i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(list, i);
        const char *key = xlcfg__doc_getstr(dev, "key");
        const char *path = xlcfg__doc_getstr(dev, "path");
        const xlcfg_doc *disk = key && path && !strncmp(key, "disk/", 5)
            ? xlcfg_doc_pointer(config, path) : NULL;
        const char *target = disk ? xlcfg__doc_getstr(disk, "pdev_path")
            : NULL;

        if (target && *target)          /* none: a drive without a medium */
            rc = act(j, key, disk, err);
    }
    return rc;
}

static int judge_disk(struct job *j, const char *key, const xlcfg_doc *disk,
                      xlcfg_error *err)
{
    return check_disk(j, key, disk, err);
}

/* Nothing was changed and nobody ran while the disks were copied. */
static int check_after(struct job *j, xlcfg_error *err)
{
    const char *was = xlcfg__doc_getstr(j->get, "version");
    const char *now;
    xlcfg_doc *get;
    int rc;

    rc = xlcfg_domain_get(j->ctx, j->dom, NULL, &get, err);
    if (rc)
        return rc;
    now = xlcfg__doc_getstr(get, "version");
    if (!was || !now)
        rc = xlcfg__err(err, XLCFG_ERROR_STORE, j->dom, "it has no version: "
                        "whether it changed while its disks were copied "
                        "cannot be told");
    else if (strcmp(was, now))
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, j->dom, "it changed while "
                        "its disks were copied: its version was %s and is "
                        "%s", was, now);
    xlcfg_doc_free(get);
    return rc;
}

static int pack(struct job *j, const char *folder, char **path_r,
                xlcfg_error *err)
{
    char name[64], file[80], manifest[80], *text = NULL, *path = NULL;
    xlcfg_doc *copies;
    int rc;

    rc = each_disk(j, copy_disk, err);
    copies = xlcfg__members_end(&j->copies);
    if (!rc && !copies)
        rc = xlcfg__nomem(err);
    if (!rc)
        rc = check_after(j, err);
    if (!rc)
        rc = xlcfg__ovf_envelope(j->ctx, j->dom, j->get, copies, &text, err);
    xlcfg_doc_free(copies);
    safe_name(name, member(j, "name"));
    snprintf(file, sizeof(file), "%s.ovf", name);
    snprintf(manifest, sizeof(manifest), "%s.mf", name);
    if (!rc && asprintf(&path, "%s/%s", folder, file) < 0) {
        path = NULL;
        rc = xlcfg__nomem(err);
    }
    if (!rc)
        rc = xlcfg__package_text(j->package, file, text, strlen(text), err);
    if (!rc) {
        rc = xlcfg__package_end(j->package, manifest, err);
        j->package = NULL;
    }
    free(text);
    if (rc) {
        free(path);
        return rc;
    }
    *path_r = path;
    return 0;
}

static void take_options(xlcfg_package_options *to,
                         const xlcfg_package_options *opt)
{
    if (opt)
        memcpy(to, opt, opt->size < sizeof(*to) ? opt->size : sizeof(*to));
}

int xlcfg_domain_package(xlcfg_ctx *ctx, const char *dom, const char *folder,
                         const xlcfg_package_options *opt, char **path_r,
                         xlcfg_error *err)
{
    struct job j = {
        .ctx = ctx, .dom = dom, .opt = XLCFG_PACKAGE_OPTIONS_INIT,
    };
    int rc;

    take_options(&j.opt, opt);
    rc = xlcfg__ovf_get(ctx, dom, j.opt.secrets, &j.get, err);
    if (rc)
        return rc;
    rc = each_disk(&j, judge_disk, err);
    if (!rc)
        rc = xlcfg__package_begin(folder, &j.package, err);
    if (!rc)
        rc = pack(&j, folder, path_r, err);
    xlcfg__package_drop(j.package);
    xlcfg_doc_free(j.get);
    return rc;
}

int xlcfg_package_check(const char *path, const char *text, size_t len,
                        const xlcfg_doc *doc,
                        const xlcfg_package_options *opt,
                        xlcfg_doc **notes_r, xlcfg_error *err)
{
    xlcfg_package_options given = XLCFG_PACKAGE_OPTIONS_INIT;
    struct xlcfg__progress how;

    take_options(&given, opt);
    how = (struct xlcfg__progress){ given.progress, given.arg };
    return xlcfg__package_check(path, text, len, xlcfg_doc_get(doc, "disks"),
                                &how, notes_r, err);
}
