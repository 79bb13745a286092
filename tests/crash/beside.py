# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test of crashes runs beside: a private xenstored, played backends."""
import os
import subprocess
import time

TOOLS = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(
    __file__))), "xenstore")


def outside(program, argv):
    """The same program with --inside, beside a xenstored; its exit code."""
    xs_run = os.path.join(TOOLS, "xs-run")
    probe = subprocess.run([xs_run, "true"], capture_output=True, text=True,
                           check=False)
    if probe.returncode == 77:
        print(probe.stderr.strip())
        failed = 1 if os.environ.get("CI") == "true" else 0
        print(f"0 passed, {failed} failed")
        return failed
    return subprocess.call([xs_run, os.path.realpath(program), "--inside"] +
                           argv)


def start_backend():
    ready = os.environ["XLCFG_XS_DIR"] + "/backend-ready"
    knobs = os.environ["XLCFG_XS_DIR"] + "/knobs"
    with open(knobs, "w", encoding="ascii") as file:
        file.write("vbd/* scripted guest=0.3\nvif/* scripted guest=0.3\n"
                   "* guest=0.3\n")
    backend = subprocess.Popen([TOOLS + "/backendd", "-r", ready, "--knobs",
                                knobs])
    while not os.path.exists(ready):
        time.sleep(0.01)
    return backend
