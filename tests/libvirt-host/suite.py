# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests on a libvirtd of their own share: xlcfg, claims, a runner."""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import host as lv

ROOT = Path(__file__).resolve().parents[2]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def need(fine, what):
    if not fine:
        raise AssertionError(what)


def differing(got, want, at=""):
    """Where two documents differ, shortly."""
    if isinstance(got, dict) and isinstance(want, dict):
        return [line for name in sorted({*got, *want})
                for line in differing(got.get(name), want.get(name),
                                      f"{at}/{name}")]
    if got == want:
        return []
    return [f"{at}: expected {want!r}, found {got!r}"]


def same(got, want, what):
    if isinstance(got, dict) and got != want:
        raise AssertionError(f"{what}:\n" + "\n".join(differing(got, want)))
    if got != want:
        raise AssertionError(f"{what}: expected {want!r}, found {got!r}")


class Env:
    """One test: a state folder of its own, guests of its own."""

    def __init__(self, host, images, build, name):
        self.host = host
        self.images = images
        self.xlcfg = Path(build).resolve() / "bin/xlcfg"
        self.name = name
        self.folder = host.folder / name
        while self.folder.exists():     # the same test once more
            self.folder = Path(f"{self.folder}-again")
        self.folder.mkdir()
        self.state = self.folder / "state"
        self.consoles = []

    def is_modern(self):
        """Does a look at the XML wait there for another's hotplug?"""
        daemon = self.host.virsh("version", "--daemon").stdout
        return int(daemon.split("daemon: ")[1].split(".")[0]) >= 11

    # ---- xlcfg ----

    def command(self, *args):
        return [str(self.xlcfg), "-c", self.host.uri, "--state-dir",
                str(self.state), *args]

    def run(self, *args, want=(0,), stdin=None):
        """xlcfg, ending with one of the wanted codes."""
        done = subprocess.run(self.command(*args), input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=lv.PATIENCE, check=False)
        want = want if isinstance(want, tuple) else (want,)
        need(done.returncode in want,
             f"xlcfg {' '.join(args)}: expected {want}, found "
             f"{done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}")
        return done

    def spawn(self, *args, stdin=None):
        """xlcfg, not waited for."""
        child = subprocess.Popen(self.command(*args), text=True,
                                 stdin=subprocess.PIPE if stdin else
                                 subprocess.DEVNULL,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        if stdin:
            child.stdin.write(stdin)
            child.stdin.close()
            child.stdin = None
        return child

    def get(self, dom, *args):
        return json.loads(self.run("get", dom, "-o", "json", *args).stdout)

    def state_of(self, dom, key):
        """A device's state; None: the answer does not have it."""
        for dev in self.get(dom)["devices"]:
            if dev["key"] == key:
                return dev["state"]
        return None

    def events(self, dom_uuid, key, now=None):
        """How often a device was recorded to have come to this state."""
        with sqlite3.connect(f"file:{self.state}/state.db?mode=ro",
                             uri=True) as db:
            rows = db.execute("select changes from event where uuid = ? "
                              "order by revision", (dom_uuid,)).fetchall()
        seen = [c["now"] for (text,) in rows for c in json.loads(text)
                if c.get("key") == key]
        return [s for s in seen if s == now] if now else seen

    def news(self, uuid, since):
        """What was recorded of a domain after a revision: the event's name
        and the keys or paths that it says changed, one text each."""
        with sqlite3.connect(f"file:{self.state}/state.db?mode=ro",
                             uri=True) as db:
            rows = db.execute("select event, changes from event where "
                              "uuid = ? and revision > ? order by revision",
                              (uuid, since)).fetchall()
        return [" ".join([name] + [
            f"{c.get('key') or c.get('path')}"
            f"{'=' + c['now'] if c.get('now') else ''}"
            for c in json.loads(text or "[]")]) for name, text in rows]

    def revision(self):
        with sqlite3.connect(f"file:{self.state}/state.db?mode=ro",
                             uri=True) as db:
            return db.execute("select max(revision) from event").fetchone()[0]

    # ---- guests ----

    def image(self, name, form="raw", size="8M"):
        path = self.folder / f"{name}.{form}"
        subprocess.run(["qemu-img", "create", "-q", "-f", form, str(path),
                        size], check=True)
        os.chmod(path, 0o666)
        return str(path)

    def disk(self, target, image):
        return json.dumps({"vdev": target, "pdev_path": image,
                           "format": "raw"})

    def guest(self, os_too=False, machine="q35", transient=False, **more):
        """A started guest of this test's name; its uuid."""
        xml = lv.guest_xml(self.name, self.folder,
                           self.images if os_too else None, machine=machine,
                           **more)
        if transient:
            self.host.create(xml)
        else:
            self.host.define(xml)
            self.host.virsh("start", self.name)
        if os_too:
            self.console().ready()
        return self.host.virsh("domuuid", self.name).stdout.strip()

    def console(self):
        console = lv.Console(self.folder, self.name)
        self.consoles.append(console)
        return console

    def layers(self, target):
        """Who has the disk of this target: live XML, kept XML, QEMU."""
        listed = self.host.virsh("dumpxml", self.name).stdout
        alias = None
        for part in listed.split("<disk ")[1:]:
            if f"dev='{target}'" in part and "<alias name='" in part:
                alias = part.split("<alias name='")[1].split("'")[0]
        live = target in self.host.devices(self.name)
        kept = target in self.host.devices(self.name, "--inactive")
        ids = self.host.in_qemu(self.name)
        qemu = alias in ids if alias else \
            any(target in i for i in ids if i.startswith("ua-"))
        return live, kept, qemu

    def agree(self, target, there, what):
        same(self.layers(target), (there,) * 3,
             f"{what}: {target} in live XML, kept XML, QEMU")

    def close(self):
        for console in self.consoles:
            console.close()
        for dom in self.host.virsh("list", "--all", "--name",
                                   check=False).stdout.split():
            self.host.virsh("destroy", dom, check=False)
            self.host.virsh("undefine", dom, "--managed-save",
                            "--snapshots-metadata", check=False)


def one(function, host, images, build, verbose):
    name = function.__name__
    env = None
    started = time.monotonic()
    try:
        env = Env(host, images, build, name)
        said = function(env)
        failure = None
    except Exception:       # whatever it is, the other tests go on
        said = None
        failure = traceback.format_exc()
    finally:
        if host.daemon.poll() is not None:
            host.start()
        if env:
            env.close()
    took = time.monotonic() - started
    title = (function.__doc__ or name).strip().split("\n")[0]
    print(f"{'not ok' if failure else 'ok'} {name}: {title}"
          f"{' - ' + said if said else ''} ({took:.0f} s)")
    if failure:
        print("    " + failure.strip().replace("\n", "\n    "))
        for path in sorted(host.folder.glob("log/qemu/*.log")) \
                if verbose else []:
            print(f"    {path}: {path.read_text()[-500:]}")
    sys.stdout.flush()
    return not failure


def main(argv):
    if len(argv) < 3:
        sys.exit(f"usage: {argv[0]} BUILD IMAGES [--root ROOT] [TEST...]")
    build, images, *rest = argv[1:]
    root = None
    if rest[:1] == ["--root"]:
        root, rest = rest[1], rest[2:]
    unknown = set(rest) - {f.__name__ for f in TESTS}
    if unknown:
        sys.exit(f"no such test: {' '.join(sorted(unknown))}")
    chosen = [f for f in TESTS if not rest or f.__name__ in rest]
    if os.geteuid() != 0:
        print("SKIP: a libvirtd of its own needs root")
        failed = os.environ.get("CI") == "true"
        print(f"0 passed, {int(failed)} failed")
        return int(failed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    passed = 0
    with tempfile.TemporaryDirectory(prefix="xlv.", dir="/tmp") as scratch:
        # QEMU may be of another user than the one who made the folder
        os.chmod(scratch, 0o755)
        with lv.Host(scratch, root, sees=[images]) as host:
            print(host.virsh("version", "--daemon").stdout.strip())
            for function in chosen:
                verbose = os.environ.get("CI") == "true"
                good = one(function, host, images, build, verbose)
                if not good and verbose:
                    # Kills at moments in time, on a machine that others
                    # share: what is wrong twice is wrong.
                    print(f"# {function.__name__}, once more:")
                    good = one(function, host, images, build, verbose)
                passed += good
    failed = len(chosen) - passed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
