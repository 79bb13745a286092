# SPDX-License-Identifier: LGPL-2.1-or-later
"""J: damage, races, and backends that do not answer."""
import fcntl
import json
import os
import subprocess
import threading
import time

import bench
from bench import NOT_THERE, Right, case

BOTH = ("attached", "foreign")


def damaged(t, data, **more):
    dom = t.domain({"disks": [t.disk("xvda")]}, **more)
    dom.write_template(data)
    return dom


def rebuilt(**more):
    return Right({"disk/xvda"}, states={"disk/xvda": "foreign"},
                 complete=False, **more)


def whole_text(t, dom):
    return json.dumps(dom.config({"disks": [t.disk("xvda")]})).encode()


@case("J1", "the template is empty", libxl="error")
def zero_length(t):
    damaged(t, b"")
    return rebuilt()


@case("J2", "the template is cut off", libxl="error")
def truncated(t):
    dom = damaged(t, b"")
    text = whole_text(t, dom)
    dom.write_template(text[:len(text) // 2])
    return rebuilt()


@case("J3", "the template is full of NULs", libxl="error")
def nuls(t):
    damaged(t, bytes(600))
    return rebuilt()


for number, text in (("J4a", b"{}"), ("J4b", b"[]"), ("J4c", b"5")):
    @case(number, f"the template is {text.decode()}", libxl="crash")
    def not_an_object(t, text=text):
        damaged(t, text + b"\0")
        return rebuilt()


@case("J5", "a word of a newer libxl in the template", libxl="error")
def newer_word(t):
    dom = damaged(t, b"")
    dom.write_template(dom.config({"disks": [t.disk("xvda")],
                                   "on_crash": "do-something-new"}))
    return Right({"disk/xvda"}, states={"disk/xvda": BOTH})


@case("J5b", "words and numbers that none of libxl's members takes",
      libxl="error")
def bad_values(t):
    dom = t.domain({"disks": [t.disk("xvda")], "nics": [t.nic(0)]})
    config = dom.config({"disks": [t.disk("xvda")], "nics": [t.nic(0)],
                         "on_reboot": "zzz", "on_poweroff": 77})
    config["b_info"]["max_vcpus"] = float("1e30")
    config["b_info"]["avail_vcpus"] = [0, {"no": "number"}]
    config["nics"][0]["mac"] = 5
    config["nics"][0]["mtu"] = 1 << 64
    dom.write_template(config)
    return Right({"disk/xvda", "nic/0"}, complete=False,
                 unknown=("/on_reboot", "/on_poweroff", "/b_info/max_vcpus",
                          "/b_info/avail_vcpus/1",
                          "/nics/0/mac", "/nics/0/mtu"),
                 fields={"nic/0": {"mac": t.nic(0)["mac"]}})


@case("J5c", "a guest of one type with the parameters of another",
      libxl="crash")
def two_types(t):
    dom = damaged(t, b"")
    config = dom.config({"disks": [t.disk("xvda")]})
    config["b_info"]["type.hvm"] = {"bios": "seabios"}
    dom.write_template(config)
    return Right({"disk/xvda"}, complete=False, unknown=("type.hvm",))


@case("J6", "`disks` is an object", libxl="wrong")
def wrong_type(t):
    dom = damaged(t, b"")
    dom.write_template(dom.config({"disks": {}}))
    return Right({"disk/xvda"}, states={"disk/xvda": "foreign"},
                 unknown=("disks",), complete=False)


@case("J7", "a disk without its name", libxl="crash")
def nameless_disk(t):
    dom = damaged(t, b"")
    body = t.disk("xvda")
    other = t.disk("xvdb")
    del other["vdev"]
    dom.write_template(dom.config({"disks": [other, body]}))
    return Right({"disk/xvda"})


@case("J8", "one nic twice in the template", libxl="wrong")
def duplicate(t):
    dom = t.domain({"nics": [t.nic(0)]})
    dom.write_template(dom.config(
        {"nics": [t.nic(0), t.nic(0, mac="00:16:3e:ff:ff:ff")]}))
    return Right({"nic/0"}, fields={"nic/0": {"mac": "00:16:3e:00:00:00"}})


@case("J9", "unknown members are kept", libxl="wrong")
def unknown_members(t):
    dom = t.domain({"disks": [t.disk("xvda")]})
    dom.write_template(dom.config({
        "disks": [t.disk("xvda", x_new="kept")],
        "b_info": {"x_newer": 7}}))
    return Right({"disk/xvda"}, fields={"disk/xvda": {"x_new": "kept"}},
                 scalars={"/b_info/x_newer": 7})


for key in ("type", "dev", "removable", "mode", "device-type"):
    @case("J10", f"a disk's entry lacks `{key}`", libxl="wrong")
    def lacks_a_key(t, key=key):
        dom = t.domain({"disks": [t.disk("xvda"), t.disk("xvdb")]})
        dom.devices["disks", 1].set_lib(key, None)
        return Right({"disk/xvda", "disk/xvdb"}, states={
            "disk/xvdb": ("attached", "unknown")})


@case("J11", "a vtpm domain wrote a bad uuid", libxl="wrong")
def bad_uuid(t):
    dom = t.domain({"vtpms": [t.vtpm(0), t.vtpm(1)]})
    dom.devices["vtpms", 1].set(uuid="no uuid")
    return Right({"vtpm/0", "vtpm/1"},
                 fields={"vtpm/1": {"uuid": t.vtpm(1)["uuid"]}})


@case("J12", "the guest wrote bad sound formats", libxl="wrong")
def bad_formats(t):
    dom = t.domain({"vsnds": [{"devid": 0, "short_name": "card"}]})
    front = dom.devices["vsnds", 0].front
    t.store.write(front + "/sample-formats", "no,such,format")
    return Right({"vsnd/0"},
                 fields={"vsnd/0": {"short_name": "card"}})


@case("J13", "a virtio disk beside a vbd", libxl="wrong")
def virtio_beside(t):
    virtio = t.disk("xvdb", backend="standalone", specification="virtio",
                    transport="mmio", script=None, irq=40, base=33554432)
    dom = t.domain({"disks": [t.disk("xvda")]})
    dom.write_template(dom.config({"disks": [t.disk("xvda"), virtio]}))
    back, devid, keys, front = bench.domains.disk_keys(virtio)
    keys.update({"type": "standalone", "specification": "virtio",
                 "transport": "mmio", "irq": 40, "base": 33554432})
    bench.domains.Device(dom, "virtio_disk", "virtio_disk", devid).lay_out(
        keys, front)
    return Right({"disk/xvda", "disk/xvdb"})


@case("J14", "an HVM guest whose dm-version is missing", libxl="crash")
def no_dm_version(t):
    dom = t.hvm({"disks": [t.disk("xvda")]})
    t.store.write(f"/libxl/{dom.domid}/dm-version", "other")
    return Right({"disk/xvda"})


@case("J15", "the QEMU of an HVM guest is dead", libxl="error")
def qemu_dead(t):
    t.domain({"disks": [t.disk("xvda")]}, kind="hvm", vcpus=2, online=1)
    return Right({"disk/xvda"}, scalars={"/b_info/avail_vcpus": [0]})


@case("J16", "the QEMU of an HVM guest hangs", libxl="timeout")
def qemu_hung(t):
    t.hvm({"disks": [t.disk("xvda")]}, mode="hung")
    return Right({"disk/xvda"}, seconds=3)


@case("J17", "a stopped process holds the template's lock",
      libxl="timeout")
def lock_held(t):
    dom = t.domain({"disks": [t.disk("xvda")]})
    path = dom.template_path.replace("userdata-d", "userdata-l").replace(
        "libxl-json", "domain-userdata-lock")
    file = open(path, "w", encoding="ascii")
    fcntl.flock(file, fcntl.LOCK_EX)
    t.undo.append(file.close)
    return Right({"disk/xvda"}, seconds=3)


@case("J18", "/var/lib/xen is read-only", libxl="error")
def read_only(t):
    t.domain({"disks": [t.disk("xvda")]})
    subprocess.run(["mount", "-o", "remount,ro", "/var/lib/xen"], check=True)
    t.undo.append(lambda: subprocess.run(
        ["mount", "-o", "remount,rw", "/var/lib/xen"], check=True))
    return Right({"disk/xvda"})


@case("J19", "/var/lib/xen is full")
def full(t):
    dom = t.domain({"disks": [t.disk("xvda")]})
    subprocess.run(["mount", "-o", "remount,size=64k", "/var/lib/xen"],
                   check=True)
    filler = "/var/lib/xen/filler"

    def empty():
        os.unlink(filler)
        subprocess.run(["mount", "-o", "remount,size=50%", "/var/lib/xen"],
                       check=True)
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    t.undo.append(empty)
    if os.path.getsize(dom.template_path) == 0:
        raise RuntimeError("the template did not survive")
    return Right({"disk/xvda"})


@case("J20", "a disk is attached while the answer is being made",
      libxl="wrong")
def attach_meanwhile(t):
    dom = t.hvm({"disks": [t.disk("xvda")]}, mode="slow=0.5")
    early = []
    thread = threading.Thread(target=lambda: early.append(
        (bench.ask_ours(dom.domid), time.monotonic())))
    with subprocess.Popen(["stock", "-t", "10", "retrieve",
                           str(dom.domid)], stdout=subprocess.PIPE,
                          text=True) as reader:
        time.sleep(0.3)                 # it waits for QEMU now
        thread.start()
        t.attach(dom, "disk", t.disk("xvdb"))
        done = time.monotonic()
        text = reader.communicate()[0]
    thread.join()
    t.wait_node(f"/local/domain/0/backend/vbd/{dom.domid}/51728/state", "4")
    # Ours may have ended before the attach did: then xvda alone was right.
    first, ended = early[0]
    keys = {key for key, _ in bench.bodies(first.config or {})}
    wrong = None
    if first.verdict == "ok" and keys != {"disk/xvda", "disk/xvdb"} and (
            keys != {"disk/xvda"} or ended > done + 0.5):
        wrong = f"while the attach ran: {sorted(keys)}"
    return Right({"disk/xvda", "disk/xvdb"}, check=lambda whole: wrong,
                 stock_answer=bench.Answer("ok", json.loads(text)))


# which of libxl's two it is, is a matter of the moment
@case("J21", "a device unplugged without a lock, again and again, while "
      "answers are made", libxl="ok or wrong")
def churn(t):
    dom = t.domain({"disks": [t.disk("xvda"), t.disk("xvdb")]})
    program = bench.xlcfg_path()
    wrong = []
    end = time.monotonic() + 1.5
    script = ("i=0; while :; do stock -t 5 detach %d disk xvdb --force;"
              "stock -t 5 attach %d disk %s/xvdb.json; done" %
              (dom.domid, dom.domid, t.folder))
    with open(f"{t.folder}/xvdb.json", "w", encoding="ascii") as file:
        json.dump(t.disk("xvdb"), file)
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          start_new_session=True) as churner:
        while time.monotonic() < end and os.path.exists(program):
            answer = bench.ask_ours(dom.domid)
            if answer.verdict != "ok" and "--config" not in answer.detail:
                wrong.append(answer.detail)
            elif answer.config is not None and "disk/xvda" not in {
                    key for key, _ in bench.bodies(answer.config)}:
                wrong.append("xvda was lost")
        os.killpg(churner.pid, 15)
        churner.wait()
    return Right({"disk/xvda"}, may={"disk/xvdb"}, states={
        "disk/xvdb": NOT_THERE + ("attached", "attaching", "detaching",
                                  "failed")},
        check=lambda whole: wrong[0] if wrong else None)


# array, index, key, a value libxl writes never; None: the key is missing
ODD = (
    ("disks", 0, "dev", "/etc/passwd"), ("disks", 0, "type", "floppy"),
    ("disks", 0, "mode", "q"), ("disks", 0, "removable", "maybe"),
    ("disks", 0, "device-type", "tape"), ("disks", 0, "discard-enable", "2"),
    ("disks", 1, "params", None), ("disks", 1, "mode", None),
    ("nics", 0, "mac", "zz"), ("nics", 0, "type", "vif2"),
    ("nics", 0, "rate", "fast"), ("nics", 0, "mtu", "-1"),
    ("vtpms", 0, "uuid", "5"), ("usbctrls", 0, "type", "x"),
    ("usbctrls", 0, "usb-ver", "two"), ("usbctrls", 0, "num-ports", "9x"),
)


@case("J22", "odd values of devices: each is named, no device is lost",
      libxl="wrong")
def odd_values(t):
    dom = t.domain({
        "disks": [t.disk("xvda"), t.disk("xvdb")], "nics": [t.nic(0)],
        "vtpms": [{"devid": 0, "uuid": "00000000-0000-0000-0000-000000000005"}],
        "usbctrls": [{"devid": 0, "type": "qusb", "ports": 4}]})
    words = []
    for array, index, key, value in ODD:
        device = dom.devices[array, index]
        device.set_lib(key, value)
        words.append(f"{device.lib}/{key} is '{value}', expected "
                     if value else f"{device.lib} has no {key}")
    return Right({"disk/xvda", "disk/xvdb", "nic/0", "vtpm/0", "usbctrl/0"},
                 unknown=tuple(words), complete=False)


@case("J23", "odd values of scalars: each is named with its node",
      libxl="error")
def odd_scalars(t):
    dom = t.domain({"disks": [t.disk("xvda")]}, vcpus=2)
    words = []
    for key, value in (("memory/target", "12x"), ("memory/static-max", "x"),
                       ("cpu/1/availability", "maybe")):
        t.store.write(f"{dom.path}/{key}", value)
        words.append(f"{dom.path}/{key} is '{value}', expected ")
    t.store.write(f"/libxl/{dom.domid}/device/vbd/x7/backend", "")
    words.append(f"/libxl/{dom.domid}/device/vbd/x7: expected ")
    t.store.write("/libxl/pci/0-1/domid", dom.domid)
    t.undo.append(lambda: t.store.rm("/libxl/pci/0-1"))
    words.append("/libxl/pci/0-1 is marked as this domain's, expected ")
    return Right({"disk/xvda"}, unknown=tuple(words), complete=False,
                 scalars={"/b_info/target_memkb": 131072,
                          "/b_info/avail_vcpus": [0, 1]})


# ---- without a hypervisor's answers --------------------------------------

NO_HYPERCALL = ("sched",)


@case("K1", "no hypercalls: a PV guest", preload=False)
def bare(t):
    t.domain({"disks": [t.disk("xvda")], "nics": [t.nic(0)]}, memkb=98304)
    return Right({"disk/xvda", "nic/0"}, unknown=NO_HYPERCALL,
                 complete=False, scalars={"/b_info/target_memkb": 98304})


@case("K2", "no hypercalls: a failed attach", libxl="wrong", preload=False)
def bare_failed(t):
    dom = t.domain({"disks": [t.disk("xvda"), t.disk("xvdb")]})
    dom.devices["disks", 1].set(hotplug_status="error",
                                hotplug_error="no medium", state=2)
    return Right({"disk/xvda"}, states={"disk/xvdb": "failed"},
                 unknown=NO_HYPERCALL)


@case("K3", "no hypercalls: an HVM guest with a dead QEMU", libxl="error",
      preload=False)
def bare_hvm(t):
    t.domain({"disks": [t.disk("xvda")]}, kind="hvm", vcpus=2)
    return Right({"disk/xvda"}, unknown=NO_HYPERCALL)


@case("K4", "no hypercalls: no template", libxl="error", preload=False)
def bare_rebuilt(t):
    t.domain({"disks": [t.disk("xvda")], "vkbs": [{"devid": 1}]},
             template=False)
    return Right({"disk/xvda", "vkb/1"}, complete=False,
                 states={"disk/xvda": "foreign", "vkb/1": "foreign"})


@case("K5", "no hypercalls: dead and living driver domains",
      libxl="ok", preload=False)
def bare_drivers(t):
    dom = t.domain(create=False)
    dead, alive = t.domain(name="dead"), t.domain(name="alive")
    dom.create({"nics": [t.nic(0, backend_domid=dead.domid),
                         t.nic(1, backend_domid=alive.domid)]})
    t.domains.remove(dead)
    dead.destroy()
    return Right({"nic/0", "nic/1"}, states={"nic/0": "orphaned"})
