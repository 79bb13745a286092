/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One question to the other libxl: the text that its struct got. */
#include <libxl.h>
#include <stdlib.h>
#include <string.h>

char *module_ask(uint32_t domid);

char *module_ask(uint32_t domid)
{
    struct { char mark[16]; char *text; char guard[16]; } config;
    char *text = NULL;

    memset(config.guard, 7, sizeof(config.guard));
    libxl_domain_config_init((libxl_domain_config *)&config);
    if (!libxl_retrieve_domain_configuration(
            NULL, domid, (libxl_domain_config *)&config, NULL) &&
        !strcmp(config.mark, "other libxl"))
        text = strdup(config.text);
    libxl_domain_config_dispose((libxl_domain_config *)&config);
    for (size_t i = 0; i < sizeof(config.guard); i++)
        if (config.guard[i] != 7)
            abort();            /* somebody wrote another struct over it */
    return text;
}
