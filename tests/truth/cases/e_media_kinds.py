# SPDX-License-Identifier: LGPL-2.1-or-later
"""E, G: media, and the kinds libxl's answer never looks at."""
from bench import NOT_THERE, Right, case


def with_cd(t, live, template="/srv/old.iso"):
    """A guest with a CD drive; `live` is the `params` in xenstore."""
    dom = t.hvm({"disks": [t.cdrom("/srv/old.iso")]})
    if template != "/srv/old.iso":
        dom.write_template(dom.config({"disks": [t.cdrom(template)]}))
    for base in (dom.devices["disks", 0].back, dom.devices["disks", 0].lib):
        t.store.write(base + "/params", live)
    return dom


def medium(path):
    return {"disk/hdc": {"pdev_path": path}}


@case("E0", "a CD in its drive")
def cd_in(t):
    with_cd(t, "aio:/srv/old.iso")
    return Right({"disk/hdc"}, fields=medium("/srv/old.iso"))


@case("E1", "QEMU has ejected, nothing is written: the medium is QEMU's")
def cd_ejected_silently(t):
    with_cd(t, "aio:/srv/old.iso")
    return Right({"disk/hdc"})


# the same bytes as E4: QEMU may have the new one by now
@case("E2", "emptied, and libxl was killed (E2, E3, E4)")
def cd_emptied(t):
    with_cd(t, "")
    return Right({"disk/hdc"}, fields=medium(""), complete=False,
                 unknown=("disk/hdc: pdev_path",))


@case("E5", "changed in QEMU and in the template, not in xenstore")
def cd_changing(t):
    with_cd(t, "", "/srv/new.iso")
    return Right({"disk/hdc"}, unknown=("disk/hdc: pdev_path",),
                 complete=False)


@case("E5b", "ejected, all written")
def cd_ejected(t):
    dom = with_cd(t, "")
    drive = t.cdrom("")
    del drive["pdev_path"]
    dom.write_template(dom.config({"disks": [dict(drive, format="empty")]}))
    return Right({"disk/hdc"}, fields=medium(""), complete=True)


@case("E6", "a new CD, all written")
def cd_new(t):
    with_cd(t, "aio:/srv/new.iso", "/srv/new.iso")
    return Right({"disk/hdc"}, fields=medium("/srv/new.iso"))


@case("E7", "somebody else put another CD in", libxl="wrong")
def cd_foreign(t):
    with_cd(t, "aio:/srv/new.iso")
    return Right({"disk/hdc"}, fields=medium("/srv/new.iso"))


@case("G1", "a keyboard hot-plugged by the real libxl", libxl="wrong")
def vkb_added(t):
    dom = t.domain({"vkbs": [{"devid": 0}]})
    t.attach(dom, "vkb", {"devid": 3})
    return Right({"vkb/0", "vkb/3"},
                 states={"vkb/3": ("foreign", "attaching")})


@case("G2", "a framebuffer hot-plugged by the real libxl", libxl="wrong")
def vfb_added(t):
    dom = t.domain()
    dom.device_model()
    t.attach(dom, "vfb", {"devid": 0, "vnc": {"enable": "True"}})
    return Right({"vfb/0"}, states={"vfb/0": ("foreign", "attaching")})


@case("G3", "a 9pfs share of another toolstack", libxl="wrong")
def p9_added(t):
    dom = t.domain()
    dom.add("p9s", {"devid": 0, "tag": "share", "path": "/srv"})
    return Right({"p9/0"}, states={"p9/0": "foreign"},
                 fields={"p9/0": {"path": "/srv"}})


@case("G4", "a channel that failed at creation", libxl="wrong")
def channel_ghost(t):
    dom = t.domain()
    dom.write_template(dom.config({"channels": [
        {"devid": 1, "name": "org.a", "connection.pty": {}}]}))
    return Right(states={"channel/1": NOT_THERE})


@case("G4b", "two channels, counted from 0 as xl does")
def channels_of_xl(t):
    dom = t.domain({"channels": [
        {"devid": 1, "name": "org.a", "connection.pty": {}},
        {"devid": 2, "name": "org.b", "connection.pty": {}}]})
    dom.write_template(dom.config({"channels": [
        {"devid": 0, "name": "org.a", "connection.pty": {}},
        {"devid": 1, "name": "org.b", "connection.pty": {}}]}))
    return Right({"channel/0", "channel/1"},
                 states={"channel/0": "attached", "channel/1": "attached"})


@case("G5", "vkb, vfb, 9pfs, pvcalls and a channel, all there")
def quiet_kinds(t):
    t.domain({"vkbs": [{"devid": 1}], "vfbs": [{"devid": 0}],
              "p9s": [{"devid": 0, "tag": "share", "path": "/srv",
                       "security_model": "none"}],
              "pvcallsifs": [{"devid": 0}],
              "channels": [{"devid": 1, "name": "org.a",
                            "connection.pty": {}}]})
    return Right({"vkb/1", "vfb/0", "p9/0", "pvcallsif/0", "channel/1"})


@case("G6", "vdispl and vsnd, all there")
def display_and_sound(t):
    t.domain({"vdispls": [{"devid": 0, "be_alloc": "False"}],
              "vsnds": [{"devid": 0, "short_name": "card"}]})
    return Right({"vdispl/0", "vsnd/0"})


@case("G7", "rdms and dtdevs: nothing in xenstore shows them")
def invisible(t):
    t.domain({"rdms": [{"start": 4096, "size": 8192, "policy": "strict"}],
              "dtdevs": [{"path": "/soc/uart"}]})

    def check(whole):
        states = {d["key"].split("/")[0]: d["state"]
                  for d in whole["devices"]}
        wanted = {"rdm": "unknown", "dtdev": "unknown"}
        config = whole["config"]
        if len(config.get("rdms", [])) != 1 or \
                len(config.get("dtdevs", [])) != 1:
            return "rdms or dtdevs are not in the configuration"
        return None if states == wanted else f"states {states}"
    # Their keys are ours to choose: only the kind before the / is compared.
    return Right(may={"rdm/4096", "dtdev//soc/uart"}, check=check)
