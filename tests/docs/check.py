#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The documents say what stands: man page, README, architecture, exit codes.

    tests/docs/check.py build
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
XLCFG = Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve() \
    / "bin/xlcfg"
PAGE = ROOT / "docs/man/xlcfg.1"
TESTS = []

GUEST = {"uuid": "6a1c0c1e-3f0a-4d8e-9a51-0f2d6f3b7c11", "name": "guest1",
         "domid": 1, "state": "running",
         "stored": {"c_info": {"name": "guest1"}, "b_info": {},
                    "disks": [{"vdev": "xvda", "pdev_path": "/dev/vg/a"},
                              {"vdev": "xvdb", "pdev_path": "/dev/vg/b"}]},
         "live": {"disks": [{"vdev": "xvda", "pdev_path": "/dev/vg/a"}]}}


def test(function):
    TESTS.append(function)
    return function


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: expected {want!r}, found {got!r}")


def need(fine, what):
    if not fine:
        raise AssertionError(what)


def run(*args, stdout=subprocess.PIPE, **env):
    return subprocess.run([XLCFG, *args], stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=60,
                          check=False, env={**os.environ, **env})


def mem(*fail):
    return "mem:" + json.dumps({"domains": [GUEST], "fail": list(fail)})


def page():
    """The source of the page with the common escapes undone."""
    text = PAGE.read_text(encoding="utf-8")
    for escape, plain in ((r"\-", "-"), (r"\fR", ""), (r"\fP", ""),
                          (r"\(lq", '"'), (r"\(rq", '"')):
        text = text.replace(escape, plain)
    return text


def section(name):
    found = re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", page(),
                      re.M | re.S)
    need(found, f"the man page has no section {name}")
    return found[1]


def commands():
    """name: what stands behind it, from `xlcfg --help`."""
    done = run("--help")
    same(done.returncode, 0, "xlcfg --help")
    block = re.search(r"^commands:\n(.*?)\n\n", done.stdout, re.M | re.S)
    found = dict(re.findall(r"^  (\S+) ?(\S.*?|)  +\S", block[1], re.M))
    need(len(found) > 5, "the commands were not found in the help")
    return found


@test
def merge_table_of_the_page_is_the_programs():
    cells = json.loads(run("table", "-o", "json").stdout)["cells"]
    same(len(cells), 72, "cells of the program")
    rows = []
    for head, body in re.findall(
            r"^\.SS (Template .*?)\n\.TS\n.*?\.\n(.*?)^\.TE$",
            section("MERGE TABLE"), re.M | re.S):
        template, intent = re.fullmatch(
            r"Template (\w+) it, intent (\w+)", head).groups()
        for live, state, text, verdict in re.findall(
                r"^(\w+)\t(\w+)\tT\{\n(.*)\nT\}\tT\{\n(.*)\nT\}$",
                body, re.M):
            rows.append({"template": template, "intent": intent,
                         "live": live, "in_config": text != "none",
                         "body": text, "state": state, "verdict": verdict})
    same(len(rows), 72, "rows of the page")
    for row, cell in zip(rows, cells):
        same(row, cell, "a row of the page")


@test
def every_device_state_is_explained():
    cells = json.loads(run("table", "-o", "json").stdout)["cells"]
    named = set(re.findall(r"^\.TP\n\.B (\w+)$", section("DEVICE STATES"),
                           re.M))
    same(named, {c["state"] for c in cells} | {"refused"},
         "states of the page")


@test
def every_command_is_in_the_page_with_its_arguments_and_an_example():
    parts = dict(re.findall(r"^\.SS (.*?)\n(.*?)(?=^\.SS |\Z)",
                            section("COMMANDS"), re.M | re.S))
    want = {f"{name} {args}".strip() for name, args in commands().items()}
    same(set(parts), want, "commands of the page")
    for head, text in parts.items():
        example = re.search(r"^\.EX\n(.*?)\n\.EE$", text, re.M | re.S)
        need(example and f" {head.split()[0]}" in example[1],
             f"{head} has no example")


@test
def every_command_has_help():
    for name, args in commands().items():
        done = run(name, "--help")
        same(done.returncode, 0, f"{name} --help")
        same(done.stdout.splitlines()[0],
             f"usage: xlcfg [OPTIONS] {name} {args}".rstrip(),
             f"{name} --help")
        need(len(done.stdout.splitlines()) > 4, f"{name} --help is empty")


@test
def every_global_option_is_in_the_page_with_an_example():
    text = run("--help").stdout.split("options, before")[1]
    options = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)(?=[ ,])",
                             text.split("\nDOM is")[0]))
    need({"-c", "--state-dir", "--deadline", "-o", "-q",
          "--version"} <= options, f"options not found: {options}")
    entries = section("OPTIONS").split(".TP\n")[1:]
    for option in options:
        need(any(option in re.findall(r"(?<![\w-])--?[a-z-]+",
                                      e.splitlines()[0]) for e in entries),
             f"{option} is not in the page")
    for entry in entries:
        need(".EX\n" in entry, f"no example: {entry.splitlines()[0]}")


