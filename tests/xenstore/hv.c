/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hv.so: a hypervisor's answers, read from a text file.
 *
 * Preloaded, it lets Debian's own xenstored, libxl and xl run where there is
 * no Xen.  Only what those programs ask for is answered; which domains exist
 * stands in the file named by XLCFG_TEST_DOMAINS, read again at each call:
 *
 *     host sched=credit2 cpus=4 memkb=8388608
 *     domain 7 uuid=UUID type=hvm state=paused vcpus=4 online=2 memkb=262144
 *
 * A line that this file does not understand is an error (EIO) for every
 * caller, said once on stderr: a test must not run on a misread world.
 */
#include "hv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_DOMAINS 4096
#define LINE_MAX_LEN 1024

struct word {
    const char *name;
    uint32_t value;
};

static const struct word schedulers[] = {
    { "credit", XEN_SCHEDULER_CREDIT },
    { "credit2", XEN_SCHEDULER_CREDIT2 },
    { "arinc653", XEN_SCHEDULER_ARINC653 },
    { "rtds", XEN_SCHEDULER_RTDS },
    { "null", XEN_SCHEDULER_NULL },
    { NULL, 0 }
};

#define SHUTDOWN(n) (XEN_DOMINF_shutdown | ((n) << XEN_DOMINF_shutdownshift))
static const struct word states[] = {
    { "running", XEN_DOMINF_running },
    { "blocked", XEN_DOMINF_blocked },
    { "paused", XEN_DOMINF_paused },
    { "dying", XEN_DOMINF_dying },
    { "poweroff", SHUTDOWN(SHUTDOWN_poweroff) },
    { "reboot", SHUTDOWN(SHUTDOWN_reboot) },
    { "suspend", SHUTDOWN(SHUTDOWN_suspend) },
    { "crash", SHUTDOWN(SHUTDOWN_crash) },
    { NULL, 0 }
};

static bool find_word(const struct word *words, const char *name,
                      uint32_t *value_r)
{
    for (; words->name; words++)
        if (strcmp(words->name, name) == 0) {
            *value_r = words->value;
            return true;
        }
    return false;
}

static bool parse_number(const char *text, uint64_t *value_r)
{
    char *end;

    errno = 0;
    *value_r = strtoull(text, &end, 0);
    return !errno && end != text && !*end;
}

static bool parse_uuid(const char *text, xen_domain_handle_t handle_r)
{
    unsigned i, byte;

    for (i = 0; i < 16; i++) {
        if (*text == '-')
            text++;
        if (sscanf(text, "%2x", &byte) != 1)
            return false;
        handle_r[i] = byte;
        text += 2;
    }
    return !*text;
}

static bool parse_domain_word(struct domain *dom, const char *name,
                              const char *value)
{
    uint64_t number;

    if (strcmp(name, "uuid") == 0)
        return parse_uuid(value, dom->handle);
    if (strcmp(name, "state") == 0)
        return find_word(states, value, &dom->flags);
    if (strcmp(name, "type") == 0) {
        dom->is_hvm = strcmp(value, "pv") != 0;
        return strcmp(value, "pv") == 0 || strcmp(value, "pvh") == 0 ||
               strcmp(value, "hvm") == 0;
    }
    if (!parse_number(value, &number))
        return false;
    if (strcmp(name, "vcpus") == 0)
        dom->vcpus = number;
    else if (strcmp(name, "online") == 0)
        dom->online = number;
    else if (strcmp(name, "memkb") == 0)
        dom->memkb = number;
    else if (strcmp(name, "maxmemkb") == 0)
        dom->maxmemkb = number;
    else if (strcmp(name, "weight") == 0)
        dom->weight = number;
    else if (strcmp(name, "cap") == 0)
        dom->cap = number;
    else if (strcmp(name, "cpupool") == 0)
        dom->cpupool = number;
    else if (strcmp(name, "hard") == 0)
        dom->hard = number;
    else if (strcmp(name, "soft") == 0)
        dom->soft = number;
    else if (strcmp(name, "ran") == 0)
        dom->ran = number;
    else
        return false;
    return true;
}

