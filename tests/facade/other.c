/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * linked DOMID: asks the other libxl that the program is linked with.
 * loader DOMID MODULE: the one that is behind a module, as libvirtd's is.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((weak)) char *module_ask(uint32_t domid);

int main(int argc, char **argv)
{
    char *(*ask)(uint32_t) = module_ask;
    char *text;
    void *lib;

    if (argc < 2)
        return 2;
    if (argc > 2) {
        lib = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
        if (!lib) {
            fprintf(stderr, "%s\n", dlerror());
            return 2;
        }
        *(void **)&ask = dlsym(lib, "module_ask");
    }
    text = ask ? ask((uint32_t)atoi(argv[1])) : NULL;
    if (!text)
        return 1;
    puts(text);
    free(text);
    return 0;
}
