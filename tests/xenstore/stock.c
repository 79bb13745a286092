/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stock: ask the real libxl, and live to tell what came of it.
 *
 *     stock retrieve 7
 *     stock attach 7 disk disk.json
 *     stock detach 7 disk xvda --safe
 *
 * The call runs in a child.  stdout is libxl's answer as JSON, or one line
 * `error:RC`, `crash:SIGNAL` or `timeout`; the exit code is 0, 1, 3 or 4.
 * 2 is bad usage.  Options come first: -t SECONDS (default 60), -v (libxl's
 * whole log on stderr).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>

union device {
    libxl_device_disk disk;
    libxl_device_nic nic;
    libxl_device_pci pci;
    libxl_device_usbctrl usbctrl;
    libxl_device_usbdev usbdev;
    libxl_device_vtpm vtpm;
    libxl_device_vkb vkb;
    libxl_device_vfb vfb;
    libxl_device_vdispl vdispl;
    libxl_device_vsnd vsnd;
    libxl_device_p9 p9;
    libxl_device_pvcallsif pvcallsif;
};

struct kind {
    const char *name;
    void (*init)(union device *dev);
    void (*dispose)(union device *dev);
    int (*parse)(libxl_ctx *ctx, union device *dev, const char *json);
    char *(*print)(libxl_ctx *ctx, union device *dev);
    int (*add)(libxl_ctx *ctx, uint32_t domid, union device *dev);
    int (*remove)(libxl_ctx *ctx, uint32_t domid, union device *dev);
    int (*destroy)(libxl_ctx *ctx, uint32_t domid, union device *dev);
    int (*safe_remove)(libxl_ctx *ctx, uint32_t domid, union device *dev);
    int (*list)(libxl_ctx *ctx, uint32_t domid);
    bool (*identify)(union device *dev, const char *id);
};

struct call {
    libxl_ctx *ctx;
    uint32_t domid;
    int argc;
    char **argv;
    const struct kind *kind;
};

/* ---- the kinds: libxl's functions, one shape --------------------------- */

#define COMMON(k)                                                       \
    static void k##_init(union device *dev)                             \
    {                                                                   \
        libxl_device_##k##_init(&dev->k);                               \
    }                                                                   \
    static void k##_dispose(union device *dev)                          \
    {                                                                   \
        libxl_device_##k##_dispose(&dev->k);                            \
    }                                                                   \
    static int k##_parse(libxl_ctx *ctx, union device *dev,             \
                         const char *json)                              \
    {                                                                   \
        return libxl_device_##k##_from_json(ctx, &dev->k, json);        \
    }                                                                   \
    static char *k##_print(libxl_ctx *ctx, union device *dev)           \
    {                                                                   \
        return libxl_device_##k##_to_json(ctx, &dev->k);                \
    }

#define ACTION(k, action)                                               \
    static int k##_##action(libxl_ctx *ctx, uint32_t domid,             \
                            union device *dev)                          \
    {                                                                   \
        return libxl_device_##k##_##action(ctx, domid, &dev->k, NULL);  \
    }

#define LIST_WITH(k, free_list)                                         \
    static int k##_list(libxl_ctx *ctx, uint32_t domid)                 \
    {                                                                   \
        libxl_device_##k *list;                                         \
        int i, n = 0;                                                   \
        char *json;                                                     \
                                                                        \
        list = libxl_device_##k##_list(ctx, domid, &n);                 \
        for (i = 0; i < n; i++) {                                       \
            json = libxl_device_##k##_to_json(ctx, &list[i]);           \
            puts(json ? json : "null");                                 \
            free(json);                                                 \
        }                                                               \
        free_list;                                                      \
        return 0;                                                       \
    }
#define LIST(k) LIST_WITH(k, libxl_device_##k##_list_free(list, n))

#define DEVID(k)                                                        \
    static bool k##_identify(union device *dev, const char *id)         \
    {                                                                   \
        char *end;                                                      \
                                                                        \
        dev->k.devid = strtol(id, &end, 10);                            \
        return end != id && !*end;                                      \
    }

