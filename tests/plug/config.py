# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a domain is to be created of, as it is read."""
import copy
import json
import subprocess

from kinds import BUILD, same, test

TESTS = []

WHOLE = {
    "c_info": {"type": "pv", "name": "n",
               "uuid": "6A6a0000-0000-0000-0000-000000000001"},
    "b_info": {"max_vcpus": 2, "avail_vcpus": [0, 1], "max_memkb": 65536,
               "kernel": "/k", "type.pv": {}, "localtime": "True",
               "sched_params": {"weight": 256}},
    "disks": [{"vdev": "xvda", "pdev_path": "/d", "backend": "phy",
               "format": "raw", "readwrite": 1, "is_cdrom": 0}],
    "nics": [{"devid": 0, "mac": "00:16:3E:00:00:01", "bridge": "b"}],
    "on_reboot": "restart", "x-note": {"any": ["thing"]},
}

# a path, a value to put there, and the words that are due
WRONG = (
    (("b_info", "max_vcpus"), "two", "expected a number"),
    (("b_info", "max_vcpus"), [2], "expected a number"),
    (("b_info", "kernel"), 5, "expected a text"),
    (("b_info", "max_vcpu"), 2, "no such member"),
    (("b_info", "max_vcpus"), -2, "expected a number from 0 on"),
    (("b_info", "max_vcpus"), 1.5, "expected a number from 0 to 2147483647"),
    (("b_info", "max_vcpus"), 1 << 40,
     "expected a number from 0 to 2147483647"),
    (("b_info", "max_memkb"), 10 ** 23, "expected a whole number from 0 on"),
    (("b_info", "max_memkb"), "", "expected a whole number"),
    (("b_info", "kernel"), {}, "expected a text"),
    (("b_info", "kernel"), False, "expected a text"),
    (("b_info", "avail_vcpus"), 3, "expected a list"),
    (("b_info", "avail_vcpus"), [-1], "expected a list of other values"),
    (("b_info", "sched_params"), 5, "expected an object"),
    (("b_info", "nosuch"), 0, "no such member"),
    (("b_info", "localtime"), "yes",
     'expected "True", "False" or "<default>"'),
    (("b_info", "sched_params", "wait"), 3, "no such member"),
    (("b_info", "type.pv", "nosuch"), "x", "no such member"),
    (("c_info", "type"), "pw", "expected one of invalid, hvm, pv, pvh"),
    (("c_info", "uuid"), "no uuid", "expected a uuid"),
    (("disks", 0, "pdev_path"), ["/d"], "expected a text"),
    (("disks", 0, "backend"), "nosuch",
     "expected one of unknown, phy, tap, qdisk"),
    (("disks", 0, "readwirte"), 1, "no such member"),
    (("nics", 0, "mac"), "00:16", "expected a MAC address"),
    (("on_reboot",), "never", "expected one of destroy, restart"),
    (("nic", 0, "devid"), 1, "no such member"),
    (("nic", 0, "a/b~c"), 1, "no such member"),
    (("nics", 0), 5, "expected an object"),
    (("nics",), "x", "expected a list"),
    (("nics", 0, "mtu"), -1, "expected a number from 0 on"),
)


def ask(texts):
    """The program's line for each text."""
    result = subprocess.run(
        [f"{BUILD}/tests/plug/config"], input="".join(
            json.dumps(text) + "\n" for text in texts),
        capture_output=True, text=True, check=True, timeout=300)
    lines = result.stdout.splitlines()
    same(len(lines), len(texts))
    return lines


def put(path, value):
    whole = copy.deepcopy(WHOLE)
    whole["nic"] = [{}]
    at = whole
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return whole


@test(into=TESTS)
def a_wrong_member_is_named(b):
    lines = ask([WHOLE] + [put(path, value) for path, value, _ in WRONG])
    same(lines[0], "ok")
    for line, (path, _, words) in zip(lines[1:], WRONG):
        pointer = "".join("/" + str(step).replace("~", "~0").replace(
            "/", "~1") for step in path)
        assert line.startswith(pointer + ": ") and words in line, \
            f"{line!r} where {pointer} ({words}) was due"


def not_below_zero(value):
    """What the printer put there for the sake of it."""
    if isinstance(value, dict):
        return {name: not_below_zero(v) for name, v in value.items()}
    if isinstance(value, list):
        return [not_below_zero(v) for v in value]
    return 1 if isinstance(value, int) and value < 0 else value


@test(into=TESTS)
def all_that_libxl_prints_is_read(b):
    printer = f"{BUILD}/tests/schema/print"
    count = int(subprocess.check_output([printer, "--count"]))
    texts = [not_below_zero(json.loads(subprocess.check_output(
        [printer, "--readable", str(n)]))) for n in range(count)]
    assert count > 10
    same([line for line in ask(texts) if line != "ok"], [])


@test(into=TESTS)
def what_cannot_be_created_is_told(b):
    other = "6a6a0000-0000-0000-0000-000000000002"
    cases = (
        (2, put(("b_info", "max_vcpu"), 2), "/b_info/max_vcpu"),
        (2, put(("disks", 0, "backend"), "nosuch"), "/disks/0/backend"),
        (2, put(("c_info", "type"), "zz"), "/c_info/type"),
        (2, put(("b_info", "max_vcpus"), "x"), "/b_info/max_vcpus"),
        (2, put(("b_info", "max_memkb"), 10 ** 23), "/b_info/max_memkb"),
        (6, put(("c_info", "name"), b.dom.name), None),
        (6, put(("c_info", "uuid"), b.dom.uuid), None),
        (6, put(("b_info", "max_memkb"), 1 << 40), "/b_info/max_memkb"),
        (2, [1], None),
    )
    for code, config, where in cases:
        if isinstance(config, dict):
            config.pop("nic")
            if config["c_info"]["uuid"] != b.dom.uuid:
                config["c_info"]["uuid"] = other
        error = b.xlcfg(code, "create", "-", body=config)["error"]
        if where:
            same(error["where"].split(" ")[-1], where)
        assert "\n" not in error["message"], error
        if code == 2:           # who only says, or keeps, says the same
            same(b.xlcfg(2, "create", "-", "--dry-run",
                         body=config)["error"], error)
            same(b.xlcfg(2, "import", "-", body=config)["error"], error)
            same(b.xlcfg(2, "import", "-", "--dry-run",
                         body=config)["error"], error)
    b.xlcfg(3, "get", "n")
    b.xlcfg(3, "get", other)
    same(b.locks(), [])
