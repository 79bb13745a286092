# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains in a private xenstore, laid out the way libxl 4.17 leaves them.

    store = xs.Store()
    dom = Domain(store, 7, kind="pv", name="guest")
    dom.create({"disks": [{"vdev": "xvda", "backend": "phy", ...}]})

`create` writes the hypervisor's line, the domain's trees, each device of the
configuration (connected: state 4, online 1), and the template file.  Nodes,
permissions and their owners are the ones a real `xl create` leaves; what a
test wants otherwise it then changes.
"""
import copy
import glob
import json
import os
import re
import time
import uuid as uuidlib

LIB = "/var/lib/xen"
RUN = "/run/xen"

# libxl array -> (kind of the frontend, kind of the backend); a kind of the
# backend that depends on the body is found by the functions below.
FRONT = {
    "disks": "vbd", "nics": "vif", "vtpms": "vtpm", "usbctrls": "vusb",
    "vfbs": "vfb", "vkbs": "vkbd", "vdispls": "vdispl", "vsnds": "vsnd",
    "p9s": "9pfs", "pvcallsifs": "pvcalls", "channels": "console",
}


def vdev_number(vdev):
    """xvda1, hdc, sdb2, d3p4 as the number that names the directory."""
    match = re.fullmatch(r"d(\d+)(?:p(\d+))?", vdev)
    if match:
        disk, part = int(match[1]), int(match[2] or 0)
    else:
        match = re.fullmatch(r"(xvd|hd|sd)([a-z]+)(\d*)", vdev)
        disk = 0
        for letter in match[2]:
            disk = disk * 26 + ord(letter) - ord("a") + 1
        disk -= 1
        part = int(match[3] or 0)
        if match[1] == "hd":
            return ((3 if disk < 2 else 22) << 8) | (disk & 1) << 6 | part
        if match[1] == "sd":
            return 8 << 8 | disk << 4 | part
    if disk < 16 and part < 16:
        return 202 << 8 | disk << 4 | part
    return 1 << 28 | disk << 8 | part


def is_true(value):
    return value in (True, 1, "True", "1", "true")


def flag(value):
    return "1" if is_true(value) else "0"


# ---- backend keys of a body; each returns (bekind, devid, back, front) ----

def disk_keys(body):
    backend = body.get("backend", "phy")
    path = body.get("pdev_path", "")
    back = {"removable": flag(body.get("removable")), "bootable": "1",
            "dev": body["vdev"], "type": backend,
            "mode": "w" if is_true(body.get("readwrite")) else "r",
            "device-type": "cdrom" if is_true(body.get("is_cdrom"))
                           else "disk",
            "discard-enable": flag(body.get("discard_enable", True))}
    if backend == "qdisk":
        form = {"raw": "aio", "empty": "aio"}.get(
            body.get("format", "raw"), body.get("format", "raw"))
        back["params"] = f"{form}:{path}" if path else ""
        bekind = "qdisk"
    else:
        back["params"] = path
        back["script"] = body.get("script", "/etc/xen/scripts/block")
        bekind = "vbd"
    back["specification"] = "xen"
    if is_true(body.get("direct_io_safe")):
        back["direct-io-safe"] = "1"
    devid = vdev_number(body["vdev"])
    front = {"virtual-device": devid, "device-type": back["device-type"],
             "protocol": "x86_64-abi",
             "trusted": flag(body.get("trusted", True))}
    return bekind, devid, back, front


def nic_keys(body):
    mac = body.get("mac", "00:16:3e:00:00:01")
    devid = body["devid"]
    back = {"script": body.get("script", "/etc/xen/scripts/vif-bridge"),
            "mac": mac, "handle": devid,
            "type": body.get("nictype", "vif"), "hotplug-status": ""}
    for field, key in (("bridge", "bridge"), ("ip", "ip"),
                       ("gatewaydev", "gatewaydev"), ("ifname", "vifname")):
        if body.get(field):
            back[key] = body[field]
    if body.get("rate_bytes_per_interval"):
        back["rate"] = "%d,%d" % (body["rate_bytes_per_interval"],
                                  body["rate_interval_usecs"])
    if body.get("mtu", 1500) != 1500:
        back["mtu"] = body["mtu"]
    front = {"handle": devid, "mac": mac,
             "trusted": flag(body.get("trusted", True))}
    return "vif", devid, back, front


def vtpm_keys(body):
    back = {"handle": body["devid"], "uuid": body["uuid"], "resume": "False"}
    return "vtpm", body["devid"], back, {"handle": body["devid"]}


def usbctrl_keys(body):
    kind = body.get("type", "qusb")
    ports = body.get("ports", 8)
    back = {"type": kind, "usb-ver": body.get("version", 2),
            "num-ports": ports, "port": ""}
    back.update({f"port/{n}": "" for n in range(1, ports + 1)})
    front = {"usb-ver": back["usb-ver"], "num-ports": ports}
    return ("qusb" if kind == "qusb" else "vusb"), body["devid"], back, front


def vfb_keys(body):
    vnc = body.get("vnc", {})
    back = {"vnc": flag(vnc.get("enable", True)),
            "vnclisten": vnc.get("listen", "127.0.0.1"),
            "vncpasswd": vnc.get("passwd", ""),
            "vncdisplay": vnc.get("display", 0),
            "vncunused": flag(vnc.get("findunused", True)),
            "sdl": flag(body.get("sdl", {}).get("enable")),
            "opengl": flag(body.get("sdl", {}).get("opengl"))}
    return "vfb", body["devid"], back, {}


def vkb_keys(body):
    back = {}
    if body.get("unique_id"):
        back["unique-id"] = body["unique_id"]
    for key in ("feature_abs_pointer", "feature_raw_pointer"):
        if key in body:
            back[key.replace("_", "-")] = flag(body[key])
    return "vkbd", body["devid"], back, {}


def vdispl_keys(body):
    front = {}
    for n, connector in enumerate(body.get("connectors", [])):
        front[f"{n}/resolution"] = "%dx%d" % (connector["width"],
                                              connector["height"])
        front[f"{n}/unique-id"] = connector.get("unique_id", "")
    return "vdispl", body["devid"], {}, front


def vsnd_keys(body):
    front = {}
    for name in ("short_name", "long_name"):
        if body.get(name):
            front[name.replace("_", "-")] = body[name]
    for n, pcm in enumerate(body.get("pcms", [])):
        front[f"{n}/name"] = pcm.get("name", "")
        for m, stream in enumerate(pcm.get("streams", [])):
            front[f"{n}/{m}/unique-id"] = stream.get("unique_id", "")
            front[f"{n}/{m}/type"] = {"P": "p", "C": "c"}.get(
                stream.get("type", "P"), "p")
    return "vsnd", body["devid"], {}, front


def p9_keys(body):
    back = {"path": body["path"],
            "security_model": body.get("security_model", "none")}
    return "9pfs", body["devid"], back, {"tag": body["tag"]}


def pvcalls_keys(body):
    return "pvcalls", body["devid"], {}, {}


def channel_keys(body):
    connection = "socket" if "connection.socket" in body else "pty"
    back = {"name": body["name"], "connection": connection}
    if connection == "socket":
        back["path"] = body["connection.socket"].get("path", "")
    front = {"name": body["name"], "type": "ioemu", "limit": 1048576,
             "output": connection, "protocol": "vt100"}
    # The number is the console's: 0 is the primary one.
    return "console", body["devid"], dict(back, protocol="vt100"), front


# What the guest may read in its frontend, and not write.
READ_ONLY = {
    "nics": lambda body: {"mtu": body.get("mtu", 1500)},
    "vdispls": lambda body: {"be-alloc": flag(body.get("be_alloc"))},
}

KEYS = {
    "disks": disk_keys, "nics": nic_keys, "vtpms": vtpm_keys,
    "usbctrls": usbctrl_keys, "vfbs": vfb_keys, "vkbs": vkb_keys,
    "vdispls": vdispl_keys, "vsnds": vsnd_keys, "p9s": p9_keys,
    "pvcallsifs": pvcalls_keys, "channels": channel_keys,
}


class Device:
    """One device's three directories."""

    def __init__(self, dom, front_kind, back_kind, devid, backend_domid=0):
        self.dom = dom
        self.devid = devid
        self.bedom = backend_domid
        self.lib = f"/libxl/{dom.domid}/device/{front_kind}/{devid}"
        self.front = f"{dom.path}/device/{front_kind}/{devid}"
        self.back = (f"/local/domain/{backend_domid}/backend/{back_kind}/"
                     f"{dom.domid}/{devid}")

    def lay_out(self, back, front, state=4, online=1, only_lib=False,
                read_only=None):
        store, domid = self.dom.store, self.dom.domid
        for t in store.attempts():
            store.rm(self.lib, t)
            store.write(self.lib + "/frontend", self.front, t)
            if not only_lib:
                store.write(self.lib + "/backend", self.back, t)
            common = {"frontend-id": domid, "online": 1, "state": 1}
            for key, value in dict(common, **back).items():
                store.write(f"{self.lib}/{key}", value, t)
            if only_lib:
                continue
            store.rm(self.front, t)
            store.mkdir(self.front, t)
            store.perms(self.front, f"n{domid} r{self.bedom}", t)
            store.write(self.front + "/backend", self.back, t)
            common = {"backend-id": self.bedom, "state": state}
            for key, value in dict(common, **front).items():
                store.write(f"{self.front}/{key}", value, t)
            for key, value in (read_only or {}).items():
                store.write(f"{self.front}/{key}", value, t)
                store.perms(f"{self.front}/{key}",
                            f"n{self.bedom} r{domid}", t)
            store.rm(self.back, t)
            store.mkdir(self.back, t)
            store.perms(self.back, f"n{self.bedom} r{domid}", t)
            store.write(self.back + "/frontend", self.front, t)
            common = {"frontend-id": domid, "online": online, "state": state}
            for key, value in dict(back, **common).items():
                store.write(f"{self.back}/{key}", value, t)
        return self

    def set(self, **keys):
        """Change keys of the backend; None removes. `_` stands for `-`."""
        for key, value in keys.items():
            path = f"{self.back}/{key.replace('_', '-')}"
            if value is None:
                self.dom.store.rm(path)
            else:
                self.dom.store.write(path, value)

    def set_lib(self, key, value):
        if value is None:
            self.dom.store.rm(f"{self.lib}/{key}")
        else:
            self.dom.store.write(f"{self.lib}/{key}", value)

    def forget(self, *which):
        """Remove directories: "lib", "front", "back"."""
        for name in which:
            self.dom.store.rm(getattr(self, name))


