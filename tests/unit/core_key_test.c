/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys: disk numbers both ways, PCI addresses, who each body is. */
#include "unit.h"
#include "core/key.h"

static const struct {
    const char *vdev;
    int number;                 /* -1: none */
    const char *name;           /* what the number is called; NULL: vdev */
} disks[] = {
    { "xvda", 51712, NULL }, { "xvda1", 51713, NULL },
    { "xvdp15", 51967, NULL }, { "xvdq", 268439552, NULL },
    { "xvda16", 268435472, NULL }, { "xvdaa", 268442112, NULL },
    { "hda", 768, NULL }, { "hdb", 832, NULL }, { "hdc", 5632, NULL },
    { "hdd1", 5697, NULL }, { "sda", 2048, NULL }, { "sdp15", 2303, NULL },
    { "d0", 51712, "xvda" }, { "d0p1", 51713, "xvda1" },
    { "51712", 51712, "xvda" }, { "0xca00", 51712, "xvda" },
    { "d1048575", 536870656, "xvdbgqcv" }, { "xvdbgqcv", 536870656, NULL },
    { "hde", -1, NULL }, { "sdq", -1, NULL }, { "xvd", -1, NULL },
    { "xvda256", -1, NULL }, { "xvda1x", -1, NULL }, { "XVDA", -1, NULL },
    { "", -1, NULL }, { "d", -1, NULL }, { "d0p", -1, NULL },
    { "d1048576", -1, NULL }, { "-1", -1, NULL }, { "1 ", -1, NULL },
    { "xvdaaaaaaaaaaaaa", -1, NULL }, { "99999999999999999999", -1, NULL },
};

START_TEST(a_disk_name_is_a_number_and_back)
{
    int n = xlcfg__vdev_number(disks[_i].vdev);
    char name[32];

    ck_assert_int_eq(n, disks[_i].number);
    if (n < 0)
        return;
    xlcfg__vdev_name(n, name, sizeof(name));
    ck_assert_str_eq(name, disks[_i].name ? disks[_i].name : disks[_i].vdev);
}
END_TEST

START_TEST(every_named_number_comes_back)
{
    char name[32];
    int named = 0;

    for (int n = -1; n < 1 << 16; n++) {
        xlcfg__vdev_name(n, name, sizeof(name));
        if (!name[0])
            continue;
        ck_assert_int_eq(xlcfg__vdev_number(name), n);
        named++;
    }
    /* 256 xvd, 256 sd, 4 hd of 64 */
    ck_assert_int_eq(named, 768);
    xlcfg__vdev_name(1 << 29, name, sizeof(name));
    ck_assert_str_eq(name, "");
}
END_TEST

static const struct {
    const char *text;
    bool ok;
    unsigned part[4];
} bdfs[] = {
    { "0000:03:00.0", true, { 0, 3, 0, 0 } },
    { "03:1f.7", true, { 0, 3, 31, 7 } },
    { "ffff:FF:1f.7", true, { 0xffff, 0xff, 31, 7 } },
    { "0000:03:20.0", false, { 0 } }, { "0000:03:00.8", false, { 0 } },
    { "10000:03:00.0", false, { 0 } }, { " 0000:03:00.0", false, { 0 } },
    { "-1:03:00.0", false, { 0 } }, { "+1:03:00.0", false, { 0 } },
    { "0x:03:00.0", false, { 0 } }, { "-1:00.0", false, { 0 } },
    { "0000:03:00.0 ", false, { 0 } }, { "0000:03:00", false, { 0 } },
    { "0000:03: 0.0", false, { 0 } }, { "", false, { 0 } },
    { "0:0000:03:00.0", false, { 0 } },
};

START_TEST(a_pci_address_is_nothing_else)
{
    unsigned part[4];

    ck_assert_int_eq(xlcfg__bdf_parse(bdfs[_i].text, part), bdfs[_i].ok);
    for (int i = 0; bdfs[_i].ok && i < 4; i++)
        ck_assert_uint_eq(part[i], bdfs[_i].part[i]);
}
END_TEST

