# SPDX-License-Identifier: LGPL-2.1-or-later
"""A: interrupted and failed attaches, at each step of libxl's own order."""
from bench import NOT_THERE, Right, case


def with_xvda(t, **more):
    return t.domain({"disks": [t.disk("xvda")]}, **more)


def added(t, body, array="disks", state=4, **more):
    """A domain with xvda, and a template that has `body` as well."""
    dom = with_xvda(t)
    t.knob(f"*/{dom.domid}/* silent")       # the state is to stay as it is
    config = {"disks": [t.disk("xvda")]}
    config.setdefault(array, [])
    config[array] = config[array] + [body]
    dom.write_template(dom.config(config))
    return dom, dom.add(array, body, 1, state=state, **more)


@case("A0", "nothing was begun")
def nothing_begun(t):
    with_xvda(t)
    return Right({"disk/xvda"}, complete=True)


@case("A1", "killed while writing the new template: a stray file")
def stray_file(t):
    dom = with_xvda(t)
    path = dom.template_path.replace("userdata-d", "userdata-n")
    with open(path, "wb"):
        pass
    return Right({"disk/xvda"}, complete=True)


@case("A2", "killed between template and xenstore")
def only_template(t):
    dom = with_xvda(t)
    dom.write_template(dom.config(
        {"disks": [t.disk("xvda"), t.disk("xvdb")]}))
    return Right({"disk/xvda"}, states={"disk/xvdb": NOT_THERE})


@case("A3", "libxl's own write failed half-way and it said success",
      libxl="wrong")
def half_written(t):
    dom = with_xvda(t)
    dom.device_model()
    t.attach(dom, "disk", t.disk("xvdb", backend="qdisk", script=None,
                                 pdev_path="/" + "x" * 4198))
    return Right({"disk/xvda"}, states={"disk/xvdb": "failed"})


@case("A3b", "a nic whose entry has no backend", libxl="wrong")
def nic_without_backend(t):
    dom = t.domain({"nics": [t.nic(0), t.nic(1)]})
    dom.devices["nics", 1].set_lib("backend", None)
    return Right({"nic/0"}, states={"nic/1": "failed"})


@case("A3c", "a backend directory that lacks online and state",
      libxl="wrong")
def backend_half_written(t):
    dom = with_xvda(t)
    _, device = dom, dom.add("disks", t.disk("xvdb"), 1)
    dom.write_template(dom.config(
        {"disks": [t.disk("xvda"), t.disk("xvdb")]}))
    device.set(online=None, state=None)
    return Right({"disk/xvda"}, states={"disk/xvdb": "failed"})


@case("A4", "libxl killed while it waits for the backend")
def killed_waiting(t):
    dom = with_xvda(t)
    t.knob(f"vbd/{dom.domid}/51728 silent")
    t.attach(dom, "disk", t.disk("xvdb"), expect=4, seconds=1)
    return Right({"disk/xvda", "disk/xvdb"},
                 states={"disk/xvdb": "attaching"})


@case("A5", "the backend never answers")
def never_answers(t):
    added(t, t.vtpm(0), "vtpms", state=1)
    return Right({"disk/xvda", "vtpm/0"}, states={"vtpm/0": "attaching"})


@case("A6", "a disk in state 2, its script not run")
def script_not_run(t):
    _, device = added(t, t.disk("xvdb"), state=2)
    device.set(physical_device=None)
    return Right({"disk/xvda", "disk/xvdb"},
                 states={"disk/xvdb": "attaching"})


@case("A6b", "a nic in state 2, its script not run")
def vif_script_not_run(t):
    added(t, t.nic(0), "nics", state=2)
    return Right({"disk/xvda", "nic/0"}, states={"nic/0": "attaching"})


@case("A7", "the script died after physical-device")
def script_died(t):
    _, device = added(t, t.disk("xvdb"), state=2)
    device.set(physical_device="7:1", node="/dev/loop1",
               hotplug_status=None)
    return Right({"disk/xvda", "disk/xvdb"},
                 states={"disk/xvdb": "attaching"})