static bool parse_host_word(struct host *host, const char *name,
                            const char *value)
{
    uint64_t number;

    if (strcmp(name, "sched") == 0)
        return find_word(schedulers, value, &host->sched);
    if (!parse_number(value, &number))
        return false;
    if (strcmp(name, "cpus") == 0)
        host->cpus = number;
    else if (strcmp(name, "memkb") == 0)
        host->memkb = number;
    else
        return false;
    return host->cpus > 0 && host->cpus <= 64;
}

static bool parse_line(char *line, struct world *world)
{
    struct domain dom = {
        .flags = XEN_DOMINF_blocked, .vcpus = 1, .memkb = 131072,
        .weight = 256, .hard = ~0ull, .soft = ~0ull,
    };
    bool is_host, ok = true;
    char *save, *word, *value;
    uint64_t number;

    word = strtok_r(line, " \t\r\n", &save);
    if (!word || *word == '#')
        return true;
    is_host = strcmp(word, "host") == 0;
    if (!is_host) {
        value = strtok_r(NULL, " \t\r\n", &save);
        if (strcmp(word, "domain") != 0 || !value ||
            !parse_number(value, &number) || number >= DOMID_FIRST_RESERVED)
            return false;
        dom.domid = number;
    }
    while (ok && (word = strtok_r(NULL, " \t\r\n", &save))) {
        value = strchr(word, '=');
        if (!value)
            return false;
        *value++ = '\0';
        ok = is_host ? parse_host_word(&world->host, word, value)
                     : parse_domain_word(&dom, word, value);
    }
    if (!ok || is_host)
        return ok;
    if (!dom.online)
        dom.online = dom.vcpus;
    if (!dom.maxmemkb)
        dom.maxmemkb = dom.memkb + 1024;    /* what libxl grants on top */
    if (world->count == MAX_DOMAINS)
        return false;
    world->domains[world->count++] = dom;
    return true;
}

static int by_domid(const void *a, const void *b)
{
    const struct domain *left = a, *right = b;

    return (left->domid > right->domid) - (left->domid < right->domid);
}

void hv__world_dispose(struct world *world)
{
    free(world->domains);
    world->domains = NULL;
    world->count = 0;
}

static void complain(const char *path, unsigned number)
{
    static int said;

    if (!__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED))
        fprintf(stderr, "hv.so: %s:%u: cannot be understood\n", path, number);
}

static int parse_world(FILE *file, const char *path, struct world *world)
{
    static const char dom0[] = "domain 0 type=pv state=running vcpus=4";
    char line[LINE_MAX_LEN];
    unsigned number = 0;
    bool ok = true;

    world->domains = calloc(MAX_DOMAINS, sizeof(*world->domains));
    if (!world->domains)
        return -1;
    while (ok && fgets(line, sizeof(line), file)) {
        number++;
        ok = parse_line(line, world);
    }
    if (!ok) {
        complain(path, number);
        hv__world_dispose(world);
        errno = EIO;
        return -1;
    }
    qsort(world->domains, world->count, sizeof(*world->domains), by_domid);
    if (!world->count || world->domains[0].domid != 0) {
        memcpy(line, dom0, sizeof(dom0));
        parse_line(line, world);
        qsort(world->domains, world->count, sizeof(*world->domains),
              by_domid);
    }
    return 0;
}

/* All of a file; NULL with errno. */
static char *read_text(const char *path, size_t *len_r)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    size_t len = 0, room = 0;
    char *text = NULL;
    ssize_t n = 1;

    while (fd >= 0 && n > 0) {
        if (len + 65536 > room) {
            char *bigger = realloc(text, room += 1 << 18);

            if (!bigger)
                n = -1;
            else
                text = bigger;
        }
        if (n > 0)
            n = read(fd, text + len, room - len);
        if (n > 0)
            len += n;
    }
    if (fd >= 0)
        close(fd);
    if (fd < 0 || n < 0) {
        free(text);
        return NULL;
    }
    *len_r = len;
    return text;
}

/* What the last text was understood as: a hypercall is quick, so the same
 * text is not taken apart again. */
