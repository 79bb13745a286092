# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a case of the truth suite is made of.

    @case("A8", "the hotplug script failed", libxl="wrong")
    def script_failed(t):
        dom = t.domain({"disks": [t.disk("xvda")]})
        t.attach(dom, "disk", t.disk("xvdb", script=t.failing_script))
        return Right({"disk/xvda"}, states={"disk/xvdb": "failed"})

`libxl` is what stock libxl makes of it: ok, wrong, error, crash or timeout.
It is checked as well, so that a case keeps meaning what it says.
"""
import dataclasses
import difflib
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(TOP, "tests", "xenstore")
sys.path.insert(0, TOOLS)
import dom as domains       # noqa: E402
import xs                   # noqa: E402

CASES = []
GONE = None                     # in `states`: must not be listed as there
NOT_THERE = (None, "detached")


@dataclasses.dataclass
class Case:
    number: str
    title: str
    libxl: str
    preload: bool               # is ours run with a hypervisor's answers?
    run: object


def case(number, title, libxl="ok", preload=True):
    def register(function):
        CASES.append(Case(number, title, libxl, preload, function))
        return function
    return register


@dataclasses.dataclass
class Right:
    """The right answer.

    config    the keys that must be in the configuration
    may       keys that may also be there: xenstore does not decide
    states    key -> state, or several; None is "not listed"
    scalars   JSON pointer -> value, in the configuration
    fields    key -> {member: value} of the device's body
    unknown   words each of which one item of `unknown` must contain
    complete  None: not looked at
    absent    there is no such domain: exit 3, or an answer that says it is
              incomplete and has no device
    check     of the whole answer of ours: what is wrong, or None
    ours      when the right keys depend on when the answer was given
    """
    config: set = dataclasses.field(default_factory=set)
    may: set = dataclasses.field(default_factory=set)
    states: dict = dataclasses.field(default_factory=dict)
    scalars: dict = dataclasses.field(default_factory=dict)
    fields: dict = dataclasses.field(default_factory=dict)
    unknown: tuple = ()
    complete: object = None
    absent: bool = False
    check: object = None
    stock_answer: object = None     # taken while the case was laid out
    ours_answer: object = None
    seconds: int = 4


@dataclasses.dataclass
class Answer:
    verdict: str                # ok, or error, crash, timeout, missing
    config: dict = None
    whole: dict = None          # ours: the object of `get -o json`
    detail: str = ""
    exit: int = 0
    text: str = ""              # libxl's: as it printed it
    said: str = ""              # libxl's: on stderr


# ---- keys -------------------------------------------------------------------

def disk_key(body):
    return body.get("vdev") and "disk/" + body["vdev"]


def pci_key(body):
    return "pci/" + domains.pci_bdf(body)


def usbdev_key(body):
    return f"usbdev/{body.get('ctrl', -1)}.{body.get('port', 0)}"


def devid_key(kind):
    return lambda body: f"{kind}/{body.get('devid', -1)}"


ARRAYS = {
    "disks": disk_key, "pcidevs": pci_key, "usbdevs": usbdev_key,
    "rdms": lambda body: f"rdm/{body.get('start')}",
    "dtdevs": lambda body: f"dtdev/{body.get('path')}",
}
ARRAYS.update({kind + "s": devid_key(kind) for kind in (
    "nic", "vtpm", "usbctrl", "vkb", "vfb", "p9", "vdispl", "vsnd",
    "pvcallsif", "channel", "virtio")})


def bodies(config):
    """[(key, body)] of every device of a configuration."""
    return [(key(body) or f"{array}?", body)
            for array, key in ARRAYS.items()
            for body in config.get(array) or []]


def pointer(document, path):
    for name in path.strip("/").split("/"):
        if isinstance(document, list):
            document = document[int(name)] if int(name) < len(document) \
                else None
        elif isinstance(document, dict):
            document = document.get(name)
        else:
            return None
    return document


# ---- the two programs -------------------------------------------------------

def ask_stock(domid, seconds=4, preload=None):
    """libxl's answer; `preload`: a library that goes before all others."""
    env = dict(os.environ)
    if preload:
        env["LD_PRELOAD"] = preload + ":" + env["LD_PRELOAD"]
    result = subprocess.run(
        ["stock", "-t", str(seconds), "retrieve", str(domid)], env=env,
        capture_output=True, text=True, check=False, timeout=seconds + 20)
    words = {1: "error", 3: "crash", 4: "timeout"}
    if result.returncode == 0:
        return Answer("ok", json.loads(result.stdout), text=result.stdout,
                      said=result.stderr)
    return Answer(words.get(result.returncode, "error"),
                  detail=result.stdout.strip() or result.stderr.strip(),
                  said=result.stderr)


