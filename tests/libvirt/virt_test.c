/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domain XML to configuration and back over a folder of domains, hostile
 * XML, and the driver against the drivers that are built into libvirt.
 *
 *     virt_test FOLDER
 */
#include "claim.h"
#include "driver/driver.h"
#include "driver/virt_tree.h"
#include "driver/virt_xml.h"

#include <dirent.h>
#include <libxml/c14n.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    ssize_t n = f ? getdelim(&text, &size, '\0', f) : -1;

    if (f)
        fclose(f);
    return n < 0 ? NULL : text;
}

static char *canonical(const char *xml)
{
    xmlChar *text = NULL;
    char *copy = NULL;
    xmlDocPtr doc;

    if (xlcfg__virt_parse(xml, strlen(xml), "domain", &doc, NULL))
        return NULL;
    if (xlcfg__virt_canon(xmlDocGetRootElement(doc)) &&
        xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 0, &text) >= 0)
        copy = strdup((const char *)text);
    xmlFree(text);
    xmlFreeDoc(doc);
    return copy;
}

/* ---- there and back ---- */

static void round_trip(const char *name, const char *xml)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *config = NULL, *again = NULL;
    char *back = NULL, *a = canonical(xml), *b;

    if (!claim(!xlcfg__virt_from_xml(xml, strlen(xml), &config, &err),
               "%s: is read %s %s", name, err.where, err.message))
        goto out;
    if (!claim(!xlcfg__virt_to_xml(config, &back, &err),
               "%s: is written %s %s", name, err.where, err.message))
        goto out;
    b = canonical(back);
    if (!claim(a && b && !strcmp(a, b), "%s: the XML is the same", name))
        printf("#  %s\n#  %s\n", a, b);
    free(b);
    claim(!xlcfg__virt_from_xml(back, strlen(back), &again, &err) &&
          xlcfg__doc_equal(config, again), "%s: a fixpoint", name);
out:
    xlcfg_doc_free(config);
    xlcfg_doc_free(again);
    free(back);
    free(a);
}

static void folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    int count = 0;

    while (d && (e = readdir(d))) {
        char file[512], *xml;

        if (*e->d_name == '.')
            continue;
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        xml = slurp(file);
        if (xml)
            round_trip(e->d_name, xml);
        count += xml != NULL;
        free(xml);
    }
    if (d)
        closedir(d);
    claim(count >= 10, "%d domains were read", count);
}

/* ---- what a configuration says, and what a changed one becomes ---- */

static xlcfg_doc *config_of(const char *folder_path, const char *name)
{
    char file[512], *xml;
    xlcfg_doc *config = NULL;

    snprintf(file, sizeof(file), "%s/%s.xml", folder_path, name);
    xml = slurp(file);
    if (xml && xlcfg__virt_from_xml(xml, strlen(xml), &config, NULL))
        config = NULL;
    free(xml);
    return config;
}

static void says(const char *dir, const char *name, const char *ptr,
                 const char *want)
{
    xlcfg_doc *config = config_of(dir, name);
    const char *have = xlcfg_doc_string(xlcfg_doc_pointer(config, ptr));

    claim(have && !strcmp(have, want), "%s%s is %s (%s)", name, ptr, want,
          have ? have : "nothing");
    xlcfg_doc_free(config);
}

static void fields(const char *dir)
{
    says(dir, "disks", "/c_info/name", "disks");
    says(dir, "disks", "/b_info/max_memkb", "65536");
    says(dir, "disks", "/disks/0/pdev_path", "/images/a & b.qcow2");
    says(dir, "disks", "/disks/0/format", "qcow2");
    says(dir, "disks", "/disks/1/readwrite", "0");
    says(dir, "disks", "/disks/1/pdev_path", "/dev/vg/lv");
    says(dir, "cdrom", "/disks/0/format", "empty");
    says(dir, "cdrom", "/disks/1/is_cdrom", "1");
    says(dir, "nics", "/nics/0/bridge", "br0");
    says(dir, "nics", "/nics/0/mtu", "9000");
    says(dir, "hostdevs", "/pcidevs/0/dev", "16");
    says(dir, "hostdevs", "/usbdevs/0/type.hostdev/hostaddr", "5");
    says(dir, "hostdevs", "/usbctrls/0/version", "3");
    says(dir, "graphics", "/vfbs/0/vnc/passwd", "secret");
    says(dir, "channels", "/channels/0/connection.socket/path", "/s.sock");
    says(dir, "strange", "/b_info/target_memkb", "32768");
}