static const struct {
    enum xlcfg_kind kind;
    const char *body, *key, *match, *alt;
} bodies[] = {
    { XLCFG_KIND_DISK, "{\"vdev\":\"xvda\"}", "disk/xvda", "disk/#51712",
      "" },
    { XLCFG_KIND_DISK, "{\"vdev\":\"51712\"}", "disk/51712", "disk/#51712",
      "" },
    { XLCFG_KIND_DISK, "{\"vdev\":\"vda\"}", "disk/vda", "disk/vda", "" },
    { XLCFG_KIND_DISK, "{\"vdev\":\"\"}", "", "", "" },
    { XLCFG_KIND_DISK, "{\"vdev\":7}", "", "", "" },
    { XLCFG_KIND_NIC, "{\"devid\":0,\"mac\":\"00:16:3E:AA:BB:CC\"}",
      "nic/0", "nic/0", "nic/00:16:3e:aa:bb:cc" },
    { XLCFG_KIND_NIC, "{\"mac\":\"00:16:3e:aa:bb:cc\"}",
      "nic/00:16:3e:aa:bb:cc", "nic/00:16:3e:aa:bb:cc",
      "nic/00:16:3e:aa:bb:cc" },
    { XLCFG_KIND_NIC, "{\"mac\":\"00:00:00:00:00:00\"}", "", "", "" },
    { XLCFG_KIND_NIC, "{\"devid\":-1}", "", "", "" },
    { XLCFG_KIND_NIC, "{\"devid\":2147483648}", "", "", "" },
    { XLCFG_KIND_PCI, "{\"bus\":3,\"name\":\"gpu\"}", "pci/0000:03:00.0",
      "pci/0000:03:00.0", "pci/name/gpu" },
    { XLCFG_KIND_PCI, "{\"name\":\"gpu\"}", "pci/name/gpu", "pci/name/gpu",
      "pci/name/gpu" },
    { XLCFG_KIND_PCI, "{\"bus\":256}", "", "", "" },
    { XLCFG_KIND_PCI, "{}", "", "", "" },
    { XLCFG_KIND_RDM, "{}", "rdm/0", "rdm/0", "" },
    { XLCFG_KIND_RDM, "{\"start\":4096}", "rdm/4096", "rdm/4096", "" },
    { XLCFG_KIND_DTDEV, "{\"path\":\"/soc/u\"}", "dtdev//soc/u",
      "dtdev//soc/u", "" },
    { XLCFG_KIND_VFB, "{\"devid\":0}", "vfb/0", "vfb/0", "" },
    { XLCFG_KIND_VKB, "{\"devid\":1}", "vkb/1", "vkb/1", "" },
    { XLCFG_KIND_VIRTIO, "{\"devid\":2}", "virtio/2", "virtio/2", "" },
    { XLCFG_KIND_VTPM, "{\"devid\":3}", "vtpm/3", "vtpm/3", "" },
    { XLCFG_KIND_P9, "{\"devid\":4}", "p9/4", "p9/4", "" },
    { XLCFG_KIND_PVCALLSIF, "{\"devid\":5}", "pvcallsif/5", "pvcallsif/5",
      "" },
    { XLCFG_KIND_VDISPL, "{\"devid\":6}", "vdispl/6", "vdispl/6", "" },
    { XLCFG_KIND_VSND, "{\"devid\":7}", "vsnd/7", "vsnd/7", "" },
    { XLCFG_KIND_CHANNEL, "{\"devid\":8}", "channel/8", "channel/8", "" },
    { XLCFG_KIND_USBCTRL, "{\"devid\":9}", "usbctrl/9", "usbctrl/9", "" },
    { XLCFG_KIND_USBDEV, "{\"ctrl\":0,\"port\":1}", "usbdev/0.1",
      "usbdev/0.1", "" },
    { XLCFG_KIND_USBDEV, "{\"type.hostdev\":{\"hostbus\":1,\"hostaddr\":9}}",
      "usbdev/host/1.9", "usbdev/host/1.9", "usbdev/host/1.9" },
    { XLCFG_KIND_USBDEV, "{\"ctrl\":0,\"port\":0}", "", "", "" },
};