def ask_facade(domid, seconds=4):
    if not os.path.exists(facade_path()):
        return Answer("missing")
    return ask_stock(domid, seconds, facade_path())


def build_folder():
    return os.environ.get("XLCFG_BUILD") or os.path.join(TOP, "build")


def facade_path():
    return os.path.realpath(os.path.join(build_folder(), "lib",
                                         "libxlcfg-libxl.so"))


def xlcfg_path():
    return os.environ.get("XLCFG_BIN") or os.path.join(build_folder(),
                                                       "bin", "xlcfg")


def ask_ours(domid, preload=True, seconds=4):
    program = xlcfg_path()
    if not os.path.exists(program):
        return Answer("missing")
    env = dict(os.environ)
    if not preload:
        env.pop("LD_PRELOAD", None)
    runs = []
    for words in (["-o", "json", "get", str(domid)],
                  ["get", str(domid), "--config"]):
        try:
            runs.append(subprocess.run(
                [program] + words, capture_output=True, text=True,
                check=False, timeout=seconds + 2, env=env))
        except subprocess.TimeoutExpired:
            return Answer("timeout", detail=" ".join(words))
    for result in runs:
        if result.returncode < 0:
            return Answer("crash", detail=f"signal {-result.returncode}")
        if result.returncode:
            return Answer("error", exit=result.returncode,
                          detail=f"exit {result.returncode}: "
                                 f"{result.stderr.strip()}")
    try:
        whole, bare = (json.loads(result.stdout) for result in runs)
    except ValueError as error:
        return Answer("error", detail=f"not JSON: {error}")
    answer = Answer("ok", whole.get("config"), whole)
    if bare != answer.config:
        answer.verdict, answer.detail = "error", \
            "--config differs from the config of get -o json"
    return answer


# ---- comparing --------------------------------------------------------------

def wrong_config(right, config):
    found = bodies(config)
    keys = [key for key, _ in found]
    problems = [f"{key} twice" for key in sorted(set(keys))
                if keys.count(key) > 1]
    problems += [f"lacks {key}" for key in sorted(right.config - set(keys))]
    problems += [f"has {key}" for key in
                 sorted(set(keys) - right.config - right.may)]
    for path, value in right.scalars.items():
        got = pointer(config, path)
        if got != value:
            problems.append(f"{path} is {got!r}, not {value!r}")
    by_key = dict(found)
    for key, members in right.fields.items():
        for path, value in members.items():
            got = pointer(by_key.get(key), path)
            if got != value and not (value in ("", None) and not got):
                problems.append(f"{key} {path} is {got!r}, not {value!r}")
    return problems


def wrong_ours(right, answer):
    whole = answer.whole
    problems = wrong_config(right, answer.config)
    config_keys = {key for key, _ in bodies(answer.config)}
    listed = {}
    for device in whole.get("devices", []):
        if device["key"] in listed:
            problems.append(f"{device['key']} listed twice")
        listed[device["key"]] = device
        if device["in_config"] != (device["key"] in config_keys):
            problems.append(f"{device['key']}: in_config is wrong")
        if device["state"] not in ("attached", "detached") and \
                not device.get("reason"):
            problems.append(f"{device['key']}: {device['state']}, no reason")
    problems += [f"{key} is not listed" for key in
                 sorted(config_keys - set(listed))]
    states = {key: "attached" for key in right.config}
    for key, state in {**states, **right.states}.items():
        allowed = state if isinstance(state, tuple) else (state,)
        got = listed[key]["state"] if key in listed else None
        if got not in allowed:
            problems.append(f"{key} is {got}, not "
                            + " or ".join(str(word) for word in allowed))
    unknown = whole.get("unknown", [])
    for word in right.unknown:
        if not any(word in text for text in unknown):
            problems.append(f"`unknown` does not name {word}: {unknown}")
    complete = whole.get("complete")
    if complete and unknown:
        problems.append(f"complete, and yet unknown: {unknown}")
    if right.complete is not None and complete is not right.complete:
        problems.append(f"complete is {complete}: {unknown}")
    if right.check:
        wrong = right.check(whole)
        if wrong:
            problems.append(wrong)
    return problems


