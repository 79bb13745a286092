# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each kind that libxl can plug, and the true reason for those it cannot."""
import json
import os
import sqlite3
import subprocess

BUILD = os.path.join(
    os.path.dirname(os.path.realpath(__file__)), "..", "..",
    os.environ.get("XLCFG_BUILD", "build"))
TESTS = []

UUID = "11111111-2222-3333-4444-555555555555"
# kind, its directory, its backend, the template's array, a body
PLAIN = (
    ("vkb", "vkbd", "vkbd", "vkbs", {"unique_id": "k1",
                                     "feature_abs_pointer": True}),
    ("vfb", "vfb", "vfb", "vfbs", {"vnc": {"enable": "True",
                                           "listen": "127.0.0.1"}}),
    ("vtpm", "vtpm", "vtpm", "vtpms", {"uuid": UUID}),
    ("vdispl", "vdispl", "vdispl", "vdispls",
     {"be_alloc": True, "connectors": [
         {"unique_id": "d0", "width": 800, "height": 600}]}),
    ("vsnd", "vsnd", "vsnd", "vsnds", {"short_name": "card"}),
    ("usbctrl", "vusb", "vusb", "usbctrls",
     {"type": "pv", "version": 2, "ports": 4}),
    ("usbctrl", "vusb", "qusb", "usbctrls",
     {"type": "qusb", "version": 2, "ports": 4}),
)


def test(into=None, **domain):
    """A test, on a domain made with these words."""
    def keep(function):
        function.domain = domain
        (TESTS if into is None else into).append(function)
        return function
    return keep


def same(got, want):
    assert got == want, f"{got!r}, expected {want!r}"


def nodes(b, front, back, devid):
    return [path for path in (
        f"/libxl/{b.domid}/device/{front}/{devid}",
        f"/local/domain/{b.domid}/device/{front}/{devid}",
        f"/local/domain/0/backend/{back}/{b.domid}/{devid}")
        if b.store.exists(path)]


@test()
def libxl_s_process_is_kept_and_nobody_s_child(b):
    said = subprocess.run([f"{BUILD}/tests/plug/keep", str(b.domid)],
                          check=True, text=True, timeout=300,
                          stdout=subprocess.PIPE).stdout
    same(said.splitlines(), ["as most: A A A B -", "a reaper: - - - - -"])


@test()
def every_plain_kind_comes_and_goes(b):
    b.dom.device_model()
    for kind, front, back, array, body in PLAIN:
        for devid in (0, 1):
            answer = b.attach(0, kind, body)["device"]
            same((answer["key"], answer["state"]),
                 (f"{kind}/{devid}", "attached"))
            same(len(nodes(b, front, back, devid)), 3)
        same([entry.get("devid", 0) for entry in b.template(array)], [0, 1])
        b.attach(6, kind, dict(body, devid=1))
        b.xlcfg(0, "detach", b.domid, f"{kind}/0")
        same([entry["devid"] for entry in b.template(array)], [1])
        # the lowest free number, not the one behind the last
        same(b.attach(0, kind, body)["device"]["key"], f"{kind}/0")
        for devid in (0, 1):
            b.xlcfg(0, "detach", b.domid, f"{kind}/{devid}")
            same(nodes(b, front, back, devid), [])
        same(b.template(array), [])
    same(b.states(), {})


@test()
def every_plain_kind_is_taken_back(b):
    b.dom.device_model()
    for kind, front, back, array, body in PLAIN:
        if back in ("vkbd", "vfb", "qusb"):
            continue            # libxl does not wait for QEMU
        b.set_knobs(f"{back}/{b.domid}/* silent\n")
        error = b.attach(6, kind, body)["error"]
        assert "taken back" in error["message"], error
        same(nodes(b, front, back, 0), [])
        same(b.template(array), [])
    same(b.states(), {})


@test()
def qemu_that_says_nothing_is_not_ready(b):
    b.dom.device_model()
    b.set_knobs(f"vkbd/{b.domid}/* silent\n")
    b.attach(5, "vkb", {"unique_id": "k1"})
    same(b.states(), {"vkb/0": "attaching"})
    b.xlcfg(5, "settle", b.domid)
    # QEMU comes to it
    b.store.write(f"/local/domain/0/backend/vkbd/{b.domid}/0/state", "4")
    b.xlcfg(0, "settle", b.domid)
    same(b.states(), {"vkb/0": "attached"})
    same([entry["unique_id"] for entry in b.template("vkbs")], ["k1"])


