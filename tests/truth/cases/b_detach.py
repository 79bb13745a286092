# SPDX-License-Identifier: LGPL-2.1-or-later
"""B, C: interrupted and refused unplugs; driver domains."""
from bench import NOT_THERE, Right, case


def two_disks(t, **more):
    return t.domain({"disks": [t.disk("xvda"), t.disk("xvdb", **more)]})


DETACHING = {"disk/xvdb": "detaching"}


@case("B1", "the guest does not let go", libxl="wrong")
def refused(t):
    dom = two_disks(t)
    t.knob(f"vbd/{dom.domid}/51728 refuse")
    t.detach(dom, "disk", "xvdb", "--safe", expect=4, seconds=1)
    return Right({"disk/xvda"}, states=DETACHING)


@case("B2", "the guest let go after libxl had given up", libxl="wrong")
def let_go_late(t):
    dom = two_disks(t)
    t.knob(f"vbd/{dom.domid}/51728 refuse")
    t.detach(dom, "disk", "xvdb", "--safe", expect=4, seconds=1)
    device = dom.devices["disks", 1]
    t.store.write(device.front + "/state", 6)
    device.set(state=6)
    return Right({"disk/xvda"}, states=DETACHING)


@case("B3", "killed in the unplug script: state 6, a nic", libxl="wrong")
def killed_in_script(t):
    dom = t.domain({"nics": [t.nic(0), t.nic(1)]})
    dom.devices["nics", 1].set(online=0, state=6)
    return Right({"nic/0"}, states={"nic/1": "detaching"})


@case("B4", "killed in a forced unplug: the frontend is gone",
      libxl="wrong")
def killed_forced(t):
    dom = two_disks(t)
    t.knob(f"vbd/{dom.domid}/51728 refuse")
    dom.devices["disks", 1].set(online=0, state=5)
    dom.devices["disks", 1].forget("front")
    return Right({"disk/xvda"}, states=DETACHING)


@case("B5", "a disk was unplugged; its template entry stays")
def stale_disk(t):
    dom = two_disks(t)
    t.detach(dom, "disk", "xvdb", "--safe")
    return Right({"disk/xvda"}, states={"disk/xvdb": NOT_THERE},
                 complete=True)


@case("B5b", "vkb, vfb and pvcalls were unplugged", libxl="wrong")
def stale_ghosts(t):
    dom = t.domain({"disks": [t.disk("xvda")], "vkbs": [{"devid": 1}],
                    "vfbs": [{"devid": 0}], "pvcallsifs": [{"devid": 0}]})
    t.detach(dom, "vkb", 1)
    t.detach(dom, "vfb", 0)
    t.detach(dom, "pvcallsif", 0)
    return Right({"disk/xvda"}, states={
        "vkb/1": NOT_THERE, "vfb/0": NOT_THERE, "pvcallsif/0": NOT_THERE})


@case("B5c", "a 9pfs share was unplugged", libxl="wrong")
def stale_p9(t):
    dom = t.domain({"p9s": [{"devid": 0, "tag": "share", "path": "/srv",
                             "security_model": "none"}]})
    t.detach(dom, "p9", 0)
    return Right(states={"p9/0": NOT_THERE})


@case("B6", "a rebooting guest has closed its disks: state 6, online")
def rebooting(t):
    dom = two_disks(t)
    for device in dom.devices.values():
        device.set(state=6)
        t.store.write(device.front + "/state", 6)
    return Right({"disk/xvda", "disk/xvdb"}, complete=True)


@case("B6b", "the same in state 5")
def rebooting_closing(t):
    dom = t.domain({"disks": [t.disk("xvda", backend="qdisk",
                                     script=None)]}, state="paused")
    t.knob(f"qdisk/{dom.domid}/* refuse")
    dom.devices["disks", 0].set(state=5)
    return Right({"disk/xvda"})


def driver_domain(t):
    """Another domain, laid out second: cases ask about the first."""
    return t.domain(name=f"driver{t.next_domid}")


def behind(t, alive, **keys):
    """A domain with one nic in dom0 and one behind a driver domain."""
    dom = t.domain(create=False)
    driver = driver_domain(t)
    far = t.nic(1, backend_domid=driver.domid,
                backend_domname=driver.name)
    dom.create({"nics": [t.nic(0), far]})
    device = dom.devices["nics", 1]
    device.set(**keys)
    if not alive:
        t.domains.remove(driver)
        driver.destroy()
    return dom, driver, device


@case("C1", "the driver domain is dead")
def driver_dead(t):
    behind(t, alive=False)
    return Right({"nic/0", "nic/1"}, states={"nic/1": "orphaned"})


@case("C2", "the driver domain lives and has dropped the backend",
      libxl="wrong")
def driver_dropped(t):
    _, _, device = behind(t, alive=True)
    device.forget("back")
    return Right({"nic/0"}, states={"nic/1": "detaching"})


@case("C3", "an unplug that the driver domain has not finished",
      libxl="wrong")
def driver_slow(t):
    behind(t, alive=True, online=0, state=6)
    return Right({"nic/0"}, states={"nic/1": "detaching"})


@case("C4", "unplugged with the wrong backend domain: a leaked backend",
      libxl="ok")
def driver_leaked(t):
    dom, _, device = behind(t, alive=True)
    t.detach(dom, "nic", 1, "--force")
    if not t.store.exists(device.back):
        raise RuntimeError("libxl found the driver domain after all")
    return Right({"nic/0"}, states={"nic/1": "leaked"})


@case("C4b", "a backend left by an earlier domain of the same number")
def other_incarnation(t):
    dom = t.domain({"nics": [t.nic(0)]})
    driver_domain(t)
    old = f"/local/domain/0/backend/vif/{dom.domid}/7"
    t.store.write(old + "/frontend", "/local/domain/99999/device/vif/7")
    t.store.write(old + "/frontend-id", 99999)
    t.store.write(old + "/online", 1)
    t.store.write(old + "/state", 4)
    t.undo.append(lambda: t.store.rm(old))
    return Right({"nic/0"}, states={"nic/7": NOT_THERE + ("leaked",)})


@case("C5", "libxl unplugs behind a driver domain, named and numbered",
      libxl="wrong")
def driver_detached(t):
    dom, driver, device = behind(t, alive=True)
    path = f"{t.folder}/nic.json"
    with open(path, "w", encoding="ascii") as file:
        file.write('{"devid": 1, "backend_domid": %d}' % driver.domid)
    t.store.write(device.back + "/state", 6)
    t.detach(dom, "nic", "@" + path, "--force", seconds=3, expect=4)
    return Right({"nic/0"}, states={"nic/1": "detaching"})