@case("A8", "the hotplug script failed", libxl="wrong")
def script_failed(t):
    dom = with_xvda(t)
    t.knob(f"vbd/{dom.domid}/51728 noscript noconnect")
    t.attach(dom, "disk", t.disk("xvdb", script=t.failing_script), expect=1)
    return Right({"disk/xvda"}, states={"disk/xvdb": "failed"},
                 complete=True)


@case("A8d", "the script died without a word: nobody can tell yet")
def script_mute(t):
    dom = with_xvda(t)
    t.knob(f"vbd/{dom.domid}/51728 noscript noconnect")
    t.attach(dom, "disk", t.disk("xvdb", script=t.mute_script), expect=1)
    return Right({"disk/xvda", "disk/xvdb"},
                 states={"disk/xvdb": "attaching"})


@case("A8b", "the script says that the disk is in use", libxl="wrong")
def script_busy(t):
    dom = with_xvda(t)
    t.knob(f"vbd/{dom.domid}/51728 busy")
    t.attach(dom, "disk", t.disk("xvdb"))
    t.wait_node(f"/local/domain/0/backend/vbd/{dom.domid}/51728"
                "/hotplug-status", "busy")
    return Right({"disk/xvda"}, states={"disk/xvdb": "failed"})


@case("A8c", "the script left a reason, its status is not written",
      libxl="wrong")
def script_error_only(t):
    _, device = added(t, t.disk("xvdb"), state=2)
    device.set(hotplug_error="no such device", hotplug_status=None)

    def reason(whole):
        text = [d.get("reason") or "" for d in whole["devices"]
                if d["key"] == "disk/xvdb"]
        return None if text and "no such device" in text[0] else \
            f"the script's reason is not told: {text}"
    return Right({"disk/xvda"}, states={"disk/xvdb": "failed"},
                 check=reason)


@case("A9", "a qdisk that no QEMU serves")
def qdisk_unserved(t):
    added(t, t.disk("xvdb", backend="qdisk", script=None), state=1)
    return Right({"disk/xvda", "disk/xvdb"},
                 states={"disk/xvdb": "attaching"})


@case("A10", "done; the guest has no driver yet")
def no_driver_yet(t):
    _, device = added(t, t.disk("xvdb"), state=2)
    device.set(hotplug_status="connected")
    return Right({"disk/xvda", "disk/xvdb"},
                 states={"disk/xvdb": ("attached", "attaching")})


@case("A11", "the guest removed its whole frontend")
def frontend_gone(t):
    dom = with_xvda(t)
    dom.devices["disks", 0].forget("front")
    return Right({"disk/xvda"}, complete=True)


@case("A11b", "the guest rewrote its frontend: another backend, state 6")
def frontend_forged(t):
    dom = with_xvda(t)
    device = dom.devices["disks", 0]
    t.store.write(device.front + "/backend", "/local/domain/0/backend/vbd/0")
    t.store.write(device.front + "/state", "6")
    return Right({"disk/xvda"})


@case("A12", "an error lost during creation: state 1 for good")
def lost_at_creation(t):
    added(t, t.nic(0), "nics", state=1)
    return Right({"disk/xvda", "nic/0"}, states={"nic/0": "attaching"})


@case("A13", "attach and detach by the real libxl, all as it should be",
      libxl="ok")
def libxl_attach_detach(t):
    dom = with_xvda(t)
    t.attach(dom, "disk", t.disk("xvdb"))
    t.attach(dom, "disk", t.disk("xvdc"))
    t.attach(dom, "vtpm", t.vtpm(0))
    t.wait_node(f"/local/domain/0/backend/vbd/{dom.domid}/51728/state", "4")
    t.wait_node(f"/local/domain/0/backend/vtpm/{dom.domid}/0/state", "4")
    t.detach(dom, "disk", "xvdc", "--safe")
    return Right({"disk/xvda", "disk/xvdb", "vtpm/0"},
                 states={"disk/xvdc": NOT_THERE}, complete=True)