@test()
def a_guest_holds_on_to_every_plain_kind(b):
    b.dom.device_model()
    for kind, front, back, array, body in PLAIN:
        b.attach(0, kind, body)
        b.set_knobs(f"{back}/{b.domid}/* refuse\n")
        b.xlcfg(5, "detach", b.domid, f"{kind}/0", "--wait=0.3")
        same(b.states()[f"{kind}/0"], "detaching")
        same(len(nodes(b, front, back, 0)), 3)
        same(len(b.template(array)), 1)
        if kind == "vtpm":      # one of them by force
            b.xlcfg(0, "detach", b.domid, f"{kind}/0", "--force")
        else:
            b.store.write(f"/local/domain/0/backend/{back}/{b.domid}/0"
                          "/state", "6")
            b.xlcfg(0, "settle", b.domid)
        same(nodes(b, front, back, 0), [])
        same(b.template(array), [])
        b.set_knobs("")
    same(b.states(), {})


@test(config={"p9s": [{"devid": 0, "tag": "t", "path": "/srv",
                       "security_model": "none"}],
              "pvcallsifs": [{"devid": 0}],
              "channels": [{"devid": 1, "name": "c",
                            "connection.pty": {}}]})
def what_libxl_has_no_function_for(b):
    for kind in ("p9", "pvcallsif", "virtio", "channel", "rdm", "dtdev"):
        error = b.attach(7, kind, {"devid": 5})["error"]
        assert f"libxl has no libxl_device_{kind}_add" in \
            error["message"], error
    error = b.xlcfg(7, "detach", b.domid, "channel/1")["error"]
    assert "libxl has no libxl_device_channel_remove" in error["message"]
    # and what it can take away all the same
    for kind, front, back, array in (("p9", "9pfs", "9pfs", "p9s"),
                                     ("pvcallsif", "pvcalls", "pvcalls",
                                      "pvcallsifs")):
        same(len(nodes(b, front, back, 0)), 3)
        b.xlcfg(0, "detach", b.domid, f"{kind}/0")
        same(nodes(b, front, back, 0), [])
        same(b.template(array), [])
    same(b.states(), {"channel/1": "attached"})


@test()
def numbers_of_ghosts_and_of_intents_are_not_given(b):
    nic = {"script": b.good, "bridge": "xenbr0"}
    same(b.attach(0, "nic", nic)["device"]["key"], "nic/0")
    # plain libxl leaves its entry when it takes a device away
    with open(b.dom.template_path, encoding="utf-8") as file:
        template = json.loads(file.read().rstrip("\0"))
    template["nics"].append(dict(template["nics"][0], devid=1,
                                 mac="00:16:3e:00:00:99"))
    b.dom.write_template(template)
    same(b.attach(0, "nic", nic)["device"]["key"], "nic/2")
    # an attach whose owner died before libxl was called
    with sqlite3.connect(os.environ["XLCFG_STATE_DIR"] +
                         "/state.db") as base:
        base.execute(
            "INSERT INTO intent(driver, uuid, op, phase, kind, key, match,"
            " after, since, attempts, incarnation) VALUES('xen', ?, 'attach',"
            " 'acting', 'nic', 'nic/3', 'nic/3', '{\"devid\": 3}', 0, 1, 0)",
            (b.dom.uuid,))
    same(b.attach(0, "nic", nic)["device"]["key"], "nic/4")
    # who names a ghost's number gets it
    same(b.attach(0, "nic", dict(nic, devid=1))["device"]["key"], "nic/1")


@test()
def numbers_do_not_collide(b):
    nic = {"script": b.good, "bridge": "xenbr0"}
    for devid in range(12):
        same(b.attach(0, "nic", nic)["device"]["key"], f"nic/{devid}")
    b.xlcfg(0, "detach", b.domid, "nic/3")
    b.xlcfg(0, "detach", b.domid, "nic/11")
    # a backend that nobody has is in the way of its number
    b.store.write(f"/local/domain/0/backend/vif/{b.domid}/3/frontend",
                  f"/local/domain/{b.domid}/device/vif/3")
    b.store.write(f"/local/domain/0/backend/vif/{b.domid}/3/frontend-id",
                  str(b.domid))
    # the numbers of those that have left are theirs, by their MACs
    same(b.attach(0, "nic", nic)["device"]["key"], "nic/12")
    same(b.attach(0, "nic", nic)["device"]["key"], "nic/13")
