#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check.py BUILD: the house stands as docs/architecture.md draws it.

Includes point down only, foreign libraries stay in their one file, core does
no I/O, the library exports what its map and the list of all symbols ever
exported say, and it builds with parts left out and from where it is
installed.
"""
import glob
import os
import re
import subprocess
import sys

BUILD = sys.argv[1]
LIB = "libxl-cfg"
SYMBOLS = "tests/abi/symbols.txt"
MAKE = os.environ.get("MAKE", "make").split()
# The tree may be somebody else's, as in a container.
GIT = ["git", "-c", "safe.directory=*"]
passed = failed = 0

# What each room may include in quotes, besides libxl_cfg.h.
ROOMS = {
    "core": {"core"},
    "store": {"core", "store"},
    "driver": {"core", "driver"},
    "ops": {"core", "store", "driver", "ops"},
    "facade": {"facade"},
}
# Foreign headers, and the only files that may know them.
FOREIGN = {
    r"yajl/.*": ["core/json_read.c"],
    r"nettle/.*": ["core/hash.c"],
    r"sqlite3\.h": ["store/state*.[ch]"],
    r"xenstore\.h": ["driver/xen_*.c"],
    r"libxl(?!_cfg).*\.h|xentoollog\.h|xenctrl\.h":
        ["driver/xen_hv.c", "driver/xen_plug*.c", "ops/retrieve_xl.c",
         "facade/facade.h", "libxl_cfg_xl.h"],
    r"libvirt/.*": ["driver/virt_lib.h"],
    r"libxml/.*": ["core/xml.[ch]", "core/ovf*.[ch]", "driver/virt_*.[ch]"],
}
# Of the C library: what core has no use for.
IO_HEADERS = re.compile(
    r"fcntl\.h|unistd\.h|dirent\.h|poll\.h|netdb\.h|pthread\.h|signal\.h"
    r"|time\.h|sys/.*|net/.*|netinet/.*|arpa/.*")


def result(title, wrong):
    global passed, failed
    if wrong:
        failed += 1
        print(f"not ok {passed + failed} - {title}")
        for line in wrong:
            print(f"    {line}")
    else:
        passed += 1
        print(f"ok {passed + failed} - {title}")


def run(*command, **kwargs):
    """What a command printed; all of it and an exception if it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False, **kwargs)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: ended with "
                           f"{done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def attempt(title, function):
    try:
        wrong = function()
    except (RuntimeError, OSError) as error:
        wrong = str(error).splitlines()
    result(title, wrong)