/* The password has one place, and the verbatim element is not it. */
static void one_secret(const char *dir)
{
    xlcfg_doc *config = config_of(dir, "graphics");
    const char *text = xlcfg_doc_string(
        xlcfg_doc_pointer(config, "/vfbs/0/x-libvirt"));

    claim(text && !strstr(text, "secret"),
          "x-libvirt does not repeat the VNC password");
    xlcfg_doc_free(config);
}

static void nothing_of_a_run(const char *dir)
{
    static const char *const gone[] = {
        "id='7'", "id=\"7\"", "portid", "virbr0", "vnet3", "net0", "index=",
        "backingStore", "mirror", "tray", "pts", "serial0", "5900", "dac",
        "/machine",
    };
    xlcfg_doc *config = config_of(dir, "one-run");
    char *xml = NULL;

    if (!claim(config && !xlcfg__virt_to_xml(config, &xml, NULL),
               "one-run: is written"))
        return;
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        claim(!strstr(xml, gone[i]), "one-run: no %s", gone[i]);
    free(xml);
    xlcfg_doc_free(config);
}

static void written(const char *json, const char *want, int code)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *config = NULL;
    char *xml = NULL;
    int rc = xlcfg_doc_parse(json, strlen(json), &config, &err);

    if (!rc)
        rc = xlcfg__virt_to_xml(config, &xml, &err);
    claim(rc == code && (xml ? strstr(xml, want) != NULL
                         : !strncmp(err.where, want, strlen(want))),
          "%s gives %s (%d: %s %s)", json, want, rc, err.where, err.message);
    free(xml);
    xlcfg_doc_free(config);
}

static void changes(void)
{
    written("{\"c_info\":{\"name\":\"n\"},\"b_info\":{\"max_memkb\":1024}}",
            "<memory unit=\"KiB\">1024</memory>", 0);
    written("{\"disks\":[{\"vdev\":\"vdb\",\"pdev_path\":\"/x\"}]}",
            "<source file=\"/x\"/>", 0);
    written("{\"disks\":[{\"vdev\":\"vdb\",\"pdev_path\":\"/new\","
            "\"x-libvirt\":\"<disk type='file'><source file='/old'/>"
            "<target dev='vdb'/></disk>\"}]}", "file=\"/new\"", 0);
    written("{\"disks\":[{\"vdev\":\"sda\",\"format\":\"empty\","
            "\"x-libvirt\":\"<disk type='file' device='cdrom'><source "
            "file='/old'/><target dev='sda'/></disk>\"}]}",
            "device=\"cdrom\">\n      <target", 0);
    written("{\"pcidevs\":[{\"bus\":3,\"dev\":16,\"func\":2}]}",
            "bus=\"0x03\"", 0);
    written("{\"b_info\":{\"max_vcpus\":2,\"avail_vcpus\":[0,1]}}",
            ">2</vcpu>", 0);
    written("{\"b_info\":{\"max_memkb\":1024}}", "<acpi/>", 0);
}

