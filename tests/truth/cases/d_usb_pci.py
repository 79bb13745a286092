# SPDX-License-Identifier: LGPL-2.1-or-later
"""D, F: USB controllers and devices, PCI devices."""
from bench import NOT_THERE, Right, case

CTRL = {"devid": 0, "type": "qusb", "version": 2, "ports": 4}
EMULATED = dict(CTRL, type="devicemodel")
DEVICE = {"ctrl": 0, "port": 1, "type.hostdev": {"hostbus": 1,
                                                 "hostaddr": 2}}


@case("D1", "an emulated controller: no backend, by design")
def emulated(t):
    t.hvm({"usbctrls": [EMULATED]})
    return Right({"usbctrl/0"},
                 states={"usbctrl/0": ("attached", "attaching", "unknown")})


@case("D2", "QEMU refused the controller; its template entry stays")
def emulated_refused(t):
    dom = t.hvm({"usbctrls": [EMULATED]})
    dom.devices["usbctrls", 0].forget("lib")
    return Right(states={"usbctrl/0": NOT_THERE})


@case("D3", "a USB device in its port (D3, D5)", libxl="wrong")
def in_port(t):
    t.domain({"usbctrls": [CTRL], "usbdevs": [DEVICE]})
    return Right({"usbctrl/0", "usbdev/0.1"})


@case("D3c", "the same among hundreds of ports that are none", libxl="wrong")
def in_port_among_many(t):
    dom = t.domain({"usbctrls": [CTRL], "usbdevs": [DEVICE]})
    dom.devices["usbctrls", 0].set(**{f"port/{n}": "9-9"
                                      for n in range(256, 600)})
    return Right({"usbctrl/0", "usbdev/0.1"})


@case("D3b", "a USB device in the port of an emulated controller",
      libxl="wrong")
def in_emulated_port(t):
    t.hvm({"usbctrls": [EMULATED], "usbdevs": [DEVICE]})
    return Right({"usbctrl/0", "usbdev/0.1"})


@case("D4", "a USB device that failed or was taken out: its port is empty "
      "(D4, D6)")
def port_empty(t):
    dom = t.domain({"usbctrls": [CTRL], "usbdevs": [DEVICE]})
    dom.devices["usbctrls", 0].set(**{"port/1": ""})
    return Right({"usbctrl/0"}, states={"usbdev/0.1": NOT_THERE})


@case("D4b", "the same, configured without a port", libxl="wrong")
def placeless_ghost(t):
    dom = t.domain({"usbctrls": [CTRL]})
    body = {"type.hostdev": {"hostbus": 1, "hostaddr": 2}}
    dom.write_template(dom.config({"usbctrls": [CTRL], "usbdevs": [body]}))
    return Right({"usbctrl/0"})


@case("D7", "a second controller, by libxl itself")
def second_controller(t):
    dom = t.domain({"usbctrls": [CTRL]})
    dom.device_model()
    t.attach(dom, "usbctrl", {"type": "qusb", "version": 2, "ports": 2})
    return Right({"usbctrl/0", "usbctrl/1"},
                 states={"usbctrl/1": ("attached", "attaching")})


def pci(bus, **more):
    return dict({"bus": bus, "domain": 0, "dev": 0, "func": 0}, **more)


BDF = "0000:%02x:00.0"


def mark(t, dom, bdf, value=True):
    path = "/libxl/pci/" + bdf.replace(":", "-").replace(".", "-")
    if value:
        t.store.write(path + "/domid", dom.domid)
        t.undo.append(lambda: t.store.rm(path))
    else:
        t.store.rm(path)


def with_pci(t, *buses, **more):
    dom = t.domain({"pcidevs": [pci(bus) for bus in buses]}, **more)
    for bus in buses:
        mark(t, dom, BDF % bus)
    t.undo.append(lambda: t.store.rm("/libxl/pci"))
    return dom, f"/local/domain/0/backend/pci/{dom.domid}/0"


@case("F0", "two PCI devices")
def two_pci(t):
    with_pci(t, 3, 4)
    return Right({"pci/0000:03:00.0", "pci/0000:04:00.0"})


@case("F1", "killed after the mark: assigned to nobody yet (F1 to F3)")
def only_marked(t):
    dom, _ = with_pci(t, 3)
    mark(t, dom, BDF % 9)
    return Right({"pci/0000:03:00.0"}, states={
        "pci/0000:09:00.0": NOT_THERE + ("leaked", "failed", "unknown",
                                         "attaching")})


@case("F4", "in the template, the commit failed")
def only_in_template(t):
    dom, _ = with_pci(t, 3)
    dom.write_template(dom.config({"pcidevs": [pci(3), pci(4)]}))
    return Right({"pci/0000:03:00.0"},
                 states={"pci/0000:04:00.0": NOT_THERE})


