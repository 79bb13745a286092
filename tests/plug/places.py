# SPDX-License-Identifier: LGPL-2.1-or-later
"""Addresses of devices that come again: numbers, USB ports, PCI slots."""
from host import with_sysfs
from kinds import same, test

TESTS = []


@test(into=TESTS)
def a_nic_has_its_number_again(b):
    def nic(n):
        return {"mac": f"00:16:3e:00:00:{n:02x}", "bridge": "xenbr0",
                "script": b.good}
    for n in range(3):
        same(b.attach(0, "nic", nic(n))["device"]["key"], f"nic/{n}")
    b.xlcfg(0, "detach", b.domid, "nic/1")
    b.xlcfg(0, "detach", b.domid, "nic/0")
    same(b.attach(0, "nic", nic(9))["device"]["key"], "nic/3")
    same(b.attach(0, "nic", nic(1))["device"]["key"], "nic/1")
    b.xlcfg(0, "detach", b.domid, "nic/2", "--reset-address")
    same(b.attach(0, "nic", nic(8))["device"]["key"], "nic/2")
    same(b.attach(0, "nic", nic(0))["device"]["key"], "nic/0")
    # asked for by its number it is given
    b.xlcfg(0, "detach", b.domid, "nic/3")
    same(b.attach(0, "nic", dict(nic(7), devid=3))["device"]["key"], "nic/3")


@test(into=TESTS)
@with_sysfs
def a_usb_device_has_its_port_again(b, bus):
    def usb(n):
        return {"type.hostdev": {"hostbus": 1, "hostaddr": n}}
    for n in range(2, 5):
        bus.usb(f"1-{n}", 1, n)
    b.attach(0, "usbctrl", {"type": "pv", "version": 2, "ports": 2})
    same(b.attach(0, "usbdev", usb(2))["device"]["key"], "usbdev/0.1")
    same(b.attach(0, "usbdev", usb(3))["device"]["key"], "usbdev/0.2")
    b.xlcfg(0, "detach", b.domid, "usbdev/0.1")
    error = b.attach(6, "usbdev", usb(4), "--unused-address")["error"]
    assert "kept for another: usbdev/0.1;" in error["message"], error
    same(b.attach(0, "usbdev", usb(2))["device"]["key"], "usbdev/0.1")
    b.xlcfg(0, "detach", b.domid, "usbdev/0.2")
    same(b.attach(0, "usbdev", usb(4))["device"]["key"], "usbdev/0.2")


@test(into=TESTS)
@with_sysfs
def a_pci_device_has_its_slot_again(b, bus):
    """What a PV guest is told of its slot, and what is asked of libxl."""
    def slot():
        return [d["address"].get("vdevfn")
                for d in b.xlcfg(0, "devices", b.domid)["devices"]]
    bus.pci("0000:03:00.0")
    b.attach(0, "pci", {"bus": 3, "vdevfn": 0x48})
    same(slot(), [0x48])
    b.xlcfg(0, "detach", b.domid, "pci/0000:03:00.0")
    same([(a["key"], a["held"], a["address"]) for a in
          b.xlcfg(0, "addresses", b.domid)["addresses"]],
         [("pci/0000:03:00.0", "kept", {"vdevfn": 0x48})])
    answer = b.xlcfg(0, "attach", b.domid, "pci", "-", "--dry-run",
                     body={"bus": 3})
    same(answer["device"]["body"]["vdevfn"], 0x48)
    # another is not left to QEMU to place, which knows nothing of it
    answer = b.xlcfg(0, "attach", b.domid, "pci", "-", "--dry-run",
                     body={"bus": 4})
    same(answer["device"]["body"]["vdevfn"], 31 << 3)
    b.attach(0, "pci", {"bus": 3})
    same(slot(), [0x48])