static void bad_places(void)
{
    static const char *const bad[][2] = {
        { "{\"disks\":[{\"vdev\":\"vda\",\"pdev_path\":\"/a\"},"
          "{\"vdev\":\"vdb\","
          "\"colo_host\":\"h\"}]}", "/disks/1/colo_host" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"a/b~\":1}]}",
          "/disks/0/a~1b~0" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"pdev_path\":\"/\\u0001\"}]}",
          "/disks/0/pdev_path" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"pdev_path\":7}]}",
          "/disks/0/pdev_path" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"readwrite\":\"x\"}]}",
          "/disks/0/readwrite" },
        { "{\"disks\":[{\"vdev\":\"sda\",\"is_cdrom\":\"x\"}]}",
          "/disks/0/is_cdrom" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"backend\":17}]}",
          "/disks/0/backend" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"backend_domid\":{}}]}",
          "/disks/0/backend_domid" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"removable\":\"x\"}]}",
          "/disks/0/removable" },
        { "{\"nics\":[{\"mac\":\"00:16:3e:00:00:01\",\"nictype\":[]}]}",
          "/nics/0/nictype" },
        { "{\"channels\":[{\"name\":\"a\",\"connection.socket\":1}]}",
          "/channels/0/connection.socket" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"format\":\"zoo\"}]}",
          "/disks/0/format" },
        { "{\"disks\":[{\"vdev\":\"vda\",\"pdev_path\":\"/a\"},"
          "{\"vdev\":\"vdb\",\"format\":\"raw\"}]}",
          "/disks/1/pdev_path" },
        { "{\"disks\":[{\"vdev\":\"vda\",\"format\":\"empty\"}]}",
          "/disks/0/pdev_path" },
        { "{\"disks\":[{\"vdev\":\"sda\",\"is_cdrom\":1,"
          "\"readwrite\":1}]}", "/disks/0/readwrite" },
        { "{\"disks\":[7]}", "/disks/0" },
        { "{\"disks\":{}}", "/disks" },
        { "{\"nics\":[{\"mac\":\"00:16:3e:00:00:0g\"}]}",
          "/nics/0/mac" },
        { "{\"pcidevs\":[{\"bus\":-1}]}", "/pcidevs/0/bus" },
        { "{\"vfbs\":[{\"vnc\":{\"listen\":1}}]}", "/vfbs/0/vnc/listen" },
        { "{\"vtpms\":[{\"devid\":0}]}", "/vtpms/0" },
        { "{\"c_info\":{\"name\":\"a\\uffffb\"}}", "/c_info/name" },
        { "{\"c_info\":[1]}", "/c_info" },
        { "{\"b_info\":{\"kernel\":\"/k\"}}", "/b_info/kernel" },
        { "{\"b_info\":{\"max_memkb\":\"1\"}}", "/b_info/max_memkb" },
        { "{\"b_info\":{\"max_memkb\":0}}", "/b_info/max_memkb" },
        { "{\"b_info\":{\"max_memkb\":9,\"target_memkb\":10}}",
          "/b_info/target_memkb" },
        { "{\"b_info\":{\"max_memkb\":9,\"target_memkb\":0}}",
          "/b_info/target_memkb" },
        { "{\"b_info\":{\"max_vcpus\":2,\"avail_vcpus\":[1]}}",
          "/b_info/avail_vcpus" },
        { "{\"on_reboot\":1}", "/on_reboot" },
        { "{\"x-libvirt\":7}", "/x-libvirt" },
        { "{\"disks\":[{\"vdev\":\"vdb\",\"x-libvirt\":null}]}",
          "/disks/0/x-libvirt" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        written(bad[i][0], bad[i][1], XLCFG_ERROR_INVAL);
    written("{\"x-libvirt\":\"<dom\"}", "/x-libvirt: line 1",
            XLCFG_ERROR_PARSE);
    written("{\"disks\":[{\"x-libvirt\":\"<dis\"}]}",
            "/disks/0/x-libvirt: line 1", XLCFG_ERROR_PARSE);
}

/* What of a domain is left in its x-libvirt, and what has a body. */
static void stays(const char *what, const char *xml, const char *in_text,
                  const char *array)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *config = NULL;
    const char *text;

    if (!claim(!xlcfg__virt_from_xml(xml, strlen(xml), &config, &err),
               "%s: is read %s %s", what, err.where, err.message))
        return;
    text = xlcfg_doc_string(xlcfg_doc_get(config, "x-libvirt"));
    claim(text && (!in_text || strstr(text, in_text)) &&
          !xlcfg_doc_get(config, array), "%s: stays where it is (%s)", what,
          text);
    xlcfg_doc_free(config);
}

/* The wish of one who defines a guest is the run's own word elsewhere. */
static void wishes(void)
{
    stays("a network card without MAC",
          "<domain><devices><interface type='user'>"
          "<mac address='52:54:00:00:00:01'/></interface>"
          "<interface type='user'/></devices></domain>",
          "52:54:00:00:00:01", "nics");
    stays("a USB controller without index",
          "<domain><devices><controller type='usb' model='ich9-uhci1'/>"
          "<controller type='usb' model='ich9-ehci1'/></devices></domain>",
          "uhci1\"/><controller type=\"usb\" model=\"ich9-ehci1",
          "usbctrls");
    stays("a label to begin from",
          "<domain><seclabel type='dynamic' model='selinux'><baselabel>b"
          "</baselabel></seclabel></domain>", "<baselabel>b", "disks");
    stays("the same in a domain that runs",
          "<domain id='1'><seclabel type='dynamic' model='selinux'>"
          "<label>l</label><baselabel>b</baselabel><imagelabel>i"
          "</imagelabel></seclabel></domain>",
          "\"selinux\"><baselabel>b</baselabel></seclabel>", "disks");
    stays("a partition that somebody chose",
          "<domain><resource><partition>/machine</partition></resource>"
          "</domain>", "/machine", "disks");
}

/* A device of the seventh run of "guest", as it is shown. */
static const struct {
    const char *what, *runs, *shown;
} runs[] = {
    { "a network that leads to a bridge",
      "<interface type='bridge'><source network='n' portid='p' bridge='b'/>"
      "<target dev='vnet0'/></interface>",
      "<interface type=\"network\"><source network=\"n\"></source>"
      "</interface>" },
    { "a network that leads to a device",
      "<interface type='direct'><source network='n' portid='p' dev='e' "
      "mode='bridge'/><target dev='macvtap0'/></interface>",
      "<interface type=\"network\"><source network=\"n\"></source>"
      "</interface>" },
    { "a bridge",
      "<interface type='bridge'><source bridge='b'/></interface>",
      "<interface type=\"bridge\"><source bridge=\"b\"></source>"
      "</interface>" },
    { "a device that is somebody's",
      "<interface type='ethernet'><target dev='vnet7' managed='no'/>"
      "</interface>",
      "<interface type=\"ethernet\"><target dev=\"vnet7\" "
      "managed=\"no\"></target></interface>" },
    { "a transient disk",
      "<disk type='file'><driver name='qemu' type='qcow2'/>"
      "<source file='/d.TRANSIENT-guest' index='3'/>"
      "<backingStore type='file' index='1'><format type='raw'/>"
      "<source file='/d' index='1'/><backingStore/></backingStore>"
      "<target dev='vda'/><transient/></disk>",
      "<disk type=\"file\"><driver name=\"qemu\" type=\"raw\"></driver>"
      "<source file=\"/d\"></source><target dev=\"vda\"></target>"
      "<transient></transient></disk>" },
    { "a transient disk that has not begun",
      "<disk type='file'><driver name='qemu' type='qcow2'/>"
      "<source file='/d' index='1'/><target dev='vda'/><transient/></disk>",
      "<disk type=\"file\"><driver name=\"qemu\" type=\"qcow2\"></driver>"
      "<source file=\"/d\"></source><target dev=\"vda\"></target>"
      "<transient></transient></disk>" },
    { "a disk of a server",
      "<disk type='network'><driver type='raw'/><source protocol='nbd' "
      "name='x' tls='no'><host name='h'/></source><target dev='vda'/></disk>",
      "<disk type=\"network\"><driver type=\"raw\"></driver><source "
      "name=\"x\" protocol=\"nbd\"><host name=\"h\"></host></source>"
      "<target dev=\"vda\"></target></disk>" },
    { "one with TLS",
      "<disk type='network'><driver type='raw'/><source protocol='nbd' "
      "name='x' tls='yes'/><target dev='vda'/></disk>",
      "<disk type=\"network\"><driver type=\"raw\"></driver><source "
      "name=\"x\" protocol=\"nbd\" tls=\"yes\"></source>"
      "<target dev=\"vda\"></target></disk>" },
    { "a serial port of a socket",
      "<serial type='tcp'><source mode='bind' host='h' service='1' tls='no'/>"
      "<target port='0'/></serial>",
      "<serial type=\"tcp\"><source host=\"h\" mode=\"bind\" "
      "service=\"1\"></source><target port=\"0\"></target></serial>" },
    { "a channel's socket",
      "<channel type='unix'><source mode='bind' "
      "path='/x/channel/target/domain-7-guest/org.a'/>"
      "<target type='virtio' name='org.a' state='connected'/></channel>",
      "<channel type=\"unix\"><target name=\"org.a\" type=\"virtio\">"
      "</target></channel>" },
    { "a channel's socket where newer ones have it",
      "<channel type='unix'><source mode='bind' path='/r/channel/7-gue/org.a'/>"
      "<target type='virtio' name='org.a'/></channel>",
      "<channel type=\"unix\"><target name=\"org.a\" type=\"virtio\">"
      "</target></channel>" },
    { "a socket of another number",
      "<channel type='unix'><source mode='bind' path='/r/channel/1-guest/org.a'"
      "/><target type='virtio' name='org.a'/></channel>",
      "<channel type=\"unix\"><source mode=\"bind\" "
      "path=\"/r/channel/1-guest/org.a\"></source><target name=\"org.a\" "
      "type=\"virtio\"></target></channel>" },
    { "a socket of another name",
      "<channel type='unix'><source mode='bind' path='/r/channel/7-x/org.a'/>"
      "<target type='virtio' name='org.a'/></channel>",
      "<channel type=\"unix\"><source mode=\"bind\" "
      "path=\"/r/channel/7-x/org.a\"></source><target name=\"org.a\" "
      "type=\"virtio\"></target></channel>" },
    { "a screen on a socket",
      "<graphics type='vnc' socket='/q/domain-7-guest/vnc.sock'>"
      "<listen type='socket' socket='/q/domain-7-guest/vnc.sock'/></graphics>",
      "<graphics type=\"vnc\"><listen type=\"socket\"></listen></graphics>" },
    { "a screen on somebody's socket",
      "<graphics type='vnc' socket='/mine/vnc.sock'>"
      "<listen type='socket' socket='/mine/vnc.sock'/></graphics>",
      "<graphics socket=\"/mine/vnc.sock\" type=\"vnc\"><listen "
      "socket=\"/mine/vnc.sock\" type=\"socket\"></listen></graphics>" },
    { "a screen on a network",
      "<graphics type='vnc' port='5900' autoport='yes' listen='10.0.0.1'>"
      "<listen type='network' address='10.0.0.1' network='n'/></graphics>",
      "<graphics autoport=\"yes\" type=\"vnc\"><listen network=\"n\" "
      "type=\"network\"></listen></graphics>" },
    { "a screen on an address",
      "<graphics type='vnc' port='5900' listen='10.0.0.1'>"
      "<listen type='address' address='10.0.0.1'/></graphics>",
      "<graphics listen=\"10.0.0.1\" port=\"5900\" type=\"vnc\"><listen "
      "address=\"10.0.0.1\" type=\"address\"></listen></graphics>" },
};

static void of_a_run(void)
{
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        char *xml, *want, *have;

        if (asprintf(&xml, "<domain id='7'><name>guest</name><devices>%s"
                     "</devices></domain>", runs[i].runs) < 0 ||
            asprintf(&want, "<domain><name>guest</name><devices>%s</devices>"
                     "</domain>", runs[i].shown) < 0)
            exit(9);
        have = canonical(xml);
        claim(have && !strcmp(have, want), "%s: %s", runs[i].what, have);
        free(xml);
        free(want);
        free(have);
    }
}

