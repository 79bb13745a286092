# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents that the schemas must take, and edits that make them wrong.

WRONG rows: schema, pointer of the member to change, its new value (GONE
takes it away), pointer that the error must name.
"""
import copy

GONE = object()
HASH = "0f" * 32
UUID = "7d1f0c5e-26a5-4b8f-9d0a-3a1a6c1b2e3f"
CONFIG = {
    "c_info": {"type": "pvh", "name": "web", "uuid": UUID,
               "xsdata": {"vm-data/role": "web", "vm-data/flag": None}},
    "b_info": {
        "max_vcpus": 2, "avail_vcpus": [0, 1], "max_memkb": 1048576,
        "cpuid": {"cpuid": [{"leaf": 7, "subleaf": 0, "edx": "1" * 32}],
                  "msr": [{"index": 266, "policy": "x" * 63 + "1"}]},
        "vnuma_nodes": [{"memkb": 1048576, "distances": [10],
                         "vcpus": [0, 1]}],
        "sched_params": {"sched": "credit2", "weight": 256},
        "type.pvh": {"pvshim": "False"}, "arch_arm": {}, "arch_x86": {}},
    "disks": [{"pdev_path": "/dev/vg/web", "vdev": "xvda", "backend": "phy",
               "format": "raw", "readwrite": 1,
               "x-libvirt": "<serial>1</serial>"}],
    "nics": [{"devid": 0, "mac": "00:16:3e:00:00:01", "bridge": "xenbr0"}],
    "channels": [{"devid": 1, "name": "agent", "connection.socket":
                  {"path": "/run/agent"}}],
    "usbdevs": [{"ctrl": 0, "port": 1,
                 "type.hostdev": {"hostbus": 1, "hostaddr": 4}}],
    "on_crash": "destroy",
    "x-libvirt": {"features": "<features><acpi/></features>"},
}
DEVICE = {
    "key": "disk/xvda", "incarnation": 1, "state": "attached",
    "reason": None, "since": "2024-02-29T23:59:60Z", "attempts": 0,
    "address": {"vdev": "xvda"}, "in_config": True,
    "seen_in": ["template", "live"], "path": "/disks/0",
}
DOMAIN = {"uuid": UUID, "name": "web", "domid": 3, "driver": "xen",
          "state": "running"}
GET = {
    "domain": DOMAIN, "version": "9f3a.00000000000000000012", "hash": HASH,
    "address_hash": HASH, "complete": True, "unknown": [], "config": CONFIG,
    "devices": [DEVICE],
}
ROW = {**DOMAIN, "version": None, "hash": HASH, "address_hash": HASH}

GOOD = {
    "get.json": GET,
    "addresses.json": {"version": None, "choice": 2, "newest": 2,
                       "addresses": [
                           {"key": "nic/0", "kind": "nic", "held": "kept",
                            "address": {"devid": 0}}]},
    "devices.json": {"version": None, "devices": [
        DEVICE, {**DEVICE, "key": "nic/00:16:3e:00:00:01.2", "path": None,
                 "state": "unknown", "reason": "backend gave no answer",
                 "since": None, "address": None, "in_config": False,
                 "seen_in": []}]},
    "template.json": {"version": "1.0", "config": CONFIG},
    "list.json": {"version": "9f3a.13", "domains": [
        ROW, {**ROW, **GET, "domid": None, "state": "stopped"}],
        "gone": ["7d1f0c5e-26a5-4b8f-9d0a-3a1a6c1b2e40"]},
    "diff.json": {"from": "template", "to": "live", "changes": [
        {"key": "disk/xvdb", "kind": "added", "from": None,
         "to": {"vdev": "xvdb"}},
        {"path": "/b_info/target_memkb", "kind": "changed", "from": 1,
         "to": 2}]},
    "features.json": {"features": [
        {"name": "attach.disk", "answer": "yes", "level": "live",
         "reason": None, "source": "driver"},
        {"name": "checkpoint", "answer": "no", "level": None,
         "reason": "the xen driver has no dirty bitmaps", "source": None}]},
    "error.json": {"error": {
        "code": -1002, "name": "CONFLICT", "where": "web",
        "message": "version is 9f3a.13, not 9f3a.12"}},
    "intent.json": {
        "id": 4, "op": "detach", "phase": "waiting", "kind": "disk",
        "key": "disk/xvda", "before": {"vdev": "xvda"}, "after": None,
        "reason": None, "since": "2024-05-01T10:00:00.25Z", "attempts": 2,
        "incarnation": 1, "domain": "x"},
    "event.json": {**GET, "revision": 12, "time": "2026-01-02T03:04:05Z",
                   "event": "device-attached", "changes": [
        {"key": "disk/xvda", "incarnation": 1, "was": None,
         "now": "attached", "reason": None}]},
    "domain-config.json": CONFIG,
    "device-disk.json": CONFIG["disks"][0],
    "device-virtio.json": {"type": "virtio,device22", "transport": "mmio",
                           "grant_usage": "True", "devid": 0, "irq": 33,
                           "base": 33554432},
}
MORE = [
    ("event.json", {"event": "bookmark", "version": "9f3a.12"}),
    ("get.json", {**GET, "complete": False,
                  "unknown": ["/local/domain/3/memory/target"]}),
    ("domain-config.json", {}),
    ("domain-config.json", {"b_info": {"cpuid": [{"leaf": 1}]}}),
    ("domain-config.json", {"added-later": {"kept": [1, None]}}),
    ("device-usbdev.json", {}),
    ("diff.json", {"from": "a", "to": "b", "changes": []}),
]
# Of MORE, what only holds in the form that takes unknown members.
LOOSE = {4}

WRONG = [
    ("addresses.json", "/addresses/0/held", "gone", "/addresses/0/held"),
    ("addresses.json", "/choice", 0, "/choice"),
    ("domain-config.json", "/c_info/uuid", "not-a-uuid", "/c_info/uuid"),
    ("domain-config.json", "/c_info/type", "PVH", "/c_info/type"),
    ("domain-config.json", "/c_info/type", None, "/c_info/type"),
    ("domain-config.json", "/c_info/hap", True, "/c_info/hap"),
    ("domain-config.json", "/c_info/hap", "true", "/c_info/hap"),
    ("domain-config.json", "/c_info/domid", -1, "/c_info/domid"),
    ("domain-config.json", "/c_info/domid", 2**32, "/c_info/domid"),
    ("domain-config.json", "/c_info/xsdata", ["a", "b"], "/c_info/xsdata"),
    ("domain-config.json", "/c_info/xsdata/a", 1, "/c_info/xsdata/a"),
    ("domain-config.json", "/b_info", [], "/b_info"),
    ("domain-config.json", "/b_info/max_vcpus", 2**31, "/b_info/max_vcpus"),
    ("domain-config.json", "/b_info/max_vcpus", "2", "/b_info/max_vcpus"),
    ("domain-config.json", "/b_info/max_vcpus", 2.5, "/b_info/max_vcpus"),
    ("domain-config.json", "/b_info/max_memkb", 2**64, "/b_info/max_memkb"),
    ("domain-config.json", "/b_info/max_memkb", -1, "/b_info/max_memkb"),
    ("domain-config.json", "/b_info/avail_vcpus", "0-1",
     "/b_info/avail_vcpus"),
    ("domain-config.json", "/b_info/avail_vcpus/1", 0,
     "/b_info/avail_vcpus"),
    ("domain-config.json", "/b_info/avail_vcpus/1", -1,
     "/b_info/avail_vcpus/1"),
    ("domain-config.json", "/b_info/vcpu_hard_affinity", [0, 1],
     "/b_info/vcpu_hard_affinity/0"),
    ("domain-config.json", "/b_info/cpuid/msr", GONE, "/b_info/cpuid"),
    ("domain-config.json", "/b_info/cpuid/cpuid/0/edx", "1",
     "/b_info/cpuid/cpuid/0/edx"),
    ("domain-config.json", "/b_info/cpuid/cpuid/0/leaf", GONE,
     "/b_info/cpuid/cpuid/0"),
    ("domain-config.json", "/b_info/cpuid/msr/0/policy", "2" * 64,
     "/b_info/cpuid/msr/0/policy"),
    ("domain-config.json", "/b_info/vnuma_nodes/0/distances/0", -10,
     "/b_info/vnuma_nodes/0/distances/0"),
    ("domain-config.json", "/b_info/sched_params/sched", "cfs",
     "/b_info/sched_params/sched"),
    ("domain-config.json", "/b_info/type.pv", {}, "/b_info/type.pv"),
    ("domain-config.json", "/b_info/type.pvh", "pvh", "/b_info/type.pvh"),
    ("domain-config.json", "/b_info/type.pvh/pvshim", 0,
     "/b_info/type.pvh/pvshim"),
    ("domain-config.json", "/disks", {}, "/disks"),
    ("domain-config.json", "/disks/0", "phy:/dev/vg/web,xvda,w", "/disks/0"),
    ("domain-config.json", "/disks/0/format", "qcow3", "/disks/0/format"),
    ("domain-config.json", "/disks/0/readwrite", True, "/disks/0/readwrite"),
    ("domain-config.json", "/disks/0/direct_io_safe", "True",
     "/disks/0/direct_io_safe"),
    ("domain-config.json", "/disks/0/x-libvirt", 1, "/disks/0/x-libvirt"),
    ("domain-config.json", "/nics/0/mac", "00:16:3e:00:00", "/nics/0/mac"),
    ("domain-config.json", "/nics/0/mac", "00-16-3e-00-00-01",
     "/nics/0/mac"),
    ("domain-config.json", "/nics/0/devid", "0", "/nics/0/devid"),
    ("domain-config.json", "/channels/0/connection.pty", {},
     "/channels/0/connection.pty"),
    ("domain-config.json", "/usbdevs/0/type.hostdev/hostbus", 256,
     "/usbdevs/0/type.hostdev/hostbus"),
    ("domain-config.json", "/on_crash", "reboot", "/on_crash"),
    ("domain-config.json", "/x-libvirt", [], "/x-libvirt"),
    ("device-disk.json", "/vdev", 51712, "/vdev"),
    ("device-virtio.json", "/transport", "pci", "/transport"),
    ("get.json", "/domain/state", "blocked", "/domain/state"),
    ("get.json", "/domain/domid", "3", "/domain/domid"),
    ("get.json", "/domain/uuid", GONE, "/domain"),
    ("get.json", "/version", 12, "/version"),
    ("get.json", "/version", "12", "/version"),
    ("get.json", "/version", "9F3A.12", "/version"),
    ("get.json", "/hash", HASH.upper(), "/hash"),
    ("get.json", "/hash", HASH[1:], "/hash"),
    ("get.json", "/hash", None, "/hash"),
    ("get.json", "/address_hash", GONE, ""),
    ("get.json", "/complete", "true", "/complete"),
    ("get.json", "/complete", False, "/unknown"),
    ("get.json", "/unknown", ["scheduler"], "/unknown"),
    ("get.json", "/unknown", None, "/unknown"),
    ("get.json", "/config", None, "/config"),
    ("get.json", "/config/nics/0/mtu", "1500", "/config/nics/0/mtu"),
    ("get.json", "/devices/0/key", "xvda", "/devices/0/key"),
    ("get.json", "/devices/0/key", "floppy/0", "/devices/0/key"),
    ("get.json", "/devices/0/key", "disk/", "/devices/0/key"),
    ("get.json", "/devices/0/state", "connected", "/devices/0/state"),
    ("get.json", "/devices/0/since", "2024-02-29 10:00:00Z",
     "/devices/0/since"),
    ("get.json", "/devices/0/since", "2024-02-29T10:00:00+01:00",
     "/devices/0/since"),
    ("get.json", "/devices/0/since", 1709200000, "/devices/0/since"),
    ("get.json", "/devices/0/incarnation", -1, "/devices/0/incarnation"),
    ("get.json", "/devices/0/seen_in", ["xenstore"],
     "/devices/0/seen_in/0"),
    ("get.json", "/devices/0/seen_in", ["live", "live"],
     "/devices/0/seen_in"),
    ("get.json", "/devices/0/path", "disks/0", "/devices/0/path"),
    ("get.json", "/devices/0/in_config", GONE, "/devices/0"),
    ("devices.json", "/devices/1/state", None, "/devices/1/state"),
    ("devices.json", "/devices/0/attempts", GONE, "/devices/0"),
    ("devices.json", "/version", GONE, ""),
    ("template.json", "/config", GONE, ""),
    ("template.json", "/config/c_info/name", 7, "/config/c_info/name"),
    ("list.json", "/domains", {}, "/domains"),
    ("list.json", "/domains/0/hash", "", "/domains/0/hash"),
    ("list.json", "/domains/0/address_hash", GONE, "/domains/0"),
    ("list.json", "/domains/1/config/disks", 0, "/domains/1/config/disks"),
    ("list.json", "/gone/0", "web", "/gone/0"),
    ("diff.json", "/changes/0/kind", "new", "/changes/0/kind"),
    ("diff.json", "/changes/0/from", {}, "/changes/0/from"),
    ("diff.json", "/changes/0/key", GONE, "/changes/0"),
    ("diff.json", "/changes/0/path", "/disks/1", "/changes/0"),
    ("diff.json", "/changes/1/to", GONE, "/changes/1"),
    ("diff.json", "/changes/1/path", "b_info", "/changes/1/path"),
    ("features.json", "/features/0/answer", True, "/features/0/answer"),
    ("features.json", "/features/1/reason", None, "/features/1/reason"),
    ("features.json", "/features/1/source", GONE, "/features/1"),
    ("error.json", "/error/code", 4, "/error/code"),
    ("error.json", "/error/name", "conflict", "/error/name"),
    ("error.json", "/error/message", "", "/error/message"),
    ("error.json", "/error", "conflict", "/error"),
    ("intent.json", "/op", "plug", "/op"),
    ("intent.json", "/phase", "done", "/phase"),
    ("intent.json", "/after", {}, "/after"),
    ("intent.json", "/op", "attach", "/after"),
    ("intent.json", "/since", None, "/since"),
    ("event.json", "/event", "Device Attached", "/event"),
    ("event.json", "/changes/0/now", "gone", "/changes/0/now"),
    ("event.json", "/changes/0/was", GONE, "/changes/0"),
    ("event.json", "/changes", GONE, ""),
    ("event.json", "/config", GONE, ""),
    ("event.json", "/version", GONE, ""),
]


def edited(document, where, value):
    document = copy.deepcopy(document)
    at = document
    *steps, last = where.split("/")[1:]
    for step in steps:
        at = at[int(step) if isinstance(at, list) else step]
    if isinstance(at, list):
        last = int(last)
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return document
