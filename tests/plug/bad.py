# SPDX-License-Identifier: LGPL-2.1-or-later
"""What cannot work: one exit code, one clear sentence, and nothing left."""
import fcntl
import json
import os
import subprocess
import threading

from kinds import nodes, same, test

TESTS = []
UUID = "11111111-2222-3333-4444-555555555555"


def refused(b, code, kind, body, where, words):
    error = b.attach(code, kind, body)["error"]
    same(error.get("where"), where)
    assert words in error["message"], error
    assert "\n" not in error["message"], error


def nothing_left(b):
    same(b.states(), {})
    for kind, array in (("vbd", "disks"), ("vif", "nics")):
        same(b.template(array), [])
        for devid in (0, 51712):
            same(nodes(b, kind, kind, devid), [])
    same(b.locks(), [])


@test(into=TESTS)
def bad_bodies(b):
    disk = b.disk()
    del disk["script"]
    path = {"pdev_path": "/no/such/image"}
    for more in ({"backend": "phy"}, {"backend": "qdisk"},
                 {"backend": "qdisk", "format": "qcow2"}):
        refused(b, 6, "disk", dict(disk, **path, **more), "/pdev_path",
                "/no/such/image: No such file or directory")
    refused(b, 6, "disk", dict(disk, pdev_path="/tmp"), "/pdev_path",
            "expected a file or a block device")
    refused(b, 2, "disk", dict(disk, vdev="nosuch"), "/vdev", "such as xvdb")
    refused(b, 2, "nic", {"devid": -7}, "/devid", "expected a number")
    b.xlcfg(3, "attach", "nobody", "disk", "-", body=b.disk())
    b.xlcfg(3, "attach", 4711, "disk", "-", body=b.disk())
    b.xlcfg(2, "attach", b.domid, "disk", "/no/such/file")
    nothing_left(b)


# kind, a body, the member that is wrong, what was expected there
UNREAD = (
    ("vkb", {"unique_id": 7, "width": 5}, "/unique_id", "expected a text"),
    ("vkb", {"width": "wide"}, "/width",
     "expected a number from 0 to 4294967295"),
    ("vkb", {"feature_abs_pointer": 3}, "/feature_abs_pointer",
     "expected true or false"),
    ("vtpm", {"uuid": 5}, "/uuid", "expected a uuid"),
    ("vtpm", {"backend_domid": "zero"}, "/backend_domid",
     "expected a number"),
    ("vtpm", {"nope": [1]}, "/nope", "libxl knows no such member"),
    ("nic", {"bridge": {}}, "/bridge", "expected a text"),
    ("nic", {"mtu": -1}, "/mtu", "expected a number from 0"),
    ("nic", {"mac": 5}, "/mac", "expected a MAC address"),
    ("nic", {"mac": "zz"}, "/mac", "expected a MAC address"),
    ("nic", {"nictype": "zz"}, "/nictype",
     "expected one of unknown, vif_ioemu, vif"),
    ("disk", {"vdev": "xvda", "format": "zz"}, "/format",
     "expected one of unknown, qcow, qcow2"),
    ("vdispl", {"connectors": [{"unique_id": "d"}, {"width": "w"}]},
     "/connectors/1/width", "expected a number"),
    ("vfb", {"vnc": 5}, "/vnc", "expected an object"),
    ("usbdev", {"type.hostdev": {"hostbus": 300, "hostaddr": 1}},
     "/type.hostdev/hostbus", "expected a number from 0 to 255"),
)


@test(into=TESTS)
def what_libxl_would_not_read_is_named(b):
    version = b.version()
    for kind, body, where, words in UNREAD:
        refused(b, 2, kind, body, where, words)
        same(b.attach(2, kind, body, "--dry-run")["error"]["where"], where)
    same(b.version(), version)
    same(b.template("vkbs") + b.template("vtpms"), [])
    nothing_left(b)
    # silence, and names for others, are no mistake
    b.attach(0, "vtpm", {"uuid": UUID, "backend_domname": None,
                         "x-note": {"any": ["thing"]}})
    b.xlcfg(0, "detach", b.domid, "vtpm/0")
    nothing_left(b)


@test(into=TESTS)
def a_lock_that_another_holds_is_named(b):
    b.attach(0, "vtpm", {"uuid": UUID})
    version = b.version()
    path = (f"/var/lib/xen/userdata-l.{b.domid}.{b.dom.uuid}"
            ".domain-userdata-lock")
    with open(path, "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for words in (("attach", b.domid, "vtpm", "-"),
                      ("detach", b.domid, "vtpm/0")):
            error = b.xlcfg(6, *words, body={})["error"]
            same((error["name"], error["where"]), ("LOCK_FAIL", path))
        b.attach(0, "vtpm", {}, "--dry-run")    # needs no lock
        same(b.version(), version)
        same(b.states(), {"vtpm/0": "attached"})
        same(len(nodes(b, "vtpm", "vtpm", 0)), 3)
        same(b.back("vtpm", 0, "state"), "4")   # nobody asked the guest
        os.unlink(path)
    b.xlcfg(0, "detach", b.domid, "vtpm/0")
    nothing_left(b)


