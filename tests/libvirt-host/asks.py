# SPDX-License-Identifier: LGPL-2.1-or-later
"""One context that is asked again and again."""
import json
import os
import subprocess
from pathlib import Path

import host as lv
from suite import need, same


class Asks:
    """One program with one context, which asks it each time."""

    def __init__(self, env, *deadline, uri=None):
        program = env.xlcfg.parents[1] / "tests/libvirt/asks"
        self.child = subprocess.Popen(
            [str(program), uri or env.host.uri, str(env.state), *deadline],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, line):
        """What it says, of an error the words."""
        self.child.stdin.write(f"{line}\n")
        self.child.stdin.flush()
        said = self.child.stdout.readline()
        return json.loads(said) if said.startswith("{") else said.strip()

    def list(self):
        """Each guest's name, and the image of its first disk."""
        said = self.ask("")
        need(isinstance(said, dict), f"a list: {said!r}")
        return {row["name"]:
                row["config"]["disks"][0]["pdev_path"]
                for row in said["domains"]}

    def connections(self):
        """How many it has; one may be watched by a second descriptor."""
        links = [os.readlink(fd) for fd in
                 Path(f"/proc/{self.child.pid}/fd").iterdir()]
        return len({link for link in links if link.startswith("socket:")})

    def close(self):
        self.child.stdin.close()
        same(self.child.wait(lv.PATIENCE), 0, "its end")
