# SPDX-License-Identifier: LGPL-2.1-or-later
"""A domain to plug in, and what must be true of it, looked at without us.

The oracle reads xenstore, the template file, state.db (by Python's own
sqlite3) and the host resources that the scripts took; nothing of libxl-cfg.
"""
import contextlib
import ctypes
import fcntl
import json
import os
import sqlite3
import subprocess
import time

import dom as domains
import xs
from board import Board

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.realpath(os.path.join(TOP, os.environ.get("XLCFG_BUILD",
                                                          "build")))
XLCFG = os.path.join(BUILD, "bin", "xlcfg")
KILLER = os.path.join(BUILD, "tests", "crash", "killer.so")
LIB = "/var/lib/xen"
PATIENCE = 120          # seconds; machines are noisy

# The order of the real block and vif-bridge scripts: take what the host
# gives, say in xenstore what it is, say that all is done.  `held` is the
# folder of what was taken.
SCRIPT = """#!/bin/sh
set -e
held=%s
case $1 in
add)
    name=$(echo "$XENBUS_PATH" | tr / -)
    echo "$XENBUS_PATH" > "$held/$name"
    xenstore-write "$XENBUS_PATH/node" "$held/$name"
    xenstore-write "$XENBUS_PATH/physical-device" 7:0
    xenstore-write "$XENBUS_PATH/hotplug-status" connected ;;
remove)
    node=$(xenstore-read "$XENBUS_PATH/node") || exit 0
    rm -f "$node" ;;
online)
    echo "$XENBUS_PATH" > "$held/$vif"
    xenstore-write "$XENBUS_PATH/hotplug-status" connected ;;
offline)
    rm -f "$held/$vif" ;;
esac
exit 0
"""


class Kind:
    def __init__(self, key, array, front, back, devid, scripted, body):
        self.key = key
        self.kind = key.split("/")[0]
        self.array = array
        self.front = front
        self.back = back
        self.devid = devid
        self.scripted = scripted
        self._body = body

    def body(self, script):
        body = dict(self._body)
        if self.scripted:
            body["script"] = script
        return body

    def entry(self, config):
        """This device in a configuration; None: it has it not."""
        name = "vdev" if self.array == "disks" else "devid"
        want = self._body.get("vdev", self.devid)
        return next((entry for entry in config.get(self.array, [])
                     if entry.get(name, 0) == want), None)

    def is_in(self, config):
        return self.entry(config) is not None


# What an act begins with, what it is to come to, and what leads back.
START = {"attach": "absent", "detach": "present", "update": "old"}
GOAL = {"attach": "present", "detach": "absent", "update": "new"}
BACK = {"attach": "detach", "detach": "attach", "update": "restore"}


KINDS = {
    "disk": Kind("disk/xvda", "disks", "vbd", "vbd", 51712, True,
                 {"vdev": "xvda", "backend": "phy", "format": "raw",
                  "pdev_path": "/dev/null", "readwrite": 1}),
    "nic": Kind("nic/0", "nics", "vif", "vif", 0, True,
                {"devid": 0, "mac": "00:16:3e:00:00:07", "nictype": "vif",
                 "bridge": "xenbr0"}),
    "vtpm": Kind("vtpm/0", "vtpms", "vtpm", "vtpm", 0, False,
                 {"devid": 0,
                  "uuid": "11111111-2222-3333-4444-555555555555"}),
    "usbctrl": Kind("usbctrl/0", "usbctrls", "vusb", "vusb", 0, False,
                    {"devid": 0, "type": "pv", "version": 2, "ports": 4}),
}
SIBLING = {"vdev": "xvdz", "backend": "phy", "format": "raw",
           "pdev_path": "/dev/null", "readwrite": 1}
SIBLING_KEY = "disk/xvdz"


class Wrong(Exception):
    """Something that must hold does not."""


def want(truth, text):
    if not truth:
        raise Wrong(text)