def judge_stock(right, answer):
    if right.absent:
        return ("ok", "") if answer.verdict == "error" else \
            ("wrong", "answers for a domain that is not there")
    if answer.verdict != "ok":
        return answer.verdict, answer.detail
    problems = wrong_config(right, answer.config)
    return ("wrong", "; ".join(problems)) if problems else ("ok", "")


def judge_ours(right, answer):
    if right.absent:
        if answer.exit == 3:
            return "ok", ""
        if answer.verdict == "ok" and not answer.whole["complete"] and \
                not bodies(answer.config):
            return "ok", ""
        return "wrong", answer.detail or "answers as if it were there"
    if answer.verdict != "ok":
        return answer.verdict, answer.detail
    problems = wrong_ours(right, answer)
    return ("wrong", "; ".join(problems)) if problems else ("ok", "")


def in_libxl(right):
    """What of it a libxl of today has a place for."""
    def known(path):
        return not path.rpartition("/")[2].startswith("x_")
    return dataclasses.replace(
        right, scalars={path: value for path, value in right.scalars.items()
                        if known(path)},
        fields={key: {name: value for name, value in members.items()
                      if known(name)}
                for key, members in right.fields.items()})


def meaning(value):
    """A configuration without its empty texts: libxl takes "" for none."""
    if isinstance(value, dict):
        return {name: meaning(item) for name, item in value.items()
                if item != ""}
    if isinstance(value, list):
        return [meaning(item) for item in value]
    return value


def judge_refusal(stock, ours, answer):
    """No template, or one that this libxl can not read: one line says so."""
    lost = [text for text in (ours.whole or {}).get("unknown", [])
            if text.startswith("template: ")]
    lines = [line for line in answer.said.splitlines()
             if line.startswith("libxlcfg-libxl: ")]
    if len(lines) != 1:
        return "wrong", f"an error, and {len(lines)} lines about it"
    if lost and lost[0] in lines[0]:
        return "none", ""
    if stock.verdict == "error" and "does not read" in lines[0]:
        return "none", ""
    return "error", answer.detail + answer.said


def judge_facade(right, stock, ours, answer):
    """What libxl said with the facade before it.

    The right answer, and where libxl has that too, its very words.  Without
    a template there is none to give: "none".
    """
    if answer.verdict == "missing":
        return "missing", ""
    if right.absent:
        return ("ok", "") if answer.verdict == "error" else \
            ("wrong", "answers for a domain that is not there")
    if answer.verdict == "error":
        return judge_refusal(stock, ours, answer)
    if answer.verdict != "ok":
        return answer.verdict, answer.detail
    right = in_libxl(right)
    problems = wrong_config(right, answer.config)
    same = answer.text == stock.text
    if not problems and not same and stock.verdict == "ok" and \
            not right.may and not right.stock_answer and \
            not wrong_config(right, stock.config) and \
            meaning(stock.config) != meaning(answer.config):
        problems = ["right, but not as libxl says it: " +
                    difference(stock.text, answer.text)]
    if problems:
        return "wrong", "; ".join(problems)
    return "same" if same else "ok", ""


def difference(one, other):
    lines = difflib.unified_diff(one.splitlines(), other.splitlines(), n=1)
    return " | ".join(line.strip() for line in list(lines)[2:12])


# ---- laying out -------------------------------------------------------------