@case("F5", "two concurrent adds: one lost its slot", libxl="wrong")
def slot_lost(t):
    dom, _ = with_pci(t, 3)
    dom.write_template(dom.config({"pcidevs": [pci(3), pci(4)]}))
    mark(t, dom, BDF % 4)
    return Right({"pci/0000:03:00.0", "pci/0000:04:00.0"}, states={
        "pci/0000:04:00.0": ("attached", "attaching", "unknown")})


@case("F6", "killed in an unplug: QEMU's side is gone, no trace of it here")
def unplug_invisible(t):
    with_pci(t, 3)
    return Right({"pci/0000:03:00.0"})


@case("F7", "an unplug that failed and was called success", libxl="wrong")
def unplug_failed(t):
    dom, back = with_pci(t, 3, 4)
    t.store.write(back + "/state-1", 5)
    t.store.write(back + "/state", 7)
    mark(t, dom, BDF % 4, False)
    return Right({"pci/0000:03:00.0"},
                 states={"pci/0000:04:00.0": "detaching"})


@case("F8", "a guest with a stubdomain: the slots are the stubdomain's",
      libxl="wrong")
def stubdomain(t):
    dom = t.domain(kind="hvm")
    t.qemu(dom)
    stub = t.domain(name=f"{dom.name}-dm")
    t.store.write(stub.path + "/target", dom.domid)
    t.store.write(dom.path + "/image/device-model-domid", stub.domid)
    t.store.write(f"/libxl/{dom.domid}/stubdom-id", stub.domid)
    dom.write_template(dom.config({"pcidevs": [pci(3)]}))
    dom.pci([BDF % 3, BDF % 4], guest=stub.domid)
    t.undo.append(lambda: t.store.rm("/libxl/pci"))
    return Right({"pci/0000:03:00.0", "pci/0000:04:00.0"},
                 states={"pci/0000:04:00.0": "foreign"})


@case("F9", "vfunc_mask ALL: only one function has a slot", libxl="wrong")
def functions(t):
    dom = t.domain()
    dom.write_template(dom.config({"pcidevs": [pci(3, vfunc_mask=255)]}))
    dom.pci(["0000:03:00.1"])
    mark(t, dom, "0000:03:00.1", False)
    mark(t, dom, "0000:03:00.0")
    t.undo.append(lambda: t.store.rm("/libxl/pci"))
    return Right({"pci/0000:03:00.0"}, may={"pci/0000:03:00.1"}, states={
        "pci/0000:03:00.0": ("attached", "unknown", "attaching")})


@case("F10", "a PCI device configured by its name", libxl="wrong")
def by_name(t):
    dom = t.domain()
    dom.write_template(dom.config({"pcidevs": [{"name": "card1"}]}))
    back = dom.pci([BDF % 3])
    t.store.write(back + "/name-0", "card1")
    t.store.write("/libxl/pci/0000-03-00-0/name", "card1")
    t.undo.append(lambda: t.store.rm("/libxl/pci"))
    return Right({"pci/0000:03:00.0"})


@case("F11", "a PCI slot without its address", libxl="crash")
def slot_without_address(t):
    dom = t.domain({"disks": [t.disk("xvda")], "pcidevs": [pci(3)]})
    t.store.rm(f"/local/domain/0/backend/pci/{dom.domid}/0/dev-0")
    t.undo.append(lambda: t.store.rm("/libxl/pci"))
    return Right({"disk/xvda", "pci/0000:03:00.0"}, states={
        "pci/0000:03:00.0": ("attached", "unknown")})


@case("F11b", "a PCI slot with no trace of whose it is", libxl="wrong")
def slot_of_nobody(t):
    dom = t.domain({"disks": [t.disk("xvda")], "pcidevs": [pci(3)]})
    for key in ("dev-0", "key-0"):
        t.store.rm(f"/local/domain/0/backend/pci/{dom.domid}/0/{key}")
        t.store.write(f"/local/domain/0/backend/pci/{dom.domid}/0/{key}", "?")
    t.store.rm("/libxl/pci")
    return Right({"disk/xvda", "pci/0000:03:00.0"}, states={
        "pci/0000:03:00.0": "unknown"}, complete=False)


@case("F12", "a controller without its type", libxl="crash")
def controller_without_type(t):
    dom = t.domain({"disks": [t.disk("xvda")], "usbctrls": [CTRL]})
    dom.devices["usbctrls", 0].set_lib("type", None)
    return Right({"disk/xvda", "usbctrl/0"})