@test
def every_variable_that_is_read_is_in_the_page():
    read = set()
    for folder in ("libxl-cfg", "tools"):
        for path in (ROOT / folder).rglob("*.c"):
            read |= set(re.findall(r'"(XLCFG_[A-Z_]+|XENSTORED_PATH)"',
                                   path.read_text(encoding="utf-8")))
    need(len(read) >= 4, f"variables not found in the sources: {read}")
    named = set(re.findall(r"^\.TP\n\.B (\w+)$", section("ENVIRONMENT"),
                           re.M))
    same(named, read, "variables of the page")


@test
def the_page_has_no_warning():
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", PAGE],
                          capture_output=True, text=True, timeout=60,
                          check=False,
                          env={**os.environ, "MANWIDTH": "80",
                               "LC_ALL": "C.UTF-8"})
    same(done.returncode, 0, "man")
    same(done.stderr, "", "warnings of man")
    need("EXIT STATUS" in done.stdout, "the page is not whole")


EXITS = {
    0: [("-c", mem(), "get", "guest1"), ("table",)],
    1: [("-c", mem(), "diff", "guest1")],
    2: [("no-such-command",), ("list", "--no-such-option"), (),
        ("-o", "pictures", "list"), ("--deadline", "soon", "list"),
        ("-c", "what:ever", "list"), ("-c", "mem:{", "list"),
        ("-c", mem(), "features", "--why", "nonsense")],
    3: [("-c", mem(), "get", "nobody"), ("schema", "nonsense"),
        ("-c", mem(), "explain", "guest1", "disk/xvdz")],
    4: [("-c", mem({"call": "find", "error": "CONFLICT"}), "get", "guest1"),
        ("-c", mem({"call": "find", "error": "TOO_OLD"}), "get", "guest1")],
    5: [("-c", mem({"call": "find", "error": "PENDING"}), "get", "guest1")],
    6: [("-c", mem({"call": "find", "error": "REFUSED"}), "get", "guest1")],
    7: [("-c", mem(), "get", "guest1", "-o", "xml")],
    8: [("-c", "mem:/nonexistent", "list"),
        ("-c", mem({"call": "live", "error": "UNREACHABLE"}),
         "get", "guest1"),
        ("--deadline", "0.05", "-c",
         mem({"call": "find", "delay_ms": 500}), "get", "guest1")],
    9: [("-c", mem({"call": "find", "error": "FAIL"}), "get", "guest1")],
}


@test
def every_exit_code_is_in_the_page_with_an_example():
    entries = re.findall(r"^\.TP\n\.B (\d)\n.*?^\.EX$",
                         section("EXIT STATUS"), re.M | re.S)
    same([int(e) for e in entries], sorted(EXITS), "codes of the page")


def exit_code(code):
    def check():
        for args in EXITS[code]:
            done = run(*args)
            same(done.returncode, code, f"xlcfg {' '.join(args)}"
                 f" ({done.stderr.strip()})")
            if code > 1:
                need(done.stderr.startswith("xlcfg: "),
                     f"xlcfg {' '.join(args)}: no word about why")
    check.__name__ = f"exit_code_{code}"
    return check


for number in EXITS:
    test(exit_code(number))


@test
def exit_code_9_when_the_output_cannot_be_written():
    with open("/dev/full", "w", encoding="utf-8") as full:
        same(run("table", stdout=full).returncode, 9, "table > /dev/full")


@test
def errors_are_json_where_json_was_asked_for():
    done = run("-o", "json", "-c", mem(), "get", "nobody")
    same(done.returncode, 3, "exit code")
    error = json.loads(done.stderr)["error"]
    same((error["name"], error["where"]), ("DOMAIN_NOTFOUND", "nobody"),
         "the error")


@test
def a_wrong_number_of_events_keeps_from_recording_alone():
    with tempfile.TemporaryDirectory() as folder:
        def look(keep):
            done = run("-c", mem(), "--state-dir", folder, "get", "guest1",
                       "-o", "json", XLCFG_HISTORY_KEEP=keep)
            same(done.returncode, 0, "exit code")
            answer = json.loads(done.stdout)
            return answer["version"], "XLCFG_HISTORY_KEEP" in answer.get(
                "no_version", "")

        same(look("many"), (None, True), "a change that cannot be noted")
        version = look("5")[0]
        need(version, "no version")
        same(look("many"), (version, False), "nothing to be noted")


