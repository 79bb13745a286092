/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's functions, looked up once; the library stays loaded. */
#define XLCFG__VIR_BARE
#include "driver/virt_lib.h"
#include "driver/driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

struct xlcfg__vir xlcfg__vir;

struct row {
    const char *name;
    size_t at;                  /* in struct xlcfg__vir */
};

#define ROW(name) { #name, offsetof(struct xlcfg__vir, name) },
static const struct row calls[] = { XLCFG__VIR_CALLS(ROW) { 0 } };
static const struct row qemu_calls[] = { XLCFG__VIR_QEMU_CALLS(ROW) { 0 } };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char why_not[200];       /* "": all of it is there */

static void take(const char *library, const struct row *row)
{
    void *lib = dlopen(library, RTLD_NOW | RTLD_LOCAL);

    if (!lib) {
        snprintf(why_not, sizeof(why_not), "%.190s", dlerror());
        return;
    }
    for (; row->name; row++) {
        void **slot = (void **)((char *)&xlcfg__vir + row->at);

        *slot = dlsym(lib, row->name);
        if (!*slot) {
            snprintf(why_not, sizeof(why_not), "%s has no %s", library,
                     row->name);
            return;
        }
    }
}

static void load(void)
{
    take("libvirt.so.0", calls);
    if (!why_not[0])
        take("libvirt-qemu.so.0", qemu_calls);
}

int xlcfg__virt_load(const char *uri, xlcfg_error *err)
{
    pthread_once(&once, load);
    if (why_not[0])
        return xlcfg__err(err, XLCFG_ERROR_NI, uri,
                          "libvirt is not to be had here: %s", why_not);
    return 0;
}
