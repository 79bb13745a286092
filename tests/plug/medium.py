# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another medium in a drive, and what cannot be changed."""
import os
import subprocess

from kinds import same, test

TESTS = []
HERE = os.path.dirname(os.path.realpath(__file__))
CDROM = {"vdev": "hdc", "pdev_path": "/dev/null", "backend": "qdisk",
         "format": "raw", "removable": 1, "is_cdrom": 1, "trusted": "False"}
DISK = {"vdev": "xvda", "pdev_path": "/dev/null", "backend": "qdisk",
        "format": "raw", "readwrite": 1}
GUEST = {"kind": "hvm", "config": {"disks": [CDROM, DISK]}}
BACK = "/local/domain/0/backend/qdisk/%d/5632/params"


def with_qemu(function):
    def run(b):
        qemu = subprocess.Popen(
            [os.path.join(HERE, "..", "xenstore", "qmpd"), str(b.domid)],
            stdout=subprocess.PIPE, text=True)
        qemu.stdout.readline()
        try:
            function(b)
        finally:
            qemu.terminate()
            qemu.wait()
            qemu.stdout.close()
    run.__name__ = function.__name__
    return run


def drive(b):
    return [entry for entry in b.template("disks")
            if entry["vdev"] == "hdc"][0]


def medium(b):
    config = b.xlcfg(0, "get", b.domid, "--config")
    return [entry.get("pdev_path") for entry in config["disks"]
            if entry["vdev"] == "hdc"][0]


def update(b, code, key, body, *more):
    return b.xlcfg(code, "update", b.domid, key, "-", *more, body=body)


@test(into=TESTS, **GUEST)
@with_qemu
def a_medium_is_changed_ejected_and_inserted(b):
    iso = b.folder + "/two.iso"
    with open(iso, "w", encoding="ascii"):
        pass
    update(b, 0, "disk/hdc", {"pdev_path": iso})
    same(b.store.read(BACK % b.domid), "aio:" + iso)
    same((medium(b), drive(b)["pdev_path"]), (iso, iso))
    # libxl replaces the whole entry: nothing of it may be lost
    same((drive(b)["trusted"], drive(b)["is_cdrom"]), ("False", 1))
    version = b.version()
    update(b, 0, "disk/hdc", {"pdev_path": iso})
    same(b.version(), version)
    update(b, 0, "disk/hdc", {"pdev_path": None})
    same(b.store.read(BACK % b.domid), "")
    same((medium(b), drive(b).get("pdev_path")), (None, None))
    same(drive(b)["format"], "empty")
    update(b, 6, "disk/hdc", {"pdev_path": "/no/such.iso"})
    update(b, 0, "disk/hdc", {"pdev_path": iso})
    same((medium(b), drive(b)["pdev_path"]), (iso, iso))
    same(drive(b)["format"], "raw")
    same(b.states(), {"disk/hdc": "attached", "disk/xvda": "attached"})
    same(b.xlcfg(0, "settle", b.domid)["steps"], [])


@test(into=TESTS, **GUEST)
@with_qemu
def what_cannot_be_changed_is_named(b):
    before = b.version(), b.template("disks")
    for key, body, where in (
            ("disk/hdc", {"readwrite": 1}, "/readwrite"),
            ("disk/hdc", {"pdev_path": "/dev/zero", "script": "x"},
             "/script"),
            ("disk/xvda", {"pdev_path": "/dev/zero"}, "/pdev_path")):
        error = update(b, 7, key, body)["error"]
        same((error["name"], error["where"]), ("NOT_ABLE", where))
        # who only asks what it would do is told the same
        same(update(b, 7, key, body, "--dry-run")["error"], error)
    body = {"pdev_path": "/no/such.iso"}
    error = update(b, 6, "disk/hdc", body)["error"]
    same(error["where"], "/pdev_path")
    same(update(b, 6, "disk/hdc", body, "--dry-run")["error"], error)
    update(b, 2, "disk/hdc", {"vdev": "hdd"})
    update(b, 3, "disk/hdd", {"pdev_path": "/dev/zero"})
    same((b.version(), b.template("disks")), before)
    same(b.locks(), [])


@test(into=TESTS, **GUEST)
def without_a_qemu_the_medium_stays(b):
    before = b.template("disks")
    update(b, 6, "disk/hdc", {"pdev_path": "/dev/zero"})
    same(b.template("disks"), before)
    same(medium(b), "/dev/null")
    same(b.states()["disk/hdc"], "attached")


@test(into=TESTS)
def a_pv_guest_changes_nothing(b):
    b.attach(0, "nic", {"mac": "00:16:3e:00:00:07", "script": b.good})
    error = update(b, 7, "nic/0", {"bridge": "other"})["error"]
    assert "libxl_cdrom_insert" in error["message"], error
    same(b.states(), {"nic/0": "attached"})