/* ---- hostile and wrong XML ---- */

static void refused(const char *what, const char *xml, size_t len,
                    const char *line, const char *element)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *config = NULL;
    int rc = xlcfg__virt_from_xml(xml, len, &config, &err);

    claim(rc == XLCFG_ERROR_PARSE && strstr(err.where, line) &&
          strstr(err.where, element) && err.message[0] &&
          !strstr(err.where, "<>"),
          "refused: %s (%d, %s: %s)", what, rc, err.where, err.message);
    if (!rc)
        xlcfg_doc_free(config);
}

static void hostile(void)
{
    static const char bomb[] =
        "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>"
        "<!ENTITY c '&b;&b;&b;&b;'>]>\n<domain><name>&c;</name></domain>";
    static const char file[] =
        "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        "<domain><name>&x;</name></domain>";
    size_t size = XLCFG__XML_SIZE + 1;
    char *big = calloc(1, size + 1), *at = big;

    refused("an entity bomb", bomb, strlen(bomb), "line 1", "");
    refused("an outside entity", file, strlen(file), "line 1", "");
    memset(big, ' ', size);
    refused("too big", big, size, "line 1", "");
    at = stpcpy(at, "<domain>\n");
    for (int i = 0; i < 100; i++)
        at = stpcpy(at, "<a>");
    for (int i = 0; i < 100; i++)
        at = stpcpy(at, "</a>");
    at = stpcpy(at, "</domain>");
    refused("too deep", big, (size_t)(at - big), "line 2", "<a>");
    free(big);
}

