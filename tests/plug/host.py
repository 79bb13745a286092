# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices of the host: USB and PCI, on a sysfs of the test's own."""
import os

import sysfs
from kinds import same, test

TESTS = []
BDF = "0000:03:00.0"
PCI = {"bus": 3}
USB = {"type.hostdev": {"hostbus": 1, "hostaddr": 2}}


def with_sysfs(function):
    def run(b):
        bus = sysfs.Sysfs()
        try:
            function(b, bus)
        finally:
            bus.end()
    run.__name__ = function.__name__
    return run


def marked(b):
    return b.store.read("/libxl/pci/0000-03-00-0/domid")


def assigned(b):
    return [n for n in os.listdir(b.folder) if n.startswith("assigned")]


def usbdev(b, port, ctrl=0, kind="vusb"):
    return b.store.read(f"/local/domain/0/backend/{kind}/{b.domid}/{ctrl}"
                        f"/port/{port}")


@test(into=TESTS)
@with_sysfs
def a_pci_device_comes_and_goes(b, bus):
    b.attach(6, "pci", PCI)             # not assignable
    same((b.states(), b.template("pcidevs"), marked(b)), ({}, [], None))
    bus.pci(BDF)
    answer = b.attach(0, "pci", PCI)["device"]
    same((answer["key"], answer["state"]), (f"pci/{BDF}", "attached"))
    same([entry["bus"] for entry in b.template("pcidevs")], [3])
    same((marked(b), len(assigned(b))), (str(b.domid), 1))
    b.attach(6, "pci", PCI)
    b.xlcfg(0, "detach", b.domid, f"pci/{BDF}")
    same((b.states(), b.template("pcidevs")), ({}, []))
    same((marked(b), assigned(b)), (None, []))


@test(into=TESTS)
@with_sysfs
def a_guest_holds_on_to_a_pci_device(b, bus):
    bus.pci(BDF)
    b.attach(0, "pci", PCI)
    b.wait(lambda: b.back("pci", 0, "state") == "4")
    b.set_knobs(f"pci/{b.domid}/* refuse\n")
    b.xlcfg(5, "detach", b.domid, f"pci/{BDF}")
    same(b.states(), {f"pci/{BDF}": "detaching"})
    same(len(b.template("pcidevs")), 1)
    # it lets go, and the unplug goes on
    b.set_knobs("")
    b.store.write(f"/local/domain/0/backend/pci/{b.domid}/0/state", "4")
    b.xlcfg(0, "settle", b.domid)
    same((b.states(), b.template("pcidevs")), ({}, []))
    same((marked(b), assigned(b)), (None, []))


@test(into=TESTS)
@with_sysfs
def a_pci_device_without_an_iommu_is_taken_back(b, bus):
    bus.pci(BDF)
    flag = f"{b.folder}/no-iommu"
    with open(flag, "w", encoding="ascii"):
        pass
    try:
        error = b.attach(6, "pci", PCI)["error"]
    finally:
        os.unlink(flag)
    assert "xc_assign_device failed" in error["message"], error
    same((b.states(), b.template("pcidevs")), ({}, []))
    same((marked(b), assigned(b)), (None, []))


@test(into=TESTS)
@with_sysfs
def a_usb_device_comes_and_goes(b, bus):
    bus.usb("1-1", 1, 2)
    bus.usb("1-2", 1, 3)
    error = b.attach(2, "usbdev", USB)["error"]
    assert "usbctrl" in error["message"], error
    b.attach(2, "usbdev", {"type.hostdev": {"hostbus": 1}})
    b.attach(0, "usbctrl", {"type": "pv", "version": 2, "ports": 2})
    answer = b.attach(0, "usbdev", USB)["device"]
    same((answer["key"], answer["state"]), ("usbdev/0.1", "attached"))
    same(usbdev(b, 1), "1-1")
    same(len(b.template("usbdevs")), 1)
    same(bus.written("usb/drivers/usbback/bind"), "1-1:1.0")
    b.attach(6, "usbdev", USB)          # it has that already
    other = {"type.hostdev": {"hostbus": 1, "hostaddr": 3}}
    same(b.attach(0, "usbdev", other)["device"]["key"], "usbdev/0.2")
    b.attach(2, "usbdev", {"type.hostdev": {"hostbus": 1, "hostaddr": 9}})
    # the controller is not taken from under them
    error = b.xlcfg(6, "detach", b.domid, "usbctrl/0")["error"]
    assert "2 of its ports" in error["message"], error
    same(b.states()["usbctrl/0"], "refused")
    same(len(b.template("usbctrls")), 1)
    for port in (1, 2):
        b.xlcfg(0, "detach", b.domid, f"usbdev/0.{port}")
        same(usbdev(b, port), "")
    same(b.template("usbdevs"), [])
    b.xlcfg(0, "detach", b.domid, "usbctrl/0")
    same((b.states(), b.template("usbctrls")), ({}, []))


@test(into=TESTS)
@with_sysfs
def a_usb_device_that_is_not_there_is_taken_back(b, bus):
    del bus
    b.attach(0, "usbctrl", {"type": "pv", "version": 2, "ports": 2})
    b.attach(6, "usbdev", USB)
    same(b.states(), {"usbctrl/0": "attached"})
    same((b.template("usbdevs"), usbdev(b, 1)), ([], ""))
