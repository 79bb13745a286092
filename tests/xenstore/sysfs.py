# SPDX-License-Identifier: LGPL-2.1-or-later
"""A /sys/bus of the test's own: PCI and USB devices for libxl to find.

    bus = Sysfs()               over the real one, in this mount namespace
    bus.pci("0000:03:00.0")     bound to pciback: assignable
    bus.usb("1-1", 1, 2)

Nothing acts on what is written there; `written` tells what was.
"""
import os
import subprocess

ROOT = "/sys/bus"


class Sysfs:
    def __init__(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "sysfs",
                        ROOT], check=True)
        for driver in ("pci/drivers/pciback", "usb/drivers/usbback",
                       "usb/drivers/usbhid"):
            for name in ("bind", "unbind"):
                self._file(f"{driver}/{name}")
        os.makedirs(f"{ROOT}/pci/devices")
        os.makedirs(f"{ROOT}/usb/devices")

    def _file(self, name, text=""):
        path = f"{ROOT}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def pci(self, bdf):
        device = f"pci/devices/{bdf}"
        for name, text in (("irq", "0\n"), ("vendor", "0x1af4\n"),
                           ("device", "0x1005\n"), ("class", "0x00ff00\n"),
                           ("reset", ""),
                           ("resource", "0x0 0x0 0x0\n" * 13)):
            self._file(f"{device}/{name}", text)
        os.symlink("../../drivers/pciback", f"{ROOT}/{device}/driver")
        os.symlink(f"../../devices/{bdf}",
                   f"{ROOT}/pci/drivers/pciback/{bdf}")

    def usb(self, busid, bus, addr):
        device = f"usb/devices/{busid}"
        for name, text in (("busnum", f"{bus}\n"), ("devnum", f"{addr}\n"),
                           ("bDeviceClass", "00\n"), ("idVendor", "0627\n"),
                           ("idProduct", "0001\n")):
            self._file(f"{device}/{name}", text)
        os.makedirs(f"{ROOT}/{device}:1.0")
        os.symlink("../../drivers/usbhid", f"{ROOT}/{device}:1.0/driver")

    def written(self, name):
        with open(f"{ROOT}/{name}", encoding="ascii") as file:
            return file.read()

    def end(self):
        subprocess.run(["umount", "-l", ROOT], check=True)
