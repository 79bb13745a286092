/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection to xenstore.  What has failed once stays failed: after a wait
 * that was given up, an answer that comes later belongs to nobody.
 */
#include "driver/xen_wire.h"
#include "driver/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

/* Questions that may be on their way at once. */
#define WINDOW 64
#define RETRY_MS 20
#define BUFFER (4 * (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX))

struct xlcfg__wire {
    int fd;
    int lost;
    unsigned ms;
    uint32_t next_id;
    bool is_socket;
    size_t out_len, out_sent, in_len, in_at;
    char out[BUFFER];           /* questions, from out_sent on not sent yet */
    char in[BUFFER];            /* answers, from in_at on not taken yet */
};

/* ---- opening ---- */

/* 0, or why there is nothing at path to connect to. */
static int open_at(const char *path, unsigned ms, struct xlcfg__wire *wire)
{
    struct timespec pause = { 0, RETRY_MS * 1000000 };
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int64_t end = xlcfg__now_ms() + ms;
    struct stat sb;
    int r = 0;

    if (stat(path, &sb))
        return errno;
    wire->is_socket = S_ISSOCK(sb.st_mode);
    if (!wire->is_socket) {
        wire->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        return wire->fd < 0 ? errno : 0;
    }
    if (strlen(path) >= sizeof(to.sun_path))
        return ENAMETOOLONG;
    strcpy(to.sun_path, path);
    wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                      0);
    if (wire->fd < 0)
        return errno;
    /* EAGAIN: a daemon that accepts nobody, its queue full; there is no
     * descriptor to wait for that to change on */
    while (connect(wire->fd, (struct sockaddr *)&to, sizeof(to))) {
        r = errno;
        if (r != EAGAIN && r != EINTR)
            break;
        if (xlcfg__now_ms() >= end) {
            r = ETIMEDOUT;
            break;
        }
        nanosleep(&pause, NULL);
        r = 0;
    }
    if (r) {
        close(wire->fd);
        wire->fd = -1;
    }
    return r;
}

const char *xlcfg__wire_path(char path[XLCFG_WIRE_PATH])
{
    const char *given = secure_getenv("XENSTORED_PATH");
    const char *folder = secure_getenv("XENSTORED_RUNDIR");

    if (given)
        return given;
    snprintf(path, XLCFG_WIRE_PATH, "%.200s/socket",
             folder ? folder : "/run/xenstored");
    return path;
}

int xlcfg__wire_open(unsigned ms, struct xlcfg__wire **wire_r)
{
    const char *given = secure_getenv("XENSTORED_PATH");
    char path[XLCFG_WIRE_PATH];
    const char *paths[] = { xlcfg__wire_path(path), "/dev/xen/xenbus",
                            "/proc/xen/xenbus" };
    struct xlcfg__wire *wire = calloc(1, sizeof(*wire));
    int first = 0, r = ENOENT;

    if (!wire)
        return ENOMEM;
    wire->fd = -1;
    wire->ms = 2 * ms;
    for (size_t i = 0; i < (given ? 1 : 3); i++) {
        r = open_at(paths[i], ms, wire);
        if (!i)
            first = r;
        if (!r || r == ETIMEDOUT)
            break;
    }
    if (!r) {
        *wire_r = wire;
        return 0;
    }
    free(wire);
    return r == ETIMEDOUT ? r : first;
}

void xlcfg__wire_close(struct xlcfg__wire *wire)
{
    if (!wire)
        return;
    if (wire->fd >= 0)
        close(wire->fd);
    free(wire);
}

int xlcfg__wire_lost(const struct xlcfg__wire *wire)
{
    return wire->lost;
}

static void lose(struct xlcfg__wire *wire, int why)
{
    if (wire->lost)
        return;
    wire->lost = why;
    close(wire->fd);
    wire->fd = -1;
}

/* ---- questions out ---- */

/* False: there is no room for it now. */
static bool put(struct xlcfg__wire *wire, const struct xlcfg__wire_ask *ask,
                uint32_t id)
{
    size_t path = strlen(ask->path) + 1;
    size_t more = ask->more ? strlen(ask->more) + (ask->type != XS_WRITE)
        : 0;                    /* a value has no NUL behind it */
    struct xsd_sockmsg head = {
        .type = ask->type, .req_id = id, .tx_id = ask->tx,
        .len = (uint32_t)(path + more),
    };
    char *at = wire->out + wire->out_len;

    if (path > XENSTORE_ABS_PATH_MAX || path + more > XENSTORE_PAYLOAD_MAX) {
        lose(wire, ENAMETOOLONG);       /* no caller has such a path */
        return false;
    }
    if (wire->out_len + sizeof(head) + path + more > BUFFER)
        return false;
    memcpy(at, &head, sizeof(head));
    memcpy(at + sizeof(head), ask->path, path);
    if (more)
        memcpy(at + sizeof(head) + path, ask->more, more);
    wire->out_len += sizeof(head) + path + more;
    return true;
}

/* As much as goes without waiting. */
static void send_some(struct xlcfg__wire *wire)
{
    size_t left = wire->out_len - wire->out_sent;
    const char *from = wire->out + wire->out_sent;
    ssize_t n;

    if (!left)
        return;
    do
        n = wire->is_socket ? send(wire->fd, from, left, MSG_NOSIGNAL)
            : write(wire->fd, from, left);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        wire->out_sent += (size_t)n;
    else if (errno != EAGAIN)
        lose(wire, errno);
    if (wire->out_sent == wire->out_len)
        wire->out_sent = wire->out_len = 0;
}

/* ---- answers in ---- */

