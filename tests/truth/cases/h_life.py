# SPDX-License-Identifier: LGPL-2.1-or-later
"""H, I: creation, destruction, stale files; the scalars."""
import os

from bench import Right, case

FOREIGN = {"disk/xvda": "foreign"}


@case("H1", "libxl killed in creation: no template yet", libxl="error")
def creating(t):
    t.domain({"disks": [t.disk("xvda")]}, template=False)
    return Right({"disk/xvda"}, states=FOREIGN, complete=False)


@case("H1b", "a template of an earlier boot, same domid and uuid",
      libxl="wrong")
def earlier_boot(t):
    dom = t.domain({"disks": [t.disk("xvda")]})
    dom.write_template(dom.config({"disks": [t.disk("xvdz")]}))
    return Right({"disk/xvda"}, states=FOREIGN)


@case("H2", "the template could not be written: a nic and a phy disk whose "
      "path has colons", libxl="error")
def never_written(t):
    path = "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"
    t.domain({"disks": [t.disk("xvda", pdev_path=path),
                        t.disk("xvdb", backend="qdisk", script=None,
                               format="qcow2", pdev_path="/srv/a:b.qcow2")],
              "nics": [t.nic(0, bridge="br7", mtu=9000)]}, template=False)
    return Right(
        {"disk/xvda", "disk/xvdb", "nic/0"}, complete=False,
        states={"disk/xvda": "foreign", "disk/xvdb": "foreign",
                "nic/0": "foreign"},
        fields={"disk/xvda": {"pdev_path": path, "backend": "phy"},
                "disk/xvdb": {"pdev_path": "/srv/a:b.qcow2",
                              "format": "qcow2", "backend": "qdisk"},
                "nic/0": {"mac": "00:16:3e:00:00:00", "bridge": "br7",
                          "mtu": 9000}})


@case("H3", "being destroyed: xenstore is gone, the template is not",
      libxl="wrong")
def half_destroyed(t):
    dom = t.domain({"disks": [t.disk("xvda")]}, state="paused")
    for path in (f"/vm/{dom.uuid}", dom.path, f"/libxl/{dom.domid}"):
        t.store.rm(path)
    return Right(absent=True)


@case("H4", "being destroyed: the template is gone as well (H4, H5)")
def destroyed_but_one(t):
    dom = t.domain({"disks": [t.disk("xvda")]}, state="dying")
    for path in (f"/vm/{dom.uuid}", dom.path, f"/libxl/{dom.domid}"):
        t.store.rm(path)
    os.unlink(dom.template_path)
    return Right(absent=True)


@case("H6", "the host crashed: a file without a domain")
def only_file(t):
    dom = t.domain(create=False)
    dom.write_template(dom.config({"disks": [t.disk("xvda")]}))
    return Right(absent=True)


@case("H7", "destroyed while it was created: only what xenstore has left")
def leftovers(t):
    dom = t.domain({"disks": [t.disk("xvda")]}, template=False)
    dom.tell_hypervisor(False)
    return Right(absent=True)


@case("H8", "devices of another toolstack, and the implicit ones",
      libxl="wrong")
def other_toolstack(t):
    dom = t.hvm({"disks": [t.disk("xvda")]})
    dom.add("nics", t.nic(0))
    dom.add("vkbs", {"devid": 0})       # every HVM guest has this one
    return Right({"disk/xvda", "nic/0"}, states={"nic/0": "foreign"})


@case("H8b", "an HVM guest's keyboard, which the template lists")
def explicit_keyboard(t):
    t.hvm({"disks": [t.disk("xvda")], "vkbs": [{"devid": 0}]})
    return Right({"disk/xvda", "vkb/0"}, states={"vkb/0": "attached"})


@case("H9", "the name is missing", libxl="wrong")
def nameless(t):
    dom = t.domain({"disks": [t.disk("xvda"), t.disk("xvdb")]},
                   memkb=131072)
    t.store.rm(dom.path + "/name")
    t.store.write(dom.path + "/memory/target", 98304)
    dom.devices["disks", 1].forget("front", "lib", "back")
    return Right({"disk/xvda"}, unknown=("name",), complete=False,
                 scalars={"/b_info/target_memkb": 98304})


@case("H10", "a driver domain was renamed", libxl="wrong")
def renamed_driver(t):
    dom = t.domain(create=False)
    driver = t.domain(name="net1")
    dom.create({"nics": [t.nic(0, backend_domid=driver.domid,
                               backend_domname="net1")]})
    t.stock("rename", driver.domid, "net2")
    return Right({"nic/0"},
                 fields={"nic/0": {"backend_domname": "net2"}})


@case("H11", "a stubdomain: it never had a template", libxl="error")
def a_stubdomain(t):
    stub = t.domain({"disks": [t.disk("xvda")]}, template=False,
                    name="guest-dm")
    t.store.write(stub.path + "/target", 1)
    return Right({"disk/xvda"}, states=FOREIGN, complete=False)