def targets():
    files = [ROOT / "Makefile", *ROOT.glob("tests/*/rules.mk")]
    found = set()
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            match = re.match(r"(?:\.PHONY: *)?([a-z][a-z -]*?) *(?::|$)",
                             line)
            if line.startswith(".PHONY:"):
                found |= set(line[7:].split())
            elif match and ":" in line and "=" not in line:
                found |= set(match[1].split())
    return found


@test
def the_make_commands_of_the_documents_exist():
    have = targets()
    for path in (ROOT / "README.md", ROOT / "docs/architecture.md"):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"(?:^    |`)make ([a-z][a-z-]*)", text, re.M)
        for name in named:
            need(name in have, f"{path.name}: make {name} does not exist")
        if path.name == "README.md":
            need({"demo", "check"} <= set(named),
                 "README does not name `make demo` and `make check`")


@test
def the_commands_of_readme_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    have = commands()
    named = re.findall(r"(?:`|\$ )xlcfg ([a-z]+)", text)
    need(len(named) > 3, "README names no commands")
    for name in named:
        need(name in have, f"README: xlcfg {name} does not exist")


@test
def what_readme_shows_of_explain_and_diff_is_what_is_printed():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    xvda = {"vdev": "xvda", "pdev_path": "/dev/vg/root"}
    xvdb = {"vdev": "xvdb", "pdev_path": "/dev/vg/data"}
    guest = {**GUEST,
             "stored": {"c_info": {}, "b_info": {}, "disks": [xvda, xvdb]},
             "live": {"disks": [xvda, xvdb],
                      "nics": [{"devid": 0, "mac": "00:16:3e:00:00:01"}]},
             "devices": {"disk/xvdb": {
                 "live": "leaving",
                 "reason": "online is 0 and the guest still holds it"}}}
    uri = "mem:" + json.dumps({"domains": [guest]})
    for command in ("explain guest1 disk/xvdb", "diff guest1"):
        shown = re.search(rf"^    \$ xlcfg {command}\n((?:    .*\n)+)", text,
                          re.M)
        need(shown, f"README does not show {command}")
        same(re.sub("^    ", "", shown[1], flags=re.M),
             run("-c", uri, *command.split()).stdout, command)


def rooms():
    """Folders with files of the tree, one level below the rooms' parents."""
    found = set()
    for parent in ("libxl-cfg", "tools", "tests"):
        for folder in (ROOT / parent).iterdir():
            if folder.is_dir() and folder.name != "__pycache__" and \
                    any(p.is_file() for p in folder.rglob("*")):
                found.add(f"{parent}/{folder.name}/")
    for name in ("json-schema", "docs", "docs/man", "scripts",
                 "scripts/packages", ".ci", "libxl-cfg"):
        found.add(name + "/")
    return found


@test
def architecture_names_every_room_and_no_other():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([^`]+/)` \| (.*) \|$", text, re.M)
    named = {room for room, _ in table}
    for _, words in table:
        named |= set(re.findall(r"`([a-z-]+/[a-z-]+/)`", words))
    same(sorted(rooms() - named), [], "rooms that are not named")
    for room in named:
        need((ROOT / room).is_dir(), f"{room} is named and does not exist")


@test
def files_that_the_documents_name_exist():
    for name in ("README.md", "docs/architecture.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for path in re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.\w+)`", text):
            need(any((ROOT / base / path).exists()
                     for base in ("", "libxl-cfg"))
                 or path.startswith("build/"),
                 f"{name}: {path} does not exist")


@test
def maintainers_cover_only_what_exists():
    text = (ROOT / "MAINTAINERS").read_text(encoding="utf-8")
    files = re.findall(r"^F:\t(.+)$", text, re.M)
    need(len(files) > 5, "MAINTAINERS has no files")
    for pattern in files:
        need(any(ROOT.glob(pattern.rstrip("/"))),
             f"MAINTAINERS: {pattern} takes in nothing")
    for part in text.split("\n\n"):
        if re.search(r"^F:", part, re.M) and "\tF:" not in part:
            need("\nM:\t" in part and "\nS:\t" in part,
                 f"MAINTAINERS: a section without M or S: {part[:40]}")


def main():
    if not XLCFG.exists():
        print(f"not ok - {XLCFG} has not been built")
        print("0 passed, 1 failed")
        return 1
    failed = 0
    with tempfile.TemporaryDirectory() as state:
        os.environ["XLCFG_STATE_DIR"] = state
        for name in ("XLCFG_HISTORY_KEEP", "XLCFG_XEN_LIB_DIR"):
            os.environ.pop(name, None)
        for function in TESTS:
            title = function.__name__.replace("_", " ")
            try:
                function()
            except Exception as why:    # pylint: disable=broad-except
                failed += 1
                print(f"not ok - {title}")
                print(f"# {type(why).__name__}: {why}")
            else:
                print(f"ok - {title}")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
