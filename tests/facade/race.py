# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lock of libxl's is taken by another while the facade is in the middle.

The facade says its line between its own look and what comes after, be that
libxl's own answer or the end of the call.  So a stderr without room stops it
just there: the lock is taken, and then the line is read.
"""
import fcntl
import os
import subprocess
import sys
import time

LOCKS = ("domain-userdata-lock", "libxl-device-changes-lock")
LIMIT = 300                     # for steps that take no time of their own

HOLD = """
import fcntl, sys
files = [open(path, "w", encoding="ascii") for path in sys.argv[1:]]
for file in files:
    fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def until(what, running):
    end = time.monotonic() + LIMIT
    while not what():
        assert time.monotonic() < end, "it did not come to it"
        assert running.poll() is None, f"it ended: {running.returncode}"
        time.sleep(0.02)


class Caller:
    """A program with the facade before it, whose stderr has no room."""

    def __init__(self, words, facade):
        self.end, full = os.pipe()
        os.set_blocking(full, False)
        self.room = 0
        for size in (4096, 1):
            try:
                while True:
                    self.room += os.write(full, b"x" * size)
            except BlockingIOError:
                pass
        os.set_blocking(full, True)
        env = dict(os.environ)
        if facade:
            env["LD_PRELOAD"] = facade + ":" + env["LD_PRELOAD"]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([str(word) for word in words],
                                        env=env, stdout=subprocess.PIPE,
                                        stderr=full)
        os.close(full)

    def speaks(self):
        """It is in a call on its descriptor 2, that does not come back."""
        try:
            with open(f"/proc/{self.process.pid}/syscall",
                      encoding="ascii") as file:
                words = file.read().split()
        except OSError:
            return False
        return len(words) > 1 and words[1] == "0x2"

    def hear(self):
        while self.room > 0:
            self.room -= len(os.read(self.end, self.room))

    def finish(self):
        """(exit code, stdout, stderr)"""
        out, _ = self.process.communicate(timeout=LIMIT)
        with os.fdopen(self.end, encoding="utf-8") as rest:
            return self.process.returncode, out.decode(), rest.read()


class Holder:
    """Another process, which has some of libxl's locks of a domain."""

    def __init__(self, dom, names):
        self.paths = [f"/var/lib/xen/userdata-l.{dom.domid}.{dom.uuid}.{name}"
                      for name in names]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, *self.paths],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"held\n"

    def waited_for(self):
        nodes = {str(os.stat(path).st_ino) for path in self.paths}
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file]
        return any(line[1] == "->" and line[-3].split(":")[-1] in nodes
                   for line in lines)

    def has_them(self):
        """Nobody else can take one of them, by whatever name."""
        for path in self.paths:
            with open(path, "rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return False
                except BlockingIOError:
                    pass
        return self.process.poll() is None

    def let_go(self, by):
        if by == "killed":
            self.process.kill()
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def passed_on(ok, said, dom, words, facade, plain):
    """Ours cannot answer.  libxl does, and waits for who has its lock."""
    for name in LOCKS:
        for by in ("done", "killed"):
            caller = Caller(words, facade)
            until(caller.speaks, caller.process)
            holder = Holder(dom, [name])
            caller.hear()
            until(holder.waited_for, caller.process)
            held = holder.has_them()
            holder.let_go(by)
            code, out, err = caller.finish()
            ok(f"{words[1]}: another takes {name} after our look, and is "
               f"{by}: libxl's own answer, and one line",
               held and (code, out) == (0, plain) and len(said(err)) == 1
               and said(err) == err.splitlines(), f"{code} {out} {err}")


def answered(ok, said, dom, words, facade, right):
    """Ours answers, with a line: it is given while another has all locks."""
    caller = Caller(words, facade)
    until(caller.speaks, caller.process)
    holder = Holder(dom, LOCKS)
    caller.hear()
    code, out, err = caller.finish()
    held = holder.has_them()
    holder.let_go("done")
    ok("another takes both after our look: our answer, without waiting",
       held and code == 0 and right(out) and len(said(err)) == 1,
       f"{code} {out} {err}")