def includes(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            if found:
                yield f"{path}:{number}", found[1] == '"', found[2]


def sources(*folders):
    return sorted(path for folder in folders
                  for path in glob.glob(f"{folder}/*.[ch]"))


def check_room(room, below):
    files = sources(f"{LIB}/{room}")
    if not files:
        return [f"no files in {LIB}/{room}"]
    wrong = []
    for path in files:
        for place, quoted, header in includes(path):
            if quoted:
                ok = header.split("/")[0] in below and "/" in header \
                    or header == "libxl_cfg.h" \
                    or room == "ops" and header == "libxl_cfg_xl.h"
            else:
                ok = room != "core" or not IO_HEADERS.fullmatch(header)
            if not ok:
                wrong.append(f"{place}: {header} is not below {room}/")
    return wrong


def check_tools():
    wrong = []
    for path in sources("tools/xlcfg"):
        own = {os.path.basename(p) for p in sources("tools/xlcfg")}
        for place, quoted, header in includes(path):
            if quoted and header not in own | {"libxl_cfg.h"}:
                wrong.append(f"{place}: {header} is inside of the library")
    return wrong


def check_foreign(pattern, homes):
    allowed = {p for home in homes for p in glob.glob(f"{LIB}/{home}")}
    wrong = []
    for path in sources(LIB, *(f"{LIB}/{room}" for room in ROOMS),
                        "tools/xlcfg"):
        wrong += [f"{place}: {header}, which only {', '.join(homes)} may"
                  for place, _, header in includes(path)
                  if re.fullmatch(pattern, header) and path not in allowed]
    return wrong


def nm(*args):
    return [line.split() for line in run("nm", *args).splitlines()
            if line.strip() and not line.endswith(":")]


def core_objects():
    return [f"{BUILD}/obj/{path[:-2]}.o"
            for path in sorted(glob.glob(f"{LIB}/core/*.c"))]


def check_core_symbols():
    with open("tests/arch/core-symbols.txt", encoding="utf-8") as file:
        allowed = {line.strip() for line in file
                   if line.strip() and not line.startswith("#")}
    objects = core_objects()
    own = {row[-1] for row in nm("--defined-only", *objects)}
    wrong = []
    for path in objects:
        name = os.path.basename(path)
        for row in nm("-u", path):
            symbol = row[-1].split("@")[0]
            home = {"yajl_": "json_read.o", "nettle_": "hash.o"}.get(
                symbol[:symbol.find("_") + 1])
            if symbol not in own | allowed and name != home:
                wrong.append(f"core/{name} needs {symbol}")
    return wrong


def exported():
    """{(node, symbol)} of the library built."""
    rows = nm("-D", "--defined-only", f"{BUILD}/lib/libxlcfg.so.0")
    names = {tuple(row[-1].split("@@")[::-1]) for row in rows
             if row[-2] != "A"}
    if not names:
        raise RuntimeError("no symbols in the library")
    return names


def in_map():
    with open(f"{LIB}/libxl_cfg.map", encoding="utf-8") as file:
        text = file.read()
    names = set()
    for node, body in re.findall(r"([\w.]+)\s*\{(.*?)\}", text, re.DOTALL):
        body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        body = body.split("local:")[0].replace("global:", "")
        names |= {(node, name.strip()) for name in body.split(";")
                  if name.strip()}
    return names


def without_libxl(names):
    """This build's share: one symbol needs libxl."""
    if os.environ.get("WITH_XEN") == "y":
        return names
    return {n for n in names if n[1] != "xlcfg_retrieve_domain_configuration"}


def listed(text):
    return [tuple(line.split()) for line in text.splitlines()
            if line and not line.startswith("#")]


def compare(one, other, one_name, other_name):
    return [f"{' '.join(map(str, n))}: only in {one_name}"
            for n in sorted(one - other)] + \
           [f"{' '.join(map(str, n))}: only in {other_name}"
            for n in sorted(other - one)]


def check_map():
    return compare(exported(), without_libxl(in_map()), "the library",
                   "libxl_cfg.map")


def read_symbols():
    with open(SYMBOLS, encoding="utf-8") as file:
        return listed(file.read())


def check_list():
    return compare(exported(), without_libxl(set(read_symbols())),
                   "the library", SYMBOLS)


def check_append_only():
    now = read_symbols()
    wrong = []
    for commit in run(*GIT, "log", "--format=%H", "--",
                      SYMBOLS).split():
        was = listed(run(*GIT, "show", f"{commit}:{SYMBOLS}"))
        if now[:len(was)] != was:
            wrong.append(f"not what {commit[:12]} had, with more after it")
    return wrong


def check_declared():
    """Every exported function is declared, and nothing else is."""
    names = {name for _, name in in_map()}
    declared = set()
    for header in ("libxl_cfg.h", "libxl_cfg_xl.h"):
        with open(f"{LIB}/{header}", encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
        declared |= set(re.findall(r"\b(xlcfg_\w+)\s*\(", text))
    return compare({(n,) for n in names}, {(n,) for n in declared},
                   "libxl_cfg.map", "the headers")


FACADE = f"{BUILD}/lib/libxlcfg-libxl.so"


def check_facade():
    """It stands in for one function of libxl's, whatever its version node;
    and it goes into every child, so it is linked with nothing else."""
    names = [row[-1] for row in nm("-D", "--defined-only", FACADE)]
    wrong = [] if names == ["libxl_retrieve_domain_configuration"] else \
        [f"it exports {names}"]
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-dW",
                                                     FACADE))
    return wrong + [f"it needs {name}" for name in needed
                    if name != "libc.so.6"]


def check_without(settings):
    folder = os.path.join(BUILD, "arch", "-".join(settings).lower()
                          .replace("=", "-"))
    run(*MAKE, "--no-print-directory", f"B={folder}", *settings, "all")
    said = run(f"{folder}/bin/xlcfg", "--version")
    wrong = [] if re.search(r"\d+\.\d+\.\d+", said) else [f"it said {said!r}"]
    if os.path.exists(f"{folder}/lib/libxlcfg-libxl.so") is \
            ("WITH_XEN=n" in settings):
        wrong.append("a facade without libxl, or libxl without one")
    linked = run("ldd", f"{folder}/lib/libxlcfg.so.0")
    if "WITH_XEN=n" in settings and re.search("libxen", linked):
        wrong.append("it is linked with Xen's libraries all the same")
    tests = run(*MAKE, "-n", f"B={folder}/tests", *settings, "check-built")
    if "WITH_XEN=n" in settings and re.search(
            r"-lxen|check-(truth|plug|xenstore|facade)\b", tests):
        wrong.append("its tests want Xen all the same")
    if not re.search(r"run-suites.* check-unit\b", tests):
        wrong.append("what needs no Xen is not tested")
    if re.search("libvirt", linked):
        wrong.append("it is linked with libvirt: it is to be loaded by who "
                     "needs it")
    return wrong