START_TEST(a_body_says_who_it_is)
{
    xlcfg_doc *doc = doc_of(bodies[_i].body);
    struct xlcfg_ident id;

    xlcfg__key_of(bodies[_i].kind, doc, &id);
    ck_assert_str_eq(id.key, bodies[_i].key);
    ck_assert_str_eq(id.match, bodies[_i].match);
    ck_assert_str_eq(id.alt, bodies[_i].alt);
    if (id.key[0]) {
        ck_assert_int_eq(xlcfg__key_kind(id.key), bodies[_i].kind);
        ck_assert_msg(xlcfg__key_is_possible(id.key), "%s", id.key);
    }
    xlcfg_doc_free(doc);
}
END_TEST

static const char *const impossible[] = {
    "disk/", "xvda", "nic/x", "nic/", "nic/-1", "nic/52-54", "nic/1x",
    "nic/00:16:3e:00:00", "nic/00:16:3e:00:00:0g", "nic/00:16:3e:00:00:00:00",
    "nic/00:16:3e:00:00:00.", "nic/00:16:3e:00:00:00.x", "pci/zz", "pci/3",
    "pci/0000:03:00.9", "usbdev/1", "usbdev/1.", "usbdev/.1", "usbdev/host/1",
    "vtpm/a", "usbctrl/0.1",
};

START_TEST(what_no_device_is_called_is_no_key)
{
    ck_assert(!xlcfg__key_is_possible(impossible[_i]));
}
END_TEST

START_TEST(what_is_no_key_has_no_kind)
{
    static const char *const none[] = { "", "disk", "disk/", "/xvda",
                                        "disks/xvda", "dis/xvda", "DISK/a" };

    for (int i = 0; i < COUNT(none); i++)
        ck_assert_int_eq(xlcfg__key_kind(none[i]), XLCFG_KINDS);
}
END_TEST

static const struct {
    const char *a, *b;
    bool same;
} keys[] = {
    { "disk/xvda", "disk/51712", true }, { "disk/xvda", "disk/d0", true },
    { "disk/xvda", "disk/0xca00", true }, { "disk/xvda", "disk/xvda1", false },
    { "disk/vda", "disk/vda", true }, { "disk/vda", "disk/vdb", false },
    { "disk/", "disk/", true }, { "disk/xvda", "nic/51712", false },
    { "pci/0000:03:00.0", "pci/3:0.0", true },
    { "pci/0000:03:00.0", "pci/1:03:00.0", false },
    { "pci/name/x", "pci/name/y", false },
    { "nic/0", "nic/00", true }, { "nic/0", "nic/", false },
    { "nic/10", "nic/010", true }, { "nic/1", "nic/01x", false },
    { "nic/00:16:3e:00:00:0a", "nic/00:16:3E:00:00:0A", true },
    { "vtpm/A", "vtpm/a", false }, { "x", "y", false },
};

START_TEST(a_key_may_be_written_in_several_ways)
{
    ck_assert_int_eq(xlcfg__key_same(keys[_i].a, keys[_i].b), keys[_i].same);
    ck_assert_int_eq(xlcfg__key_same(keys[_i].b, keys[_i].a), keys[_i].same);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("key");

    tcase_add_loop_test(tc, a_disk_name_is_a_number_and_back, 0,
                        COUNT(disks));
    tcase_add_test(tc, every_named_number_comes_back);
    tcase_add_loop_test(tc, a_pci_address_is_nothing_else, 0, COUNT(bdfs));
    tcase_add_loop_test(tc, a_body_says_who_it_is, 0, COUNT(bodies));
    tcase_add_test(tc, what_is_no_key_has_no_kind);
    tcase_add_loop_test(tc, what_no_device_is_called_is_no_key, 0,
                        COUNT(impossible));
    tcase_add_loop_test(tc, a_key_may_be_written_in_several_ways, 0,
                        COUNT(keys));
    return run_case("core/key", tc);
}