def adopt_orphans():
    """Whoever loses its parent below us becomes our child."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(36, 1, 0, 0, 0):          # PR_SET_CHILD_SUBREAPER
        raise OSError(ctypes.get_errno(), "prctl")


def wait_for_family():
    """Until no child is left, whoever its parent was."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            want(time.monotonic() < end, "a process of the plug never ends")
            time.sleep(0.002)


class World:
    """One domain, with a store of its own."""

    type = "pv"

    def config(self):
        return {"disks": [dict(SIBLING, script=self.script)]}

    def __init__(self, number, domid):
        self.number = number
        self.folder = f"{os.environ['XLCFG_XS_DIR']}/w{number}"
        self.state_dir = self.folder + "/state"
        self.held = self.folder + "/held"
        for path in (self.folder, self.state_dir, self.held):
            os.makedirs(path, 0o700, exist_ok=True)
        self.script = self.folder + "/script"
        with open(self.script, "w", encoding="ascii") as file:
            file.write(SCRIPT % self.held)
        os.chmod(self.script, 0o755)
        self.board = Board(self.folder + "/board")
        self.env = dict(os.environ, XLCFG_STATE_DIR=self.state_dir)
        self.killing = dict(self.env, **self.board.environment(
            os.environ["XLCFG_TEST_HV"], KILLER,
            [self.state_dir, self.held, LIB]))
        self.store = xs.Store()
        self.domid = domid
        self.dom = domains.Domain(self.store, domid, name=f"c{domid}",
                                  kind=self.type).create(self.config())

    # ---- acting

    def run(self, *words, body=None, killing=False):
        """(exit code, stdout, stderr) of one xlcfg."""
        with subprocess.Popen(
                [XLCFG, "-c", "xen:///", "-o", "json", *map(str, words)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True,
                env=self.killing if killing else self.env) as process:
            out, err = process.communicate(
                json.dumps(body) if body is not None else "",
                timeout=PATIENCE)
            return process.returncode, out, err

    def must(self, *words, body=None, code=0):
        got, out, err = self.run(*words, body=body)
        want(got == code, f"xlcfg {' '.join(map(str, words))}: exit {got}, "
             f"not {code}: {out}{err}")
        return json.loads(out or err)

    def act(self, op, kind, killing=False):
        if op == "attach":
            return self.run("attach", self.domid, kind.kind, "-",
                            body=kind.body(self.script), killing=killing)
        return self.run("detach", self.domid, kind.key, killing=killing)

    def do(self, op, kind):
        code, out, err = self.act(op, kind)
        want(code == 0, f"{op} of {kind.key}: exit {code}: {out}{err}")

    def start(self, kind):
        """Whatever is made once is made now."""
        self.base = self.template()
        self.do("attach", kind)
        self.do("detach", kind)

    def recover(self, kind):
        """After a wrong answer: a clean start for what comes next."""
        for name in os.listdir(self.held):
            os.unlink(f"{self.held}/{name}")
        for name in os.listdir(self.state_dir):
            os.unlink(f"{self.state_dir}/{name}")
        self.forget(kind)
        self.dom.write_template(self.base)
        self.start(kind)

    def end(self):
        pass

    def forget(self, kind):
        for path in self.nodes(kind):
            self.store.rm(path)

    # ---- the oracle

    def nodes(self, kind):
        path = f"/local/domain/{self.domid}/device/{kind.front}/{kind.devid}"
        lib = f"/libxl/{self.domid}/device/{kind.front}/{kind.devid}"
        back = (f"/local/domain/0/backend/{kind.back}/{self.domid}/"
                f"{kind.devid}")
        return lib, path, back

    def live(self, kind):
        """absent, present, coming, failed, leaving or partial."""
        lib, front, back = (self.store.tree(p) for p in self.nodes(kind))
        if not lib and not front and not back:
            return "absent"
        path = self.nodes(kind)[2]
        state, online = back.get(path + "/state"), back.get(path + "/online")
        status = back.get(path + "/hotplug-status")
        if back and (online == "0" or state in ("5", "6")):
            return "leaving"
        if not (lib and back) or state not in ("1", "2", "3", "4") or \
                self.nodes(kind)[0] + "/backend" not in lib:
            return "partial"
        if status in ("error", "busy") or back.get(path + "/hotplug-error"):
            return "failed"
        if state == "1" or (state != "4" and kind.scripted and
                            status != "connected"):
            return "coming"
        return "present"

    def template(self):
        try:
            with open(self.dom.template_path, encoding="utf-8") as file:
                return json.loads(file.read().rstrip("\0"))
        except FileNotFoundError:
            return {}

    def database(self, query, *values):
        path = f"file:{self.state_dir}/state.db?mode=ro"
        try:
            # its lock file stays open until it is closed
            with contextlib.closing(sqlite3.connect(path, uri=True)) as base:
                return base.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            # killed while it made the file: nothing is recorded yet
            if str(error).startswith("no such table") or \
                    not os.path.exists(self.state_dir + "/state.db"):
                return []
            raise

    def intents(self):
        return self.database("SELECT op, phase, key FROM intent")

    def revision(self):
        rows = self.database("SELECT revision FROM meta")
        return rows[0][0] if rows else 0

    def turns(self, kind, after):
        """What its state became, in order, since that revision."""
        rows = self.database("SELECT changes FROM event WHERE revision > ? "
                             "ORDER BY revision", after)
        return [c["now"] for (text,) in rows for c in json.loads(text or "[]")
                if c["key"] == kind.key]

    def signature(self, kind):
        """Everything the oracle can tell, as one comparable value."""
        lib, front, back = self.nodes(kind)
        keys = tuple(sorted(k for p in (lib, front, back)
                            for k in self.store.tree(p)))
        return (self.live(kind), kind.is_in(self.template()),
                tuple(self.intents()), tuple(sorted(os.listdir(self.held))),
                self.store.read(back + "/state"),
                self.store.read(back + "/online"), len(keys))

    # ---- the checks

    def at_rest(self, kind):
        """(what the oracle sees, what get says of that moment)."""
        for _ in range(200):
            before = self.signature(kind)
            answer = self.must("get", self.domid)
            if self.signature(kind) == before:
                break           # nothing moved while it looked
        else:
            raise Wrong("the backend never comes to rest")
        devices = {d["key"]: d for d in answer["devices"]}
        unknown = [line for line in answer["unknown"]
                   if not self.may_lack(before[0], line)]
        want(not unknown and answer["complete"] != bool(answer["unknown"]),
             f"get is not complete: {answer['unknown']}")
        want(devices.get(SIBLING_KEY, {}).get("state") == "attached" and
             any(d["vdev"] == "xvdz"
                 for d in answer["config"].get("disks", [])),
             f"the sibling is lost: {devices.get(SIBLING_KEY)}")
        return before, answer

    def may_lack(self, live, line):
        """Is it right that get says this of what it could not tell?"""
        return False

    def check_get(self, kind):
        """get says what the oracle sees; returns what that is."""
        before, answer = self.at_rest(kind)
        live, templated, intents = before[:3]
        op, phase = next((i[:2] for i in intents if i[2] == kind.key),
                         (None, None))
        devices = {d["key"]: d for d in answer["devices"]}
        config = answer["config"]
        state = devices.get(kind.key, {}).get("state", "detached")
        allowed, in_config = expected(live, op, phase, templated)
        want(state in allowed, f"get says {state}; it is {live}, intent "
             f"{op}, template {templated}: expected {allowed}")
        want(kind.is_in(config) == in_config,
             f"in_config is {kind.is_in(config)}; it is {live}, intent {op}")
        if op is None and live == "present":
            want(templated, "live without intent, and not in the template")
        return live

    def settle(self):
        """Until nothing is open; the number of runs that took."""
        for tries in range(1, 100):
            code, out, err = self.run("settle", self.domid)
            want(code in (0, 5, 6), f"settle: exit {code}: {out}{err}")
            if code == 0:
                return tries
            time.sleep(0.1)
        raise Wrong(f"settle does not end: {out}{err}")

    def settle_twice(self):
        """Nothing is open, and the second one has nothing to do."""
        self.settle()
        want(not self.intents(), f"settled, yet open: {self.intents()}")
        revision = self.revision()
        again = self.must("settle", self.domid)
        want(not again["steps"] and self.revision() == revision,
             f"the second settle did something: {again['steps']}")

    def check_settled(self, kind, since):
        """After settle: all or nothing, and a second one does nothing."""
        self.settle_twice()
        live = self.check_get(kind)
        templated = kind.is_in(self.template())
        want((live, templated) in (("present", True), ("absent", False)),
             f"settled, and it is {live}, in the template: {templated}, "
             f"{self.store.tree(self.nodes(kind)[2])}")
        turns = self.turns(kind, since)
        gone = turns.count("detached")
        want(gone <= 1, f"more than one event says that it went: {turns}")
        if turns:
            want((turns[-1] == "attached") == (live == "present"),
                 f"the events end otherwise than the device: {turns}")
        return live

    def rest(self, kind, baseline):
        """Attach and detach again, and see that nothing is left over."""
        if self.live(kind) == "absent":
            self.check_clean(baseline, after_settle=True)
            self.do("attach", kind)
            want(self.check_get(kind) == "present", "attached, not present")
        self.do("detach", kind)
        want(self.check_get(kind) == "absent", "detached, not absent")
        self.check_clean(baseline)

    def is_free(self, name):
        """A lock file that nobody holds."""
        folder = LIB if name.startswith("userdata-l.") else self.state_dir
        if not name.endswith("lock") or "/" in name:
            return False
        with open(f"{folder}/{name}", "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def taken(self, kind):
        """What the script holds for this device, and whether it said so."""
        mine = [name for name in os.listdir(self.held)
                if name in (f"vif{self.domid}.{kind.devid}",
                            f"backend-vbd-{self.domid}-{kind.devid}")]
        told = self.store.read(self.nodes(kind)[2] + "/node") is not None
        return mine, told

    def clean_now(self):
        """Names of all there is of this domain, when nothing is plugged."""
        nodes = []
        for path in [f"/local/domain/{self.domid}", f"/libxl/{self.domid}"] + \
                [f"/local/domain/0/backend/{k}/{self.domid}"
                 for k in self.store.list("/local/domain/0/backend")]:
            nodes += self.store.tree(path)
        files = [name for name in os.listdir(LIB)
                 if f".{self.domid}.{self.dom.uuid}." in name]
        own = [name for name in os.listdir(self.state_dir)
               if name not in ("state.db-wal", "state.db-shm")]
        return {"xenstore": sorted(nodes), "libxl's folder": sorted(files),
                "state folder": sorted(own),
                "taken from the host": sorted(os.listdir(self.held))}

    def check_clean(self, baseline, after_settle=False):
        """A lock's file that nobody holds may stay until the next plug."""
        for what, names in self.clean_now().items():
            extra = sorted(set(names) - set(baseline[what]))
            if after_settle:
                extra = [name for name in extra if not self.is_free(name)]
            lost = sorted(set(baseline[what]) - set(names))
            want(not extra and not lost,
                 f"{what}: left over {extra}, missing {lost}")


def expected(live, op, phase, templated):
    """(states that get may say, is it in the configuration)."""
    if (op, phase, live) == ("detach", "refused", "present"):
        return ("refused",), True
    if op == "detach":
        return (("detached", "detaching") if live == "absent"
                else ("detaching",), False)
    if live == "absent":
        return (("attaching",) if op else ("detached",), False)
    if live == "leaving":
        return ("detaching",), False
    if live == "failed":
        return ("failed",), False
    if live == "partial":
        return ("attaching",) if op else ("failed",), False
    if live == "coming":
        return (("attaching",) if op or templated else ("foreign",)), True
    return (("attached",) if op or templated else ("foreign",)), True