#define USUAL(k) COMMON(k) ACTION(k, remove) ACTION(k, destroy) DEVID(k)
#define USUAL_ROW(k)                                                    \
    .name = #k, .init = k##_init, .dispose = k##_dispose,               \
    .parse = k##_parse, .print = k##_print, .identify = k##_identify,   \
    .remove = k##_remove, .destroy = k##_destroy

USUAL(nic) ACTION(nic, add) LIST(nic)
USUAL(usbctrl) ACTION(usbctrl, add) LIST(usbctrl)
USUAL(vtpm) ACTION(vtpm, add) LIST(vtpm)
USUAL(vkb) ACTION(vkb, add) LIST(vkb)
USUAL(vfb) ACTION(vfb, add)
USUAL(vdispl) ACTION(vdispl, add) LIST(vdispl)
USUAL(vsnd) ACTION(vsnd, add) LIST(vsnd)
USUAL(p9)
USUAL(pvcallsif)
COMMON(disk) ACTION(disk, add) ACTION(disk, remove) ACTION(disk, destroy)
ACTION(disk, safe_remove) LIST(disk)
COMMON(pci) ACTION(pci, add) ACTION(pci, remove) ACTION(pci, destroy)
COMMON(usbdev) ACTION(usbdev, add) ACTION(usbdev, remove)
LIST_WITH(usbdev, libxl_device_usbdev_list_free(list, n))
LIST_WITH(pci, libxl_device_pci_list_free(list, n))

static bool disk_identify(union device *dev, const char *id)
{
    dev->disk.vdev = strdup(id);
    dev->disk.backend = LIBXL_DISK_BACKEND_PHY;
    return dev->disk.vdev != NULL;
}

static bool usbdev_identify(union device *dev, const char *id)
{
    return sscanf(id, "%d.%d", &dev->usbdev.ctrl, &dev->usbdev.port) == 2;
}

