# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is left of those who died before they were done."""
import contextlib
import json
import os
import sqlite3
import time

import dom as domains
from kinds import same, test

TESTS = []
DISK = {"vdev": "xvda", "backend": "phy", "format": "raw",
        "pdev_path": "/dev/null", "readwrite": 1}


def left_open(b, uuid, op, kind, key, match, after):
    """The record of who died while it acted."""
    b.states()                  # state.db is there
    with contextlib.closing(sqlite3.connect(
            os.environ["XLCFG_STATE_DIR"] + "/state.db")) as base, base:
        base.execute(
            "INSERT INTO intent(driver, uuid, op, phase, kind, key, match,"
            " after, since, attempts, incarnation, resets)"
            " VALUES('xen', ?, ?, 'acting', ?, ?, ?, ?, ?, 1, 1, 0)",
            (uuid, op, kind, key, match, json.dumps(after),
             int(time.time())))


def half_made(b, **more):
    """A domain that was begun, and the open record of it."""
    half = domains.Domain(b.store, b.domid + 500, name=f"half{b.domid}",
                          state="paused", **more)
    config = {"c_info": {"name": half.name, "uuid": half.uuid}}
    left_open(b, half.uuid, "create", "domain", half.name, half.uuid, config)
    return half


def is_known(half):
    with open(os.environ["XLCFG_TEST_DOMAINS"], encoding="ascii") as file:
        return half.uuid in file.read()


def traces(b, half):
    return [path for path in (half.path, f"/libxl/{half.domid}",
                              f"/local/domain/0/backend/vbd/{half.domid}")
            if b.store.exists(path)]


def is_settled(b, half):
    would = b.xlcfg(0, "settle", half.name, "--dry-run")
    assert "destroy it" in would["steps"][0]["step"], would
    same((is_known(half), would["open"]), (True, []))
    same(b.xlcfg(0, "settle", half.name)["steps"], would["steps"])
    same((is_known(half), traces(b, half)), (False, []))
    # nothing is open of it any more, so there is nobody of this name
    b.xlcfg(3, "settle", half.name)


@test(into=TESTS)
def what_never_ran_is_destroyed(b):
    half = half_made(b)
    half.create({"disks": [dict(DISK, script=b.good)]}, template=False)
    same(len(traces(b, half)), 3)
    is_settled(b, half)


@test(into=TESTS)
def what_xenstore_knows_nothing_of_is_destroyed_too(b):
    half = half_made(b)
    half.tell_hypervisor()
    same(traces(b, half), [])
    is_settled(b, half)


@test(into=TESTS)
def what_was_whole_and_never_let_run_is_destroyed(b):
    half = half_made(b)
    half.create({"disks": [dict(DISK, script=b.good)]})
    assert os.path.exists(half.template_path)
    is_settled(b, half)
    assert not os.path.exists(half.template_path)


@test(into=TESTS)
def what_has_run_is_nobodys_to_destroy(b):
    half = half_made(b, ran=12345)
    half.create({"disks": [dict(DISK, script=b.good)]}, template=False)
    for words in ("--dry-run",), ():
        answer = b.xlcfg(6, "settle", half.name, *words)
        assert "half made" in answer["open"][0]["message"], answer
        same((is_known(half), len(traces(b, half))), (True, 3))
    half.destroy()
    assert "nothing was made" in \
        b.xlcfg(0, "settle", half.name)["steps"][0]["step"]


@test(into=TESTS)
def what_runs_is_kept(b):
    half = half_made(b, ran=12345)
    half.state = "blocked"
    half.create({"disks": [dict(DISK, script=b.good)]})
    assert "it runs" in \
        b.xlcfg(0, "settle", half.name)["steps"][0]["step"]
    same(len(traces(b, half)), 3)
    half.destroy()


@test(into=TESTS)
def a_pci_device_that_is_only_marked_is_not_called_free(b):
    key, mark = "pci/0000:07:00.0", "/libxl/pci/0000-07-00-0"
    b.store.write(mark + "/domid", b.domid)
    left_open(b, b.dom.uuid, "attach", "pci", key, key, {"bus": 7})
    device = [d for d in b.xlcfg(0, "devices", b.domid)["devices"]
              if d["key"] == key][0]
    assert device["state"] != "attached" and not device["in_config"], device
    left = b.xlcfg(6, "settle", b.domid)["open"][0]
    assert "no slot has it" in left["message"], left
    # whoever marked it takes that back, and it is settled
    b.store.rm(mark)
    assert "came to nothing" in \
        b.xlcfg(0, "settle", b.domid)["steps"][0]["step"]
    same(b.states(), {})
