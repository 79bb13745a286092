# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the suites of this room share: xlcfg, watchers, domains."""
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.realpath(os.environ.get("XLCFG_BUILD", TOP + "/build"))
XLCFG = BUILD + "/bin/xlcfg"
sys.dont_write_bytecode = True
for room in ("schema", "xenstore"):
    sys.path.insert(0, f"{TOP}/tests/{room}")
LATE = int(os.environ.get("WATCH_LATE", "60"))   # seconds: then it does not come


def inside(path):
    """Run again beside a private xenstored; answers only when we are."""
    if "XLCFG_XS_DIR" in os.environ:
        return
    tool = TOP + "/tests/xenstore/xs-run"
    probe = subprocess.run([tool, "true"], capture_output=True, text=True,
                           check=False)
    if probe.returncode == 77:
        print(probe.stderr.strip())
        failed = 1 if os.environ.get("CI") == "true" else 0
        print(f"0 passed, {failed} failed")
        sys.exit(failed)
    os.execv(tool, [tool, "--", os.path.realpath(path)] + sys.argv[1:])


def run(*words, stdin=None, **env):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([XLCFG, *words], capture_output=True, text=True,
                          timeout=LATE, input=stdin, check=False,
                          env={**os.environ, **env})
    return done.returncode, done.stdout, done.stderr


def answer(*words, **env):
    code, out, err = run(*words, "-o", "json", **env)
    if code:
        raise AssertionError(f"{' '.join(words)}: exit {code}: {err.strip()}")
    return json.loads(out)


class Watcher:
    """A running `xlcfg watch -o json`."""

    def __init__(self, *words, **env):
        self.process = subprocess.Popen(
            [XLCFG, "-o", "json", "watch", *words], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **env})
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def next(self, bookmarks=False, seconds=LATE):
        """The next event; None when it has ended."""
        late = time.monotonic() + seconds
        while True:
            left = max(0.001, late - time.monotonic())
            line = self.lines.get(timeout=left)
            if line is None:
                return None
            event = json.loads(line)
            if bookmarks or event["event"] != "bookmark":
                return event

    def until(self, wanted, seconds=LATE):
        """All events up to the first of which wanted(event) is true."""
        got = []
        while True:
            event = self.next(seconds=seconds)
            if event is None:
                raise AssertionError("the watch ended: " + self.end()[1])
            got.append(event)
            if wanted(event):
                return got

    def end(self, number=signal.SIGTERM):
        """(exit code, standard error)"""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=LATE)
        return code, self.process.stderr.read()


def revision(version):
    return int(version.split(".")[1])