class Domain:
    def __init__(self, store, domid, kind="pv", name=None, uuid=None,
                 vcpus=1, online=None, memkb=131072, maxmemkb=None,
                 state="blocked", stubdom=None, ran=0):
        self.store = store
        self.domid = domid
        self.kind = kind
        self.name = name or f"guest{domid}"
        self.uuid = uuid or str(uuidlib.uuid4())
        self.vcpus = vcpus
        self.online = vcpus if online is None else online
        self.memkb = memkb
        self.maxmemkb = maxmemkb or memkb
        self.state = state
        self.ran = ran          # ns
        self.stubdom = stubdom
        self.path = f"/local/domain/{domid}"
        self.devices = {}       # (array, index) -> Device

    # -- the hypervisor's side

    def line(self):
        return (f"domain {self.domid} uuid={self.uuid} type={self.kind} "
                f"state={self.state} vcpus={self.vcpus} "
                f"online={self.online} memkb={self.memkb} "
                f"maxmemkb={self.maxmemkb + 1024} ran={self.ran}\n")

    def tell_hypervisor(self, present=True):
        """Replace this domain's line (or take it out)."""
        path = os.environ["XLCFG_TEST_DOMAINS"]
        with open(path, encoding="ascii") as file:
            lines = [line for line in file
                     if line.split()[:2] != ["domain", str(self.domid)]]
        if present:
            lines.append(self.line())
        with open(path + ".py", "w", encoding="ascii") as file:
            file.writelines(lines)
        os.rename(path + ".py", path)

    # -- xenstore

    def create(self, config=None, template=True):
        config = self.config(config)
        self.tell_hypervisor()
        self._trees()
        self.store.introduce(self.domid)
        self._console()
        for array, bodies in config.items():
            if array in KEYS:
                for index, body in enumerate(bodies):
                    self.add(array, body, index)
        if config.get("pcidevs"):
            self.pci([pci_bdf(body) for body in config["pcidevs"]])
        for body in config.get("usbdevs", []):
            self.usb_port(body)
        if self.kind == "hvm" or any(
                body.get("backend") == "qdisk"
                for body in config.get("disks", [])) or config.get("vfbs"):
            self.device_model()
        if template:
            self.write_template(config)
        return self

    def device_model(self):
        """What says that a QEMU runs for this domain."""
        path = f"/local/domain/0/device-model/{self.domid}"
        self.store.write(path + "/state", "running")
        for backend in ("9pfs", "console", "qdisk", "qnic", "qusb", "vfb",
                        "vkbd"):
            self.store.write(f"{path}/backends/{backend}", "")
        self.store.write(self.path + "/image/device-model-pid", 1)

    def _ro(self, t, path):
        self.store.mkdir(path, t)
        self.store.perms(path, f"n0 r{self.domid}", t)

    def _rw(self, t, path):
        self.store.mkdir(path, t)
        self.store.perms(path, f"n{self.domid}", t)

    def _trees(self):
        store, path, vm = self.store, self.path, f"/vm/{self.uuid}"
        lib = f"/libxl/{self.domid}"
        for t in store.attempts():
            for top in (path, vm, lib):
                store.rm(top, t)
            for top in (path, vm):
                self._ro(t, top)
            for top in (lib, lib + "/device"):
                store.mkdir(top, t)
                store.perms(top, "n0", t)
            for name in ("cpu", "memory", "device", "control", "console",
                         "platform", "store"):
                self._ro(t, f"{path}/{name}")
            for name in ("control/shutdown", "control/feature-poweroff",
                         "control/feature-reboot", "control/feature-suspend",
                         "device/suspend/event-channel", "data", "drivers",
                         "feature", "attr", "error"):
                self._rw(t, f"{path}/{name}")
            video = 8192 if self.kind == "hvm" else 0
            nodes = {
                f"{path}/vm": vm, f"{path}/name": self.name,
                f"{path}/domid": self.domid,
                f"{path}/memory/static-max": self.maxmemkb,
                f"{path}/memory/target": self.memkb - video,
                f"{path}/store/port": 1, f"{path}/store/ring-ref": 1,
                f"{path}/control/platform-feature-multiprocessor-suspend": 1,
                f"{path}/control/platform-feature-xs_reset_watches": 1,
                f"{vm}/uuid": self.uuid, f"{vm}/name": self.name,
                f"{vm}/start_time": "%.2f" % time.time(),
                f"{lib}/type": self.kind,
            }
            if self.kind != "pv":
                nodes[f"{path}/memory/videoram"] = video
            if self.kind == "hvm":
                nodes[f"{lib}/dm-version"] = "qemu_xen"
            for cpu in range(self.vcpus):
                word = "online" if cpu < self.online else "offline"
                nodes[f"{path}/cpu/{cpu}/availability"] = word
            for node, value in nodes.items():
                store.write(node, value, t)
        for node, value in (("/local/pool/0/name", "Pool-0"),
                            ("/local/domain/0/domid", "0"),
                            ("/local/domain/0/name", "Domain-0")):
            if store.read(node) is None:
                store.write(node, value)

    def _console(self):
        """The primary console: its frontend is the domain's own folder."""
        store, domid = self.store, self.domid
        lib = f"/libxl/{domid}/device/console/0"
        back = f"/local/domain/0/backend/console/{domid}/0"
        keys = {"frontend-id": domid, "online": 1, "state": 1,
                "protocol": "vt100"}
        front = {"backend-id": 0, "backend": back, "limit": 1048576,
                 "type": "xenconsoled", "output": "pty", "port": 2,
                 "ring-ref": 2, "tty": f"/dev/pts/{domid}"}
        for t in store.attempts():
            store.write(lib + "/frontend", self.path + "/console", t)
            store.write(lib + "/backend", back, t)
            store.mkdir(back, t)
            store.perms(back, f"n0 r{domid}", t)
            store.write(back + "/frontend", self.path + "/console", t)
            for key, value in keys.items():
                store.write(f"{lib}/{key}", value, t)
                store.write(f"{back}/{key}", value, t)
            for key, value in front.items():
                store.write(f"{self.path}/console/{key}", value, t)

    def add(self, array, body, index=None, state=4, online=1):
        """Lay out one device of a configuration array, connected."""
        back_kind, devid, back, front = KEYS[array](body)
        device = Device(self, FRONT[array], back_kind, devid,
                        body.get("backend_domid", 0))
        if index is None:
            index = len([k for k in self.devices if k[0] == array])
        self.devices[array, index] = device
        if array == "usbctrls" and body.get("type") == "devicemodel":
            return device.lay_out(back, front, only_lib=True)
        if state == 4 and back_kind in ("vbd", "vif"):
            back = dict(back, **{"hotplug-status": "connected"})
            if back_kind == "vbd":
                back["physical-device"] = "7:0"
        device.lay_out(back, front, state, online,
                       read_only=READ_ONLY.get(array, lambda b: {})(body))
        if back_kind in ("vbd", "vif"):     # never copied into the index
            device.set_lib("hotplug-status",
                           "" if back_kind == "vif" else None)
            device.set_lib("physical-device", None)
        return device

    def usb_port(self, body):
        """Put a usbdev's bus name into its port."""
        device = next(d for (array, _), d in self.devices.items()
                      if array == "usbctrls" and d.devid == body["ctrl"])
        host = body["type.hostdev"]
        where = device.back
        if self.store.read(device.lib + "/backend") is None:
            where = device.lib
        name = f"{host.get('hostbus', 1)}-{host.get('hostaddr', 1)}"
        self.store.write(f"{where}/port/{body['port']}", name)

    def pci(self, bdfs, guest=None):
        """The pci backend's slots; `guest` differs under a stubdomain."""
        guest = self.domid if guest is None else guest
        front = f"/local/domain/{guest}/device/pci/0"
        back = f"/local/domain/0/backend/pci/{guest}/0"
        store = self.store
        for t in store.attempts():
            store.mkdir(front, t)
            store.perms(front, f"n{guest} r0", t)
            store.write(front + "/backend", back, t)
            store.write(front + "/backend-id", 0, t)
            store.write(front + "/state", 4, t)
            store.mkdir(back, t)
            store.perms(back, f"n0 r{guest}", t)
            keys = {"frontend": front, "frontend-id": guest, "online": 1,
                    "state": 4, "domain": self.name,
                    "num_devs": len(bdfs)}
            for n, bdf in enumerate(bdfs):
                keys[f"key-{n}"] = keys[f"dev-{n}"] = bdf
                keys[f"opts-{n}"] = ("msitranslate=0,power_mgmt=0,"
                                     "permissive=0,rdm_policy=strict")
                keys[f"state-{n}"] = 3
            for key, value in keys.items():
                store.write(f"{back}/{key}", value, t)
            for bdf in bdfs:
                name = bdf.replace(":", "-").replace(".", "-")
                store.write(f"/libxl/pci/{name}/domid", self.domid, t)
        return back

    # -- the template

    def config(self, extra=None):
        """A whole libxl_domain_config, with `extra` laid over it."""
        build = {
            "max_vcpus": self.vcpus,
            "avail_vcpus": list(range(self.online)),
            "max_memkb": self.maxmemkb, "target_memkb": self.memkb,
            "shadow_memkb": 1024, "sched_params": {},
            "disable_migrate": "False", "arch_arm": {}, "arch_x86": {},
        }
        if self.kind == "hvm":
            build.update({
                "video_memkb": 8192, "device_model_version": "qemu_xen",
                "type.hvm": {"bios": "seabios", "vga": {"kind": "cirrus"},
                             "vnc": {"enable": "True",
                                     "listen": "127.0.0.1"}}})
        else:
            build["kernel"] = "/boot/vmlinuz"
            build["type." + self.kind] = {}
            build["video_memkb"] = 0
        whole = {
            "c_info": {"type": self.kind, "name": self.name,
                       "uuid": self.uuid, "run_hotplug_scripts": "True"},
            "b_info": build, "on_reboot": "restart",
        }
        for key, value in copy.deepcopy(extra or {}).items():
            if key in ("c_info", "b_info"):
                whole[key].update(value)
            else:
                whole[key] = value
        return whole

    @property
    def template_path(self):
        return (f"{LIB}/userdata-d.{self.domid}.{self.uuid}.libxl-json")

    def write_template(self, config):
        """A dict, or the bytes of the file as they shall be."""
        data = config
        if not isinstance(config, bytes):
            data = json.dumps(config, indent=4).encode() + b"\0"
        with open(self.template_path, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)

    # -- the end

    def dying(self):
        """Each step of its end, in libxl's order; stops after each."""
        store = self.store
        for bedom in store.list("/local/domain"):
            for kind in store.list(f"/local/domain/{bedom}/backend"):
                store.rm(f"/local/domain/{bedom}/backend/{kind}/"
                         f"{self.domid}")
        store.rm(f"/local/domain/0/device-model/{self.domid}")
        vm = store.read(self.path + "/vm") or f"/vm/{self.uuid}"
        yield "no backends"
        for path in (vm, self.path, f"/libxl/{self.domid}"):
            store.rm(path)
            yield f"no {path}"
        for path in glob.glob(f"{LIB}/userdata-?.{self.domid}.{self.uuid}.*"):
            os.unlink(path)
        yield "no files"
        self.tell_hypervisor(False)
        yield "no domain"
        if store.is_introduced(self.domid):
            store.release(self.domid)

    def destroy(self):
        for _ in self.dying():
            pass


def pci_bdf(body):
    return "%04x:%02x:%02x.%x" % (body.get("domain", 0), body.get("bus", 0),
                                  body.get("dev", 0), body.get("func", 0))
