/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names and words that stand in many documents: each is one document for all,
 * which costs nothing to make, and two objects of the same names are seen to
 * be so at a glance.
 */
#include "core/doc.h"

#include <string.h>

struct word {
    xlcfg_doc doc;
    char text[24];              /* the document's; zeros behind it */
};

#define W(s) { { .type = XLCFG_DOC_STRING, .home = XLCFG__DOC_STATIC, \
                 .plain = 1, .count = sizeof(s) - 1 }, s }
#define N(s) { { .type = XLCFG_DOC_NUMBER, .home = XLCFG__DOC_STATIC, \
                 .plain = 1, .count = sizeof(s) - 1 }, s }

/* By length, and then by their bytes. */
static const struct word words[] = {
    W("0"), W("1"), W("2"), W("3"), W("ip"), W("0x0"), W("0x1"), W("0x2"),
    W("0x3"), W("bus"), W("dev"), W("key"), W("mac"), W("mtu"), W("nic"),
    W("now"), W("pci"), W("raw"), W("sdl"), W("usb"), W("vfb"), W("vnc"),
    W("was"), W("0x00"), W("0x01"), W("0x02"), W("0x03"), W("0x04"),
    W("ctrl"), W("disk"), W("func"), W("hash"), W("kind"), W("live"),
    W("name"), W("nics"), W("path"), W("port"), W("slot"), W("type"),
    W("unit"), W("uuid"), W("vdev"), W("vfbs"), W("devid"), W("disks"),
    W("domid"), W("drive"), W("empty"), W("model"), W("ports"), W("qcow2"),
    W("since"), W("state"), W("vtpms"), W("0x0000"), W("b_info"), W("bridge"),
    W("c_info"), W("config"), W("domain"), W("driver"), W("enable"),
    W("failed"), W("format"), W("ifname"), W("intent"), W("keymap"),
    W("leaked"), W("listen"), W("passwd"), W("reason"), W("script"),
    W("source"), W("target"), W("usbdev"), W("address"), W("backend"),
    W("channel"), W("devices"), W("display"), W("hostbus"), W("nictype"),
    W("pcidevs"), W("refused"), W("seen_in"), W("unknown"), W("usbctrl"),
    W("usbdevs"), W("version"), W("attached"), W("attempts"), W("channels"),
    W("complete"), W("detached"), W("function"), W("hostaddr"), W("is_cdrom"),
    W("template"), W("usbctrls"), W("attaching"), W("detaching"),
    W("in_config"), W("pdev_path"), W("readwrite"), W("removable"),
    W("x-libvirt"), W("controller"), W("gatewaydev"), W("xauthority"),
    W("incarnation"), W("address_hash"), W("type.hostdev"),
    W("backend_domid"), W("multifunction"), W("template+live"),
    W("connection.pty"), W("backend_domname"), W("connection.socket"),
};

static const struct word digits[] = {
    N("0"), N("1"), N("2"), N("3"), N("4"), N("5"), N("6"), N("7"), N("8"),
    N("9"),
};

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static int compare(const char *s, size_t len, const xlcfg_doc *word)
{
    if (len != word->count)
        return len < word->count ? -1 : 1;
    return memcmp(s, word->text, len);
}

xlcfg_doc *xlcfg__word(const char *s)
{
    size_t from = 0, to = COUNT(words), len = strlen(s);

    while (from < to) {
        size_t at = (from + to) / 2;
        int order = compare(s, len, &words[at].doc);

        if (!order)
            return (xlcfg_doc *)&words[at].doc;
        if (order < 0)
            to = at;
        else
            from = at + 1;
    }
    return NULL;
}

xlcfg_doc *xlcfg__digit(int64_t n)
{
    return n < 0 || n > 9 ? NULL : (xlcfg_doc *)&digits[n].doc;
}

bool xlcfg__words_in_order(void)
{
    for (size_t i = 1; i < COUNT(words); i++)
        if (compare(words[i - 1].text, words[i - 1].doc.count,
                    &words[i].doc) >= 0)
            return false;
    return true;
}