static struct {
    pthread_mutex_t lock;
    char *text;
    size_t len;
    struct world world;
    struct stat file;           /* st_ino 0: it may change unnoticed */
} last = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held; 0: `last` is the world of now. */
static int refresh(void)
{
    const char *path = getenv("XLCFG_TEST_DOMAINS");
    struct world world = { .host = { XEN_SCHEDULER_CREDIT2, 4, 8388608 } };
    struct stat now = { .st_ino = 0 };
    struct timespec t;
    char *text;
    FILE *file;
    size_t len;
    int r;

    if (!path || stat(path, &now))
        return -1;
    if (last.file.st_ino && now.st_ino == last.file.st_ino &&
        now.st_dev == last.file.st_dev && now.st_size == last.file.st_size &&
        now.st_mtim.tv_sec == last.file.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == last.file.st_mtim.tv_nsec)
        return 0;
    /* a file just written may be written again and bear the same time */
    clock_gettime(CLOCK_REALTIME, &t);
    last.file = now;
    if (t.tv_sec - now.st_mtim.tv_sec < 2)
        last.file.st_ino = 0;
    text = read_text(path, &len);
    if (!text) {
        last.file.st_ino = 0;
        return -1;
    }
    if (last.text && last.len == len && !memcmp(last.text, text, len)) {
        free(text);
        return 0;
    }
    file = len ? fmemopen(text, len, "r") : fopen("/dev/null", "re");
    r = file ? parse_world(file, path, &world) : -1;
    if (file)
        fclose(file);
    if (r) {
        free(text);
        last.file.st_ino = 0;
        return -1;
    }
    free(last.text);
    hv__world_dispose(&last.world);
    last.text = text;
    last.len = len;
    last.world = world;
    return 0;
}

int hv__world_read(struct world *world)
{
    int r;

    *world = (struct world){ .count = 0 };
    pthread_mutex_lock(&last.lock);
    r = refresh();
    if (!r) {
        *world = last.world;
        world->domains = calloc(world->count + 1, sizeof(*world->domains));
        if (world->domains)
            memcpy(world->domains, last.world.domains,
                   world->count * sizeof(*world->domains));
        else
            r = -1;
    }
    pthread_mutex_unlock(&last.lock);
    return r;
}

int hv__domain_read(uint32_t domid, struct domain *dom_r)
{
    struct domain key = { .domid = domid }, *found = NULL;
    int r;

    pthread_mutex_lock(&last.lock);
    r = refresh();
    if (!r)
        found = bsearch(&key, last.world.domains, last.world.count,
                        sizeof(key), by_domid);
    if (found)
        *dom_r = *found;
    pthread_mutex_unlock(&last.lock);
    if (!r && !found)
        errno = ESRCH;
    return found ? 0 : -1;
}

/*
 * Change one word of one domain's line: the file is the only state there is.
 * The lock keeps two writers apart; the rename keeps readers from half files.
 */
int hv__domain_write(uint32_t domid, const char *name, uint64_t value)
{
    const char *path = getenv("XLCFG_TEST_DOMAINS");
    char line[LINE_MAX_LEN], temp[4096], word[64], *at, *end;
    int rc = -1, lock = -1;
    FILE *in = NULL, *out = NULL;
    unsigned id;

    if (!path || snprintf(temp, sizeof(temp), "%s.new", path) >=
                 (int)sizeof(temp))
        goto out;
    lock = open(temp, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        goto out;
    snprintf(word, sizeof(word), " %s=", name ? name : "");
    in = fopen(path, "re");
    snprintf(temp, sizeof(temp), "%s.tmp", path);
    out = fopen(temp, "we");
    if (!in || !out)
        goto out;
    while (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, " domain %u", &id) != 1 || id != domid) {
            fprintf(out, "%s\n", line);
            continue;
        }
        rc = 0;
        if (!name)
            continue;
        at = strstr(line, word);
        if (at) {               /* cut the old word out */
            end = at + 1 + strcspn(at + 1, " \t");
            memmove(at, end, strlen(end) + 1);
        }
        fprintf(out, "%s%s%llu\n", line, word, (unsigned long long)value);
    }
    if (fclose(out) != 0 || rename(temp, path) != 0)
        rc = -1;
    out = NULL;
out:
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    if (lock >= 0)
        close(lock);
    return rc;
}