class Bench:
    """One xenstored, one backend process; a fresh domid for each domain."""

    def __init__(self):
        self.store = xs.Store()
        self.folder = os.environ["XLCFG_XS_DIR"]
        self.next_domid = 100
        self.domains = []
        self.undo = []
        self.processes = []
        self.knobs = self.folder + "/knobs"
        self.good_script = self.script("good", "exit 0")
        # as Xen's own scripts end: fatal() leaves its words behind
        self.failing_script = self.script(
            "bad", 'xenstore-write "$XENBUS_PATH/hotplug-error" "no device"\n'
            'xenstore-write "$XENBUS_PATH/hotplug-status" error\nexit 1')
        self.mute_script = self.script("mute", "exit 1")
        self.knob_lines = []
        ready = self.folder + "/backendd.ready"
        self.backend = subprocess.Popen(
            [TOOLS + "/backendd", "-r", ready, "--knobs", self.knobs])
        while not os.path.exists(ready):
            if self.backend.poll() is not None:
                raise RuntimeError("backendd ended")
            time.sleep(0.01)

    def script(self, name, body):
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)
        return path

    def close(self):
        self.backend.terminate()
        self.backend.wait()

    def after_case(self):
        for action in reversed(self.undo):
            action()
        for process in self.processes:
            process.kill()
            process.wait()
        for dom in self.domains:
            dom.destroy()
        self.undo, self.processes, self.domains = [], [], []
        self.knob()

    def domid(self):
        self.next_domid += 1
        return self.next_domid

    def domain(self, config=None, create=True, template=True, **more):
        dom = domains.Domain(self.store, self.domid(), **more)
        self.domains.append(dom)
        if create:
            dom.create(config, template)
        return dom

    # bodies

    def disk(self, vdev, **more):
        body = {"vdev": vdev, "backend": "phy", "format": "raw",
                "pdev_path": "/dev/null", "readwrite": 1,
                "script": self.good_script}
        body.update(more)
        return body

    @staticmethod
    def nic(devid, **more):
        body = {"devid": devid, "mac": "00:16:3e:00:00:%02x" % devid,
                "bridge": "xenbr0", "nictype": "vif",
                "script": "/etc/xen/scripts/vif-bridge"}
        body.update(more)
        return body

    @staticmethod
    def vtpm(devid, **more):
        body = {"devid": devid,
                "uuid": "11111111-2222-3333-4444-5555555555%02x" % devid}
        body.update(more)
        return body

    @staticmethod
    def cdrom(path, **more):
        body = {"vdev": "hdc", "backend": "qdisk", "format": "raw",
                "pdev_path": path, "removable": 1, "is_cdrom": 1}
        body.update(more)
        return body

    # the world around

    def knob(self, *lines):
        with open(self.knobs + ".new", "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in lines)
        os.rename(self.knobs + ".new", self.knobs)

    def host(self, words):
        """A line about the host, until the case ends."""
        path = os.environ["XLCFG_TEST_DOMAINS"]

        def put(first):
            with open(path, encoding="ascii") as file:
                lines = [line for line in file
                         if not line.startswith("host")]
            with open(path + ".py", "w", encoding="ascii") as file:
                file.writelines(first + lines)
            os.rename(path + ".py", path)
        put([f"host {words}\n"])
        self.undo.append(lambda: put([]))

    def qemu(self, dom, cpus=1, mode="ok"):
        process = subprocess.Popen(
            [TOOLS + "/qmpd", "--cpus", str(cpus), "--mode", mode,
             str(dom.domid)], stdout=subprocess.PIPE)
        self.processes.append(process)
        process.stdout.readline()
        process.stdout.close()

    def hvm(self, config=None, vcpus=1, mode="ok", **more):
        dom = self.domain(config, kind="hvm", vcpus=vcpus, **more)
        self.qemu(dom, vcpus, mode)
        return dom

    def stock(self, *words, body=None, seconds=20):
        return subprocess.run(
            ["stock", "-t", str(seconds)] + [str(word) for word in words],
            input=None if body is None else json.dumps(body), text=True,
            capture_output=True, check=False, timeout=seconds + 20)

    def attach(self, dom, kind, body, expect=0, seconds=20):
        """By the real libxl; `expect` is the exit code of stock."""
        result = self.stock("attach", dom.domid, kind, "-", body=body,
                            seconds=seconds)
        if result.returncode != expect:
            raise RuntimeError(f"attach: {result.stdout}{result.stderr}")
        return result

    def detach(self, dom, kind, device_id, *how, expect=0, seconds=20):
        result = self.stock("detach", dom.domid, kind, device_id, *how,
                            seconds=seconds)
        if result.returncode != expect:
            raise RuntimeError(f"detach: {result.stdout}{result.stderr}")
        return result

    def wait_node(self, path, value, seconds=5):
        end = time.monotonic() + seconds
        while self.store.read(path) != value:
            if time.monotonic() > end:
                raise RuntimeError(f"{path} never became {value!r}")
            time.sleep(0.01)
