/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding libxlcfg, and the libxl that the caller means. */
#include "facade/facade.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LIBRARY "libxlcfg.so.0"
#define RETRIEVE "libxl_retrieve_domain_configuration"

/* ---- ours ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct xlcfg__ours ours;
static char missing[512];

static const struct {
    const char *name;
    size_t at;
} wanted[] = {
    { "xlcfg_ctx_open", offsetof(struct xlcfg__ours, ctx_open) },
    { "xlcfg_ctx_close", offsetof(struct xlcfg__ours, ctx_close) },
    { "xlcfg_domain_get", offsetof(struct xlcfg__ours, domain_get) },
    { "xlcfg_doc_get", offsetof(struct xlcfg__ours, doc_get) },
    { "xlcfg_doc_count", offsetof(struct xlcfg__ours, doc_count) },
    { "xlcfg_doc_at", offsetof(struct xlcfg__ours, doc_at) },
    { "xlcfg_doc_string", offsetof(struct xlcfg__ours, doc_string) },
    { "xlcfg_doc_print", offsetof(struct xlcfg__ours, doc_print) },
    { "xlcfg_doc_free", offsetof(struct xlcfg__ours, doc_free) },
};

/* Beside this file, by its run path.  It stays: a thread that outlived a
 * deadline may be in it. */
static void take_in(void)
{
    void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const char *why;

    for (size_t i = 0; lib && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        void *address = dlsym(lib, wanted[i].name);

        if (!address) {
            lib = NULL;
            break;
        }
        memcpy((char *)&ours + wanted[i].at, &address, sizeof(address));
    }
    if (lib)
        return;
    why = dlerror();
    snprintf(missing, sizeof(missing), "%s", why ? why : LIBRARY);
}

const struct xlcfg__ours *xlcfg__facade_ours(const char **why_r)
{
    pthread_once(&once, take_in);
    if (!missing[0])
        return &ours;
    *why_r = missing;
    return NULL;
}

/* ---- theirs ---- */

/*
 * Who has libxl in a scope of its own, as a module that was loaded has, is
 * asked for it by handle; the program itself has it in the scope that comes
 * after this file.
 */
static void *next_retrieve(const void *caller)
{
    struct link_map *map = NULL;
    void *found = NULL, *lib;
    Dl_info info;

    if (dladdr1(caller, &info, (void **)&map, RTLD_DL_LINKMAP) && map &&
        map->l_name[0]) {
        lib = dlopen(map->l_name, RTLD_LAZY | RTLD_NOLOAD);
        if (lib) {
            found = dlsym(lib, RETRIEVE);
            dlclose(lib);
        }
    }
    return found && found != (void *)libxl_retrieve_domain_configuration
        ? found : dlsym(RTLD_NEXT, RETRIEVE);
}

bool xlcfg__facade_theirs(const void *caller, struct xlcfg__theirs *theirs_r)
{
    void *retrieve = next_retrieve(caller), *lib, *address[3];
    Dl_info info;

    if (!retrieve || !dladdr(retrieve, &info))
        return false;
    lib = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (!lib)
        return false;
    address[0] = dlsym(lib, "libxl_domain_config_init");
    address[1] = dlsym(lib, "libxl_domain_config_dispose");
    address[2] = dlsym(lib, "libxl_domain_config_from_json");
    dlclose(lib);               /* it stays: the caller has it open */
    if (!address[0] || !address[1] || !address[2])
        return false;
    memcpy(&theirs_r->retrieve, &retrieve, sizeof(retrieve));
    memcpy(&theirs_r->config_init, &address[0], sizeof(address[0]));
    memcpy(&theirs_r->config_dispose, &address[1], sizeof(address[1]));
    memcpy(&theirs_r->config_from_json, &address[2], sizeof(address[2]));
    return true;
}