@test(into=TESTS)
def what_a_script_says_is_told(b):
    b.set_knobs(f"vif/{b.domid}/* error=bridge nosuch: not found\n")
    error = b.attach(6, "nic", {"bridge": "nosuch",
                                "script": b.bad})["error"]
    assert "taken back" in error["message"], error
    nothing_left(b)


@test(into=TESTS)
def one_key_once(b):
    b.attach(0, "disk", b.disk())
    version = b.version()
    error = b.attach(6, "disk", b.disk())["error"]
    same(error["where"], "disk/xvda")
    # the same disk by another name
    error = b.attach(6, "disk", b.disk("d0"))["error"]
    assert "already" in error["message"], error
    same(b.version(), version)
    b.xlcfg(0, "detach", b.domid, "disk/xvda")
    nothing_left(b)


@test(into=TESTS)
def libxl_that_dies_is_told_and_taken_back(b):
    """By a signal that it hears of, and by one that nobody does; with the
    script that it runs."""
    script, ran = b.folder + "/kills", b.folder + "/kills.pid"
    for signal, words in (("ABRT", "died of signal 6"),
                          ("KILL", "ended without an answer")):
        with open(script, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n[ $1 = add ] || exit 0\n"
                       f"echo $$ > {ran}\nkill -{signal} $PPID\n"
                       "exec sleep 600\n")
        os.chmod(script, 0o755)
        b.set_knobs(f"vbd/{b.domid}/* noscript noconnect\n")
        error = b.attach(6, "disk", b.disk(script=script))["error"]
        b.set_knobs("")
        assert words in error["message"], error
        assert "taken back" in error["message"], error
        with open(ran, encoding="ascii") as file:
            pid = int(file.read())
        b.wait(lambda: not os.path.exists(f"/proc/{pid}/exe"))
        nothing_left(b)
        b.attach(0, "disk", b.disk())
        b.xlcfg(0, "detach", b.domid, "disk/xvda")
        nothing_left(b)


def attach_while(b, body, meanwhile):
    """An attach whose script begins, waits for meanwhile(), and ends well:
    (exit code, error)."""
    slow, at, go = (b.folder + "/dies" + end for end in ("", ".at", ".go"))
    with open(slow, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\ntouch {at}\n"
                   f"until [ -e {go} ]; do sleep 0.1; done\n"
                   f"rm {at} {go}\n")
    os.chmod(slow, 0o755)
    result = []

    def attach():
        result.append(subprocess.run(
            [*b.command, "attach", str(b.domid), "disk", "-"],
            input=json.dumps(dict(body, script=slow)), capture_output=True,
            text=True, check=False, timeout=300))

    thread = threading.Thread(target=attach)
    thread.start()
    try:
        b.wait(lambda: os.path.exists(at))
        meanwhile()
    finally:
        with open(go, "w", encoding="ascii"):
            pass
        thread.join()
    said = result[0].stdout if result[0].returncode == 0 else result[0].stderr
    return result[0].returncode, json.loads(said).get("error")


@test(into=TESTS)
def a_domain_that_dies_in_the_middle(b):
    """However far its end has come when the attach looks."""
    # A busy machine answers late, and that is not what is asked here.
    b.command = b.command + ["--deadline", "60"]
    for steps in range(1, len(list(b.dom.dying())) + 1):
        b.dom.create()
        b.set_knobs(f"vbd/{b.domid}/* noscript noconnect\n")
        end = b.dom.dying()
        code, error = attach_while(b, b.disk(), lambda: [
            next(end) for _ in range(steps)])
        for _ in end:
            pass
        # 6 when libxl had no more patience with the script.
        same((code, error["name"]) in
             ((3, "DOMAIN_NOTFOUND"), (6, "REFUSED")), True)
        same(len(error["message"]) > 8, True)
        b.xlcfg(3, "devices", b.domid)
        # another domain of the same number and uuid knows nothing of it
        b.dom.create()
        same(b.states(), {})
        b.xlcfg(0, "settle", b.domid)
        b.set_knobs("")
        b.attach(0, "disk", b.disk())
        b.xlcfg(0, "detach", b.domid, "disk/xvda")
        nothing_left(b)
        b.dom.destroy()
    b.dom.create()
