# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of addresses and hashes share."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("XLCFG_BUILD", ROOT / "build")).resolve()
XLCFG = str(BUILD / "bin/xlcfg")
UUID = "11111111-2222-3333-4444-555555555555"


def need(fine, what):
    if not fine:
        raise AssertionError(what)


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: expected {want!r}, found {got!r}")


class Place:
    """A connection and a state folder."""

    def __init__(self, folder, uri):
        self.folder, self.uri = Path(folder), uri
        self.state = self.folder / "state"

    def command(self, *words):
        return [XLCFG, "-c", self.uri, "--state-dir", str(self.state),
                "--deadline", "60", "-o", "json", *map(str, words)]

    def xlcfg(self, code, *words, body=None):
        """The answer as a document; with an error, the error."""
        text = body if isinstance(body, str) or body is None \
            else json.dumps(body)
        done = subprocess.run(self.command(*words), input=text or "",
                              capture_output=True, text=True, check=False,
                              timeout=300)
        need(done.returncode == code,
             f"xlcfg {' '.join(map(str, words))}: expected exit {code}, "
             f"found {done.returncode}: {done.stdout[-400:]} "
             f"{done.stderr[-600:]}")
        answer = json.loads(done.stdout or done.stderr)
        return answer.get("error", answer)

    def attach(self, code, dom, kind, body, *more):
        answer = self.xlcfg(code, "attach", dom, kind, "-", *more, body=body)
        return answer.get("device", answer)

    def book(self, dom):
        """{key: (held, address)}"""
        return {row["key"]: (row["held"], row["address"])
                for row in self.xlcfg(0, "addresses", dom)["addresses"]}

    def addresses(self, dom):
        return {dev["key"]: dev["address"]
                for dev in self.xlcfg(0, "devices", dom)["devices"]}


class Machine(Place):
    """Domains in memory, in a file."""

    def __init__(self, folder, config, name="g", uuid=UUID):
        folder = Path(tempfile.mkdtemp(dir=folder))
        super().__init__(folder, f"mem:{folder}/machine.json")
        self.file = folder / "machine.json"
        self.put(config, name, uuid)

    def put(self, config, name="g", uuid=UUID, **more):
        config = {"c_info": {"name": name, "uuid": uuid}, **config}
        self.file.write_text(json.dumps({"domains": [
            {"uuid": uuid, "name": name, "domid": 5, "run": "r1",
             "stored": config, "live": config, **more}]}))


def run(tests, argv, folder_parent=None):
    """Run those of the names given; exit code."""
    names, passed, failed = argv, 0, 0
    folder = tempfile.mkdtemp(prefix="xa.", dir=folder_parent)
    for function in tests:
        if names and function.__name__ not in names:
            continue
        words = function.__name__.replace("_", " ")
        place = tempfile.mkdtemp(dir=folder)
        try:
            function(place)
            print(f"ok - {words}", flush=True)
            passed += 1
        except Exception:       # the next one may tell more
            print(f"not ok - {words}")
            print("".join(f"# {line}\n" for line in
                          traceback.format_exc().rstrip().split("\n")),
                  end="", flush=True)
            failed += 1
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def skip(why):
    print(f"SKIP: {why}")
    failed = 1 if os.environ.get("CI") == "true" else 0
    print(f"0 passed, {failed} failed")
    sys.exit(failed)
