# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is no plain device: a USB device in its port, a medium in its drive."""
import os
import subprocess

import sysfs
import world as worlds
from world import TOP, want

USBCTRL = {"devid": 0, "type": "pv", "version": 2, "ports": 4}


class UsbKind(worlds.Kind):
    """Its trace in xenstore is what stands in its port."""

    def entry(self, config):
        return next((entry for entry in config.get(self.array, [])
                     if entry.get("port") == 1), None)


class UsbWorld(worlds.World):
    """A guest with a controller; the host's device is of this world alone,
    for libxl gives none to two."""

    bus = None

    def config(self):
        return dict(super().config(), usbctrls=[USBCTRL])

    def __init__(self, number, domid):
        if not UsbWorld.bus:
            UsbWorld.bus = sysfs.Sysfs()
        UsbWorld.bus.usb(f"1-{number + 1}", 1, number + 2)
        super().__init__(number, domid)
        self.kind = UsbKind("usbdev/0.1", "usbdevs", "vusb", "vusb", 0, False,
                            {"type.hostdev": {"hostbus": 1,
                                              "hostaddr": number + 2}})
        # what is written to the drivers is a step as well
        self.killing["XLCFG_CRASH_ROOTS"] += ":/sys/bus"

    def port(self):
        return f"/local/domain/0/backend/vusb/{self.domid}/0/port/1"

    def live(self, kind):
        return "present" if self.store.read(self.port()) else "absent"

    def signature(self, kind):
        return (self.live(kind), kind.is_in(self.template()),
                tuple(self.intents()), self.store.read(self.port()))

    def forget(self, kind):
        self.store.write(self.port(), "")

    def end(self):
        if UsbWorld.bus:
            UsbWorld.bus.end()
            UsbWorld.bus = None


class MediumWorld(worlds.World):
    """An HVM guest, a QEMU that takes all it is told, and two media."""

    type = "hvm"

    def config(self):
        self.media = {}
        for name in ("old", "new"):
            self.media[name] = f"{self.folder}/{name}.iso"
            with open(self.media[name], "w", encoding="ascii"):
                pass
        self.drive = {"vdev": "hdc", "pdev_path": self.media["old"],
                      "backend": "qdisk", "format": "raw", "removable": 1,
                      "is_cdrom": 1}
        plain = super().config()
        return dict(plain, disks=plain["disks"] + [self.drive])

    def __init__(self, number, domid):
        super().__init__(number, domid)
        self.kind = worlds.Kind("disk/hdc", "disks", "vbd", "qdisk", 5632,
                                False, self.drive)
        self.qemu = subprocess.Popen(
            [os.path.join(TOP, "tests", "xenstore", "qmpd"), str(domid)],
            stdout=subprocess.PIPE, text=True)
        self.qemu.stdout.readline()

    def end(self):
        self.qemu.terminate()
        self.qemu.wait()
        self.qemu.stdout.close()

    def medium(self, path):
        """Which it is: old, new, empty, or what it is called."""
        return next((name for name, there in self.media.items()
                     if there == path), path or "empty")

    def in_config(self, kind, config):
        entry = kind.entry(config)
        return "no drive" if entry is None else \
            self.medium(entry.get("pdev_path"))

    def act(self, op, kind, killing=False):
        path = self.media["new" if op == "update" else "old"]
        return self.run("update", self.domid, kind.key, "-",
                        body={"pdev_path": path}, killing=killing)

    def live(self, kind):
        text = self.store.read(self.nodes(kind)[2] + "/params") or ""
        return self.medium(text.partition(":")[2])

    def signature(self, kind):
        return (self.live(kind), self.in_config(kind, self.template()),
                tuple(self.intents()))

    def start(self, kind):
        self.base = self.template()
        self.do("update", kind)
        self.do("restore", kind)

    def forget(self, kind):
        self.store.write(self.nodes(kind)[2] + "/params",
                         "aio:" + self.media["old"])

    def may_lack(self, live, line):
        """Ejected, and the other one not yet inserted."""
        return live == "empty" and line.startswith("disk/hdc: pdev_path: ")

    def check_get(self, kind):
        """The drive is there, with the medium that it has."""
        live, answer = self.at_rest(kind)
        state = next((d["state"] for d in answer["devices"]
                      if d["key"] == kind.key), "detached")
        want(state == "attached", f"get says that the drive is {state}")
        said = self.in_config(kind, answer["config"])
        want(said == live[0], f"get says {said}, and it is {live[0]}")
        return live[0]

    def check_settled(self, kind, since):
        """One of the two, and the template knows which."""
        self.settle_twice()
        live = self.check_get(kind)
        templated = self.in_config(kind, self.template())
        want(live in self.media and templated == live,
             f"settled, and it is {live}, in the template {templated}")
        return live

    def rest(self, kind, baseline):
        if self.live(kind) == "old":
            self.do("update", kind)
            want(self.check_get(kind) == "new", "updated, not new")
        self.do("restore", kind)
        want(self.check_get(kind) == "old", "restored, not old")
        self.check_clean(baseline)


NAMES = ["usbdev/attach", "usbdev/detach", "cdrom/update"]
MAKERS = {"usbdev": UsbWorld, "cdrom": MediumWorld}


def world_of(name, number):
    """The world of "KIND/OP", with the kind in it."""
    what = name.split("/")[0]
    world = MAKERS.get(what, worlds.World)(number, 100 + number)
    if what not in MAKERS:
        world.kind = worlds.KINDS[what]
    return world