# ---- scalars ---------------------------------------------------------------

@case("I1", "mem-set, mem-max and rename by the real libxl")
def scalars(t):
    dom = t.domain(memkb=131072, maxmemkb=262144)
    for words in (["mem-set", dom.domid, 196608],
                  ["mem-max", dom.domid, 229376],
                  ["rename", dom.domid, "other"]):
        result = t.stock(*words)
        if result.returncode:
            raise RuntimeError(f"{words}: {result.stdout}")
    return Right(scalars={"/b_info/target_memkb": 196608,
                          "/b_info/max_memkb": 229376,
                          "/c_info/name": "other"}, complete=True)


@case("I2", "HVM memory as it was created")
def hvm_created(t):
    dom = t.hvm(memkb=131072, maxmemkb=262144)
    # Creation takes video memory and a constant off what was asked for.
    t.store.write(dom.path + "/memory/target", 131072 - 8192 - 1024)
    return Right(scalars={"/b_info/target_memkb": 131072,
                          "/b_info/max_memkb": 262144})


@case("I3", "HVM memory after mem-set: 1024 KiB too much", libxl="wrong")
def hvm_mem_set(t):
    dom = t.hvm(memkb=131072, maxmemkb=262144)
    t.store.write(dom.path + "/memory/target", 131072 - 8192 - 1024)
    result = t.stock("mem-set", dom.domid, 196608)
    if result.returncode:
        raise RuntimeError(f"mem-set: {result.stdout}")
    return Right(scalars={"/b_info/target_memkb": 196608})


@case("I4", "memory with a template that names no video memory",
      libxl="wrong")
def no_video(t):
    dom = t.domain(memkb=131072)
    config = dom.config()
    del config["b_info"]["video_memkb"]
    dom.write_template(config)
    return Right(scalars={"/b_info/target_memkb": 131072})


@case("I5", "vcpu-set of a PV guest")
def vcpu_set(t):
    dom = t.domain(vcpus=4)
    result = t.stock("vcpu-set", dom.domid, 2)
    if result.returncode:
        raise RuntimeError(f"vcpu-set: {result.stdout}")
    return Right(scalars={"/b_info/avail_vcpus": [0, 1],
                          "/b_info/max_vcpus": 4})


@case("I6", "an HVM vcpu taken off-line: QEMU still has it", libxl="wrong")
def hvm_offline(t):
    dom = t.hvm(vcpus=2)
    t.store.write(dom.path + "/cpu/1/availability", "offline")
    return Right(scalars={"/b_info/avail_vcpus": [0]})


@case("I7", "PV vcpus whose availability is missing", libxl="wrong")
def no_availability(t):
    dom = t.domain(vcpus=2)
    t.store.rm(dom.path + "/cpu/0")
    t.store.rm(dom.path + "/cpu/1")
    return Right(scalars={"/b_info/avail_vcpus": [0, 1]},
                 unknown=("vcpu",), complete=False)


@case("I8", "a scheduler libxl has no word for", libxl="error")
def other_scheduler(t):
    t.domain({"disks": [t.disk("xvda")]})
    t.host("sched=arinc653")
    return Right({"disk/xvda"}, unknown=("sched",), complete=False)


@case("I9", "the cpupool's name cannot be read", libxl="error")
def nameless_pool(t):
    t.domain({"disks": [t.disk("xvda")]})
    t.store.rm("/local/pool/0/name")
    t.undo.append(lambda: t.store.write("/local/pool/0/name", "Pool-0"))
    return Right({"disk/xvda"})


@case("I10", "xl config-update left a configuration for the next start")
def pending_update(t):
    dom = t.domain({"disks": [t.disk("xvda")]})
    result = t.stock("store", dom.domid, "xl", "-", body={"disks": []})
    if result.returncode:
        raise RuntimeError(f"store: {result.stdout}{result.stderr}")
    # what runs is not what comes next
    return Right({"disk/xvda"}, complete=True)


@case("I11", "a disk plugged after a migration read the configuration")
def migration_window(t):
    dom = t.domain({"disks": [t.disk("xvda")]})
    t.stock("retrieve", dom.domid)          # what xl sends ahead
    t.attach(dom, "disk", t.disk("xvdb"))
    t.wait_node(f"/local/domain/0/backend/vbd/{dom.domid}/51728/state", "4")
    return Right({"disk/xvda", "disk/xvdb"}, complete=True)


@case("I12", "quotas of xenstore, for which this libxl has no word",
      libxl="wrong")
def quotas(t):
    disk = t.disk("xvda")
    dom = t.domain({"disks": [disk]})
    quota = {"max_entry_size": 2048, "max_nodes": 1000}
    dom.write_template(dom.config({"disks": [disk],
                                   "b_info": {"x_quota": quota}}))
    # kept as they are; nobody is asked for one, so none can fail
    return Right({"disk/xvda"}, scalars={"/b_info/x_quota": quota},
                 complete=True)