static bool pci_identify(union device *dev, const char *id)
{
    unsigned domain, bus, slot, func;

    if (sscanf(id, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4)
        return false;
    dev->pci.domain = domain;
    dev->pci.bus = bus;
    dev->pci.dev = slot;
    dev->pci.func = func;
    return true;
}

static const struct kind kinds[] = {
    { USUAL_ROW(disk), .add = disk_add, .list = disk_list,
      .safe_remove = disk_safe_remove },
    { USUAL_ROW(nic), .add = nic_add, .list = nic_list },
    { USUAL_ROW(usbctrl), .add = usbctrl_add, .list = usbctrl_list },
    { .name = "usbdev", .init = usbdev_init, .dispose = usbdev_dispose,
      .parse = usbdev_parse, .print = usbdev_print,
      .identify = usbdev_identify, .add = usbdev_add,
      .remove = usbdev_remove, .list = usbdev_list },
    { USUAL_ROW(pci), .add = pci_add, .list = pci_list },
    { USUAL_ROW(vtpm), .add = vtpm_add, .list = vtpm_list },
    { USUAL_ROW(vkb), .add = vkb_add, .list = vkb_list },
    { USUAL_ROW(vfb), .add = vfb_add },
    { USUAL_ROW(vdispl), .add = vdispl_add, .list = vdispl_list },
    { USUAL_ROW(vsnd), .add = vsnd_add, .list = vsnd_list },
    { USUAL_ROW(p9) },
    { USUAL_ROW(pvcallsif) },
};

static const struct kind *find_kind(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* ---- the commands: each returns libxl's rc ------------------------------ */

static char *read_text(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    size_t used = 0, size = 1 << 16, got;
    char *text = malloc(size + 1);

    while (file && text && (got = fread(text + used, 1, size - used, file))) {
        used += got;
        if (used == size)
            text = realloc(text, (size *= 2) + 1);
    }
    if (!file || !text || ferror(file)) {
        fprintf(stderr, "stock: %s: %s\n", path, strerror(errno));
        _exit(2);
    }
    text[used] = '\0';
    return text;
}

static int say(char *json)
{
    if (!json)
        return ERROR_FAIL;
    puts(json);
    free(json);
    return 0;
}

static int do_retrieve(struct call *call)
{
    libxl_domain_config config;
    int rc;

    libxl_domain_config_init(&config);
    rc = libxl_retrieve_domain_configuration(call->ctx, call->domid, &config,
                                             NULL);
    if (rc == 0)
        rc = say(libxl_domain_config_to_json(call->ctx, &config));
    libxl_domain_config_dispose(&config);
    return rc;
}

/* What libxl makes of a configuration on its own: no domain is looked at. */
static int do_canon(struct call *call)
{
    libxl_domain_config config;
    int rc;

    libxl_domain_config_init(&config);
    rc = libxl_domain_config_from_json(call->ctx, &config,
                                       read_text(call->argv[0]));
    if (rc == 0)
        rc = say(libxl_domain_config_to_json(call->ctx, &config));
    libxl_domain_config_dispose(&config);
    return rc;
}

static int do_attach(struct call *call)
{
    union device dev;
    int rc;

    call->kind->init(&dev);
    rc = call->kind->parse(call->ctx, &dev, read_text(call->argv[2]));
    if (rc == 0)
        rc = call->kind->add(call->ctx, call->domid, &dev);
    if (rc == 0)
        rc = say(call->kind->print(call->ctx, &dev));
    call->kind->dispose(&dev);
    return rc;
}

static int do_detach(struct call *call)
{
    const char *id = call->argv[2], *how = call->argc > 3 ? call->argv[3] : "";
    const struct kind *kind = call->kind;
    int (*act)(libxl_ctx *, uint32_t, union device *) = kind->remove;
    union device dev;
    int rc;

    if (strcmp(how, "--force") == 0)
        act = kind->destroy;
    else if (strcmp(how, "--safe") == 0)
        act = kind->safe_remove;
    else if (*how)
        act = NULL;
    if (!act) {
        fprintf(stderr, "stock: %s has no detach %s\n", kind->name, how);
        _exit(2);
    }
    kind->init(&dev);
    if (*id == '@')
        rc = kind->parse(call->ctx, &dev, read_text(id + 1));
    else
        rc = kind->identify(&dev, id) ? 0 : ERROR_INVAL;
    if (rc == 0)
        rc = act(call->ctx, call->domid, &dev);
    kind->dispose(&dev);
    return rc;
}

static int do_devices(struct call *call)
{
    return call->kind->list(call->ctx, call->domid);
}

static int do_list(struct call *call)
{
    libxl_dominfo *list;
    int i, n;

    list = libxl_list_domain(call->ctx, &n);
    if (!list)
        return ERROR_FAIL;
    for (i = 0; i < n; i++)
        say(libxl_dominfo_to_json(call->ctx, &list[i]));
    libxl_dominfo_list_free(list, n);
    return 0;
}

static int do_mem_set(struct call *call)
{
    return libxl_set_memory_target(call->ctx, call->domid,
                                   strtoll(call->argv[1], NULL, 10), 0, 1);
}

static int do_mem_max(struct call *call)
{
    return libxl_domain_setmaxmem(call->ctx, call->domid,
                                  strtoull(call->argv[1], NULL, 10));
}

static int do_vcpu_set(struct call *call)
{
    int i, n = atoi(call->argv[1]), rc;
    libxl_bitmap map;

    libxl_bitmap_init(&map);
    rc = libxl_cpu_bitmap_alloc(call->ctx, &map, n);
    for (i = 0; rc == 0 && i < n; i++)
        libxl_bitmap_set(&map, i);
    if (rc == 0)
        rc = libxl_set_vcpuonline(call->ctx, call->domid, &map, NULL);
    libxl_bitmap_dispose(&map);
    return rc;
}

static int do_rename(struct call *call)
{
    return libxl_domain_rename(call->ctx, call->domid, NULL, call->argv[1]);
}

static int do_cd_insert(struct call *call)
{
    union device dev;
    int rc;

    libxl_device_disk_init(&dev.disk);
    rc = libxl_device_disk_from_json(call->ctx, &dev.disk,
                                     read_text(call->argv[1]));
    if (rc == 0)
        rc = libxl_cdrom_insert(call->ctx, call->domid, &dev.disk, NULL);
    libxl_device_disk_dispose(&dev.disk);
    return rc;
}

static int do_store(struct call *call)
{
    char *text = read_text(call->argv[2]);
    int rc;

    rc = libxl_userdata_store(call->ctx, call->domid, call->argv[1],
                              (const uint8_t *)text, strlen(text) + 1);
    free(text);
    return rc;
}

static const struct command {
    const char *name, *usage;
    int words;                  /* least number after the name */
    int (*run)(struct call *call);
} commands[] = {
    { "retrieve", "DOMID", 1, do_retrieve },
    { "attach", "DOMID KIND FILE|-", 3, do_attach },
    { "detach", "DOMID KIND ID|@FILE [--force|--safe]", 3, do_detach },
    { "devices", "DOMID KIND", 2, do_devices },
    { "list", "", 0, do_list },
    { "mem-set", "DOMID KIB", 2, do_mem_set },
    { "mem-max", "DOMID KIB", 2, do_mem_max },
    { "vcpu-set", "DOMID COUNT", 2, do_vcpu_set },
    { "rename", "DOMID NAME", 2, do_rename },
    { "cd-insert", "DOMID FILE|-", 2, do_cd_insert },
    { "store", "DOMID USERID FILE|-", 3, do_store },
    { "canon", "FILE|-", 1, do_canon },
};

/* ---- the child and its end ---------------------------------------------- */

static int usage(void)
{
    size_t i;

    for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        fprintf(stderr, "usage: stock [-t SECONDS] [-v] %s %s\n",
                commands[i].name, commands[i].usage);
    return 2;
}

static void child(const struct command *command, struct call *call,
                  bool verbose, int rc_fd)
{
    xentoollog_logger_stdiostream *logger;
    int rc;

    logger = xtl_createlogger_stdiostream(
        stderr, verbose ? XTL_DEBUG : XTL_CRITICAL, 0);
    rc = libxl_ctx_alloc(&call->ctx, LIBXL_VERSION, 0,
                         (xentoollog_logger *)logger);
    if (rc == 0)
        rc = command->run(call);
    fflush(stdout);
    if (write(rc_fd, &rc, sizeof(rc)) != sizeof(rc))
        _exit(9);
    if (call->ctx)
        libxl_ctx_free(call->ctx);
    _exit(0);
}

static int report(pid_t pid, int rc_fd, int seconds)
{
    struct pollfd ready = { .fd = rc_fd, .events = POLLIN };
    int status, rc, r;

    do
        r = poll(&ready, 1, seconds * 1000);
    while (r < 0 && errno == EINTR);
    if (r == 0) {
        kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
        puts("timeout");
        return 4;
    }
    r = read(rc_fd, &rc, sizeof(rc));
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) {
        printf("crash:%d\n", WTERMSIG(status));
        return 3;
    }
    if (r != sizeof(rc))
        return WEXITSTATUS(status) ? WEXITSTATUS(status) : 9;
    if (rc) {
        printf("error:%d\n", rc);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct command *command = NULL;
    int opt, seconds = 60, fds[2];
    bool verbose = false;
    struct call call = { 0 };
    size_t i;
    pid_t pid;

    while ((opt = getopt(argc, argv, "+t:v")) != -1) {
        if (opt == 't')
            seconds = atoi(optarg);
        else if (opt == 'v')
            verbose = true;
        else
            return usage();
    }
    argc -= optind + 1;
    argv += optind + 1;
    for (i = 0; argc >= 0 && i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(commands[i].name, argv[-1]) == 0)
            command = &commands[i];
    if (!command || argc < command->words)
        return usage();
    call.argc = argc;
    call.argv = argv;
    if (command->words > 0)
        call.domid = strtoul(argv[0], NULL, 10);
    if (strstr(command->usage, "KIND")) {
        call.kind = find_kind(argv[1]);
        if (!call.kind || (command->run == do_attach && !call.kind->add) ||
            (command->run == do_devices && !call.kind->list)) {
            fprintf(stderr, "stock: libxl has no %s for %s\n", command->name,
                    argv[1]);
            return 2;
        }
    }
    if (pipe2(fds, O_CLOEXEC) != 0)
        return 9;
    fflush(stdout);
    pid = fork();
    if (pid < 0)
        return 9;
    if (pid == 0) {
        setpgid(0, 0);          /* a hung call may have hung children */
        child(command, &call, verbose, fds[1]);
    }
    setpgid(pid, pid);
    close(fds[1]);
    return report(pid, fds[0], seconds);
}