PROGRAM = r"""
#include <libxl_cfg.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;

    if (strcmp(xlcfg_version(), XLCFG_VERSION_STRING))
        return 1;
    if (xlcfg_doc_parse("{\"a\": 7}", 8, &doc, &err))
        return 2;
    puts(xlcfg_doc_string(xlcfg_doc_get(doc, "a")));
    xlcfg_doc_free(doc);
    return 0;
}
"""


def installed():
    """Install, and build against it as somebody else would."""
    root = os.path.realpath(os.path.join(BUILD, "arch", "root"))
    run("rm", "-rf", root)
    run(*MAKE, "--no-print-directory", f"B={BUILD}", f"DESTDIR={root}",
        "PREFIX=/usr", "install")
    wrong = []
    facade = ["lib/libxlcfg-libxl.so"] if os.environ.get("WITH_XEN") == "y" \
        else []
    for path in ("bin/xlcfg", "lib/libxlcfg.so", "lib/libxlcfg.so.0", *facade,
                 "include/libxl_cfg.h", "lib/pkgconfig/libxl-cfg.pc",
                 "share/libxl-cfg/json-schema/domain-config.json"):
        if not os.path.exists(f"{root}/usr/{path}"):
            wrong.append(f"/usr/{path} is missing")
    wrong += [f"{path} has {root} or the tree in it"
              for path in glob.glob(f"{root}/usr/lib/pkgconfig/*.pc")
              if re.search(f"{re.escape(root)}|{re.escape(os.getcwd())}|@",
                           open(path, encoding="utf-8").read())]
    env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=root,
               PKG_CONFIG_LIBDIR=f"{root}/usr/lib/pkgconfig",
               PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1",
               PKG_CONFIG_ALLOW_SYSTEM_LIBS="1",
               LD_LIBRARY_PATH=f"{root}/usr/lib")
    flags = run("pkg-config", "--cflags", "--libs", "libxl-cfg",
                env=env).split()
    source = f"{BUILD}/arch/program.c"
    with open(source, "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    for language in ("c", "c++"):
        out = f"{BUILD}/arch/program-{language}"
        compiler = {"c": ["gcc", "-std=c99", "-pedantic"],
                    "c++": ["g++", "-x", "c++"]}[language]
        run(*compiler, "-Wall", "-Wextra", "-Werror", source, "-x", "none",
            "-o", out, *flags)
        said = run(out, env=env)
        if said != "7\n":
            wrong.append(f"the {language} program said {said!r}")
    said = run(f"{root}/usr/bin/xlcfg", "--version")
    if not re.search(r"\d+\.\d+\.\d+", said):
        wrong.append(f"xlcfg --version said {said!r}")
    run(*MAKE, "--no-print-directory", f"B={BUILD}", f"DESTDIR={root}",
        "PREFIX=/usr", "uninstall")
    left = [os.path.join(folder, name)
            for folder, _, names in os.walk(root) for name in names]
    return wrong + [f"uninstall left {path}" for path in left]


def main():
    for room, below in ROOMS.items():
        attempt(f"{room}/ includes nothing above it or beside it",
                lambda r=room, b=below: check_room(r, b))
    attempt("the tools see libxl_cfg.h alone", check_tools)
    for pattern, homes in FOREIGN.items():
        name = re.sub(r"\(.*?\)|\|.*", "", pattern)
        name = name.replace(".*", "*").replace(r"\.", ".")
        attempt(f"<{name}> only in {', '.join(homes)}",
                lambda p=pattern, h=homes: check_foreign(p, h))
    attempt("core does no I/O and calls nothing above it",
            check_core_symbols)
    attempt("the library exports what its map says", check_map)
    if os.environ.get("WITH_XEN") == "y":
        attempt("the facade exports one function and needs the C library "
                "alone", check_facade)
    attempt("the headers declare what the map exports", check_declared)
    attempt("the library exports what it ever exported", check_list)
    if os.path.exists(".git"):
        attempt("the list of symbols was only ever appended to",
                check_append_only)
    else:
        print("# no git history here: nothing to compare the list with")
    for settings in (("WITH_XEN=n",), ("WITH_LIBVIRT=n",),
                     ("WITH_XEN=n", "WITH_LIBVIRT=n")):
        attempt(f"builds, links and runs with {' '.join(settings)}",
                lambda s=settings: check_without(s))
    attempt("what is installed can be built against, and goes again",
            installed)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