/* What is there, without waiting. */
static void receive_some(struct xlcfg__wire *wire)
{
    ssize_t n;

    if (wire->in_at) {
        wire->in_len -= wire->in_at;
        memmove(wire->in, wire->in + wire->in_at, wire->in_len);
        wire->in_at = 0;
    }
    do
        n = read(wire->fd, wire->in + wire->in_len, BUFFER - wire->in_len);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        wire->in_len += (size_t)n;
    else if (!n || errno != EAGAIN)
        lose(wire, n ? errno : ECONNRESET);
}

/* The next message that is there whole; false: there is none. */
static bool next_message(struct xlcfg__wire *wire, struct xsd_sockmsg *head,
                         const char **data_r)
{
    size_t there = wire->in_len - wire->in_at;

    if (there < sizeof(*head))
        return false;
    memcpy(head, wire->in + wire->in_at, sizeof(*head));
    if (head->len > XENSTORE_PAYLOAD_MAX) {
        lose(wire, EPROTO);
        return false;
    }
    if (there < sizeof(*head) + head->len)
        return false;
    *data_r = wire->in + wire->in_at + sizeof(*head);
    wire->in_at += sizeof(*head) + head->len;
    return true;
}

static int errno_of(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
        if (strlen(xsd_errors[i].errstring) == strnlen(name, len) &&
            !strncmp(xsd_errors[i].errstring, name, len))
            return xsd_errors[i].errnum;
    return EIO;
}

/* The message is the answer to ask, numbered id. */
static void take_answer(struct xlcfg__wire *wire,
                        const struct xsd_sockmsg *head, const char *data,
                        uint32_t id, struct xlcfg__wire_ask *ask)
{
    if (head->req_id != id ||
        (head->type != ask->type && head->type != XS_ERROR)) {
        lose(wire, EPROTO);
        return;
    }
    if (head->type == XS_ERROR) {
        ask->error = errno_of(data, head->len);
        return;
    }
    ask->data = malloc(head->len + 1);
    ask->error = ask->data ? 0 : ENOMEM;
    if (!ask->data)
        return;
    memcpy(ask->data, data, head->len);
    ask->data[head->len] = '\0';
    ask->len = head->len;
}

/* ---- a batch ---- */

struct batch {
    struct xlcfg__wire_ask *asks;
    size_t count, asked, answered;
    uint32_t first_id;
};

static void put_some(struct xlcfg__wire *wire, struct batch *b)
{
    size_t window = wire->is_socket ? WINDOW : 1;

    while (b->asked < b->count && b->asked - b->answered < window &&
           put(wire, &b->asks[b->asked], b->first_id + (uint32_t)b->asked))
        b->asked++;
    if (!wire->lost)
        send_some(wire);
}

static void take_some(struct xlcfg__wire *wire, struct batch *b)
{
    struct xsd_sockmsg head;
    const char *data;

    receive_some(wire);
    while (b->answered < b->asked && next_message(wire, &head, &data)) {
        if (head.type == XS_WATCH_EVENT)
            continue;
        take_answer(wire, &head, data, b->first_id + (uint32_t)b->answered,
                    &b->asks[b->answered]);
        if (wire->lost)
            return;
        b->answered++;
    }
}

/* False: the time is up, or it is lost. */
static bool wait_for_some(struct xlcfg__wire *wire, int64_t end)
{
    struct pollfd ready = {
        .fd = wire->fd, .events = POLLIN | (wire->out_len ? POLLOUT : 0),
    };
    int64_t left = end - xlcfg__now_ms();
    int r = left > 0 ? poll(&ready, 1, (int)left) : 0;

    if (!r)
        lose(wire, ETIMEDOUT);
    else if (r < 0 && errno != EINTR)
        lose(wire, errno);
    return !wire->lost;
}

/* The wait is for the next answer, not for all of them. */
void xlcfg__wire_ask(struct xlcfg__wire *wire, struct xlcfg__wire_ask *asks,
                     size_t count)
{
    struct batch b = {
        .asks = asks, .count = count, .first_id = wire->next_id,
    };
    int64_t end = xlcfg__now_ms() + wire->ms;
    size_t before;

    for (size_t i = 0; i < count; i++) {
        asks[i].data = NULL;
        asks[i].len = 0;
    }
    wire->next_id += (uint32_t)count;
    while (b.answered < count && !wire->lost) {
        before = b.answered;
        put_some(wire, &b);
        if (wire->lost || !wait_for_some(wire, end))
            break;
        take_some(wire, &b);
        if (b.answered != before)
            end = xlcfg__now_ms() + wire->ms;
    }
    for (size_t i = b.answered; i < count; i++)
        asks[i].error = wire->lost;
}

/* True: a hint is among what has come. */
static bool take_hint(struct xlcfg__wire *wire)
{
    struct xsd_sockmsg head;
    const char *data;

    if (!next_message(wire, &head, &data))
        return false;
    if (head.type != XS_WATCH_EVENT)    /* an answer to nothing */
        lose(wire, EPROTO);
    return !wire->lost;
}

bool xlcfg__wire_hint(struct xlcfg__wire *wire, unsigned ms)
{
    int64_t end = xlcfg__now_ms() + ms;

    while (!wire->lost) {
        struct pollfd ready = { .fd = wire->fd, .events = POLLIN };
        int64_t left = end - xlcfg__now_ms();
        int r;

        if (take_hint(wire))
            return true;
        left = left < 0 ? 0 : left > 60000 ? 60000 : left;
        r = wire->lost ? 0 : poll(&ready, 1, (int)left);
        if (r > 0)
            receive_some(wire);
        else if (r < 0 && errno != EINTR)
            lose(wire, errno);
        else if (xlcfg__now_ms() >= end)
            return false;
    }
    return false;
}