static void wrong(void)
{
    static const struct {
        const char *what, *xml, *line, *element;
    } rows[] = {
        { "nothing", "", "line", "" },
        { "no XML", "hello", "line 1", "" },
        { "an open element", "<domain>\n<name>x</domain>", "line 2",
          "<name>" },
        { "another element", "<network/>", "line 1", "<network>" },
        { "a number that is none",
          "<domain>\n<vcpu>many</vcpu></domain>", "line 2", "<vcpu>" },
        { "an unknown unit",
          "<domain>\n<memory unit='stone'>1</memory></domain>", "line 2",
          "<memory>" },
        { "too much memory",
          "<domain>\n<memory unit='EiB'>99999999</memory></domain>",
          "line 2", "<memory>" },
        { "a disk without a target",
          "<domain><devices>\n\n<disk type='file'/></devices></domain>",
          "line 3", "<disk>" },
        { "a target twice",
          "<domain><devices>\n<disk><target dev='vda'/></disk>\n"
          "<disk><target dev='vda'/></disk></devices></domain>", "line 3",
          "<disk>" },
        { "an alias twice",
          "<domain><devices>\n<disk><target dev='vda'/><alias name='ua-a'/>"
          "</disk>\n<rng><alias name='ua-a'/></rng></devices></domain>",
          "line 3", "<rng>" },
        { "a USB controller twice",
          "<domain><devices>\n<controller type='usb' index='0'/>\n"
          "<controller type='usb' index='0'/></devices></domain>",
          "line 3", "<controller>" },
        { "a PCI address that is none",
          "<domain><devices>\n<hostdev type='pci'><source><address "
          "bus='zz'/></source></hostdev></devices></domain>", "line 2",
          "<hostdev>" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(rows[i].what, rows[i].xml, strlen(rows[i].xml),
                rows[i].line, rows[i].element);
}

static void one_device(void)
{
    static const char disk[] = "<disk type='file'><target dev='vdz'/></disk>";
    static const char sound[] = "<sound model='ich9'/>";
    enum xlcfg_kind kind = XLCFG_KINDS;
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *body = NULL;

    claim(!xlcfg__virt_device_from_xml(disk, strlen(disk), &kind, &body,
                                       &err) && kind == XLCFG_KIND_DISK,
          "a device is read %s", err.message);
    xlcfg_doc_free(body);
    claim(xlcfg__virt_device_from_xml(sound, strlen(sound), &kind, &body,
                                      &err) == XLCFG_ERROR_NI,
          "a device that libxl has no kind for: %s", err.message);
}

/* ---- the driver ---- */

static const struct xlcfg_driver_options options = { .deadline_ms = 3000 };

static void no_backend(void)
{
    struct xlcfg_conn *conn;
    xlcfg_error err = XLCFG_ERROR_INIT;

    claim(xlcfg__conn_open("qemu+unix:///system?socket=/nowhere/sock",
                           &options, &conn, &err) ==
          XLCFG_ERROR_UNREACHABLE && strstr(err.message, "/nowhere/sock"),
          "no daemon: %s", err.message);
    claim(xlcfg__conn_open("gopher://x", &options, &conn, &err) ==
          XLCFG_ERROR_INVAL, "not a libvirt URI: %s", err.message);
}

static void look(struct xlcfg_conn *conn, const char *name, size_t devices)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_domain dom = { .domid = -1 }, same = { .domid = -1 };
    struct xlcfg_view view;
    xlcfg_doc *stored = NULL;
    char *index = NULL, why[200] = "";
    bool ok;

    xlcfg__view_init(&view);
    if (!claim(!conn->drv.find(conn->handle, name, &dom, &err),
               "%s is found %s", name, err.message))
        return;
    claim(!conn->drv.find(conn->handle, dom.uuid, &same, &err) &&
          !strcmp(same.name, dom.name), "... by its uuid too");
    ok = !conn->drv.live(conn->handle, &dom, &view, &err);
    claim(ok && view.count == devices && !view.unknown.count &&
          view.sees[XLCFG_KIND_DISK],
          "... with %zu devices (%zu) %s%s", devices, view.count,
          err.message, view.unknown.count
          ? xlcfg_doc_string(view.unknown.v[0]) : "");
    claim(!conn->drv.index(conn->handle, &dom, &index, &err) &&
          strlen(index) == 64, "... an index %s", index ? index : "");
    claim(!conn->drv.stored(conn->handle, &dom, &stored, &err) &&
          !strcmp(xlcfg_doc_string(xlcfg_doc_pointer(stored,
                                                     "/c_info/name")),
                  name), "... and what is kept %s", err.message);
    claim(!conn->drv.can(conn->handle, XLCFG_KIND_DISK, XLCFG_ACT_SNAPSHOT,
                         why, sizeof(why)) && why[0], "... cannot: %s", why);
    free(index);
    xlcfg_doc_free(stored);
    xlcfg__view_dispose(&view);
    xlcfg__domain_dispose(&dom);
    xlcfg__domain_dispose(&same);
}

static void test_driver(void)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_domains list = { 0 };
    struct xlcfg_domain dom = { .domid = -1 };
    struct xlcfg_conn *conn;

    if (!claim(!xlcfg__conn_open("test:///default", &options, &conn, &err),
               "test:///default opens %s", err.message))
        return;
    claim(!conn->drv.list(conn->handle, &list, &err) && list.count == 1 &&
          !strcmp(list.v[0].state, "running"), "one running domain");
    xlcfg__domains_dispose(&list);
    claim(!conn->drv.find(conn->handle, "1", &dom, &err) && dom.domid == 1,
          "found by its id");
    xlcfg__domain_dispose(&dom);
    claim(conn->drv.find(conn->handle, "nobody", &dom, &err) ==
          XLCFG_ERROR_DOMAIN_NOTFOUND, "nobody: %s", err.message);
    look(conn, "test", 2);
    xlcfg__conn_free(conn);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: virt_test FOLDER\n");
        return 2;
    }
    folder(argv[1]);
    fields(argv[1]);
    one_secret(argv[1]);
    nothing_of_a_run(argv[1]);
    changes();
    bad_places();
    wishes();
    of_a_run();
    hostile();
    wrong();
    one_device();
    no_backend();
    test_driver();
    return claims();
}
