#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The schemas against the real libxl, its header, and the kind table.

    check.py BUILD [WORD]    BUILD is the build folder; WORD chooses tests

Prints a line for each test and, below a failed one, everything that is
wrong with it.  Needs print and roundtrip of this folder and bin/xlcfg.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema

import documents
from libxl_types import NUMBERS, ROOT, Types
from schemas import Schemas, pointer

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1])
XLCFG = os.path.join(BUILD, "bin", "xlcfg")
HEADER = os.environ.get("LIBXL_TYPES_H", "/usr/include/_libxl_types.h")
OURS = {"x-libvirt"}            # members that are this project's, not libxl's
INT64_MAX = 2**63 - 1
# How the schema names a type that is printed in a form of its own.
NAMED = {
    "libxl_defbool": "defbool", "libxl_uuid": "uuid", "libxl_mac": "mac",
    "libxl_bitmap": "bitmap", "libxl_string_list": "strings",
    "libxl_key_value_list": "key-values",
    "libxl_cpuid_policy_list": "cpuid-policy",
    "libxl_ms_vm_genid": "ms-vm-genid",
}

schemas = Schemas(os.path.join(HERE, "..", "..", "json-schema"))
types = Types.read(HEADER)
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run(*args, stdin=None):
    """Output of a program; what it said on stderr if it failed."""
    r = subprocess.run(args, input=stdin, capture_output=True, timeout=120,
                       check=False)
    if r.returncode:
        raise RuntimeError(
            f"{os.path.basename(args[0])} {' '.join(args[1:])}: exit "
            f"{r.returncode}: {r.stderr.decode(errors='replace').strip()}")
    return r.stdout


def program(name):
    return os.path.join(BUILD, "tests", "schema", name)


def variants():
    return range(int(run(program("print"), "--count")))


TEXTS = {}


def printed(*args):
    if args not in TEXTS:
        TEXTS[args] = run(program("print"), *args)
    return TEXTS[args]


def enums():
    return json.loads(printed("--enums"))


def empties():
    return enums()["libxl_domain_type"]


# --- what the header says is printed

def members(fields):
    """{printed name: Field or [Field]}: a list is an object inside."""
    out = {}
    for field in fields:
        if field.arms is None:
            out[field.name] = field
        elif field.key is None:
            out[field.name] = field.arms[""]
        else:
            for value in enums()[field.key.ctype]:
                out[f"{field.key.name}.{value}"] = field.arms.get(value, [])
    return out


def inside(what):
    """Fields of the object that a member is, or None."""
    if isinstance(what, list):
        return what
    if what.ctype in types.structs:
        return types.structs[what.ctype].fields
    return None


def expected_paths(fields, where=""):
    for name, what in members(fields).items():
        path = f"{where}/{name}"
        yield path, what
        if inside(what) is not None:
            yield from expected_paths(inside(what), path)


def root_fields():
    return types.structs[ROOT].fields


# --- tests

@test
def the_header_is_read_whole():
    """A reader that lost fields would make every comparison agree."""
    with open(HEADER, encoding="ascii") as f:
        text = f.read()
    for name in types.reachable():
        if name in types.enums:
            continue
        body = text.split(f"typedef struct {name} {{\n")[1]
        body = body.split(f"\n}} {name};")[0]
        # Counters and keys are printed as part of something else.
        lines = sum(line.rstrip().endswith(";") for line in
                    body.splitlines())
        flat = list(types.flat(types.structs[name].fields))
        named = lines - body.count("}") - sum(bool(f.array) for f in flat)
        if len(flat) != named:
            yield f"{name}: {named} members, {len(flat)} read"


@test
def schemas_are_schemas():
    """Each is valid, named as its file, described, and refers to others
    that exist."""
    for name, doc in schemas.docs.items():
        try:
            jsonschema.Draft202012Validator.check_schema(doc)
        except jsonschema.SchemaError as e:
            yield f"{name}: {pointer(e.absolute_path)}: {e.message}"
        if doc.get("$schema") != \
                "https://json-schema.org/draft/2020-12/schema":
            yield f"{name}: $schema is not 2020-12"
        if doc.get("$id") != name:
            yield f"{name}: $id is {doc.get('$id')}"
        for key in ("title", "description"):
            if not doc.get(key):
                yield f"{name}: no {key}"
        yield from walk_schema(name, doc, "")


def walk_schema(name, node, where):
    if isinstance(node, list):
        for i, one in enumerate(node):
            yield from walk_schema(name, one, f"{where}/{i}")
    if not isinstance(node, dict):
        return
    if isinstance(node.get("$ref"), str):
        try:
            _, target = schemas.resolve(name, node)
        except KeyError:
            yield f"{name}: {where}: {node['$ref']} is nowhere"
            return
    for key, value in node.items():
        # Properties of an object that has a type describe a document.
        if key == "properties" and node.get("type") == "object":
            for member, one in value.items():
                try:
                    _, target = schemas.resolve(name, one)
                except KeyError:
                    continue
                if not (one.get("description") or target.get("description")):
                    yield f"{name}: {where}/{member}: no description"
        yield from walk_schema(name, value, f"{where}/{key}")


@test
def every_schema_file_is_known():
    kinds = {f"device-{k}.json" for k in schemas.kinds()}
    files = {n for n in schemas.docs if n.startswith("device-")}
    for name in sorted(kinds ^ files):
        yield f"{name}: not in both domain-config.json and the folder"
    enum = schemas.docs["types.json"]["$defs"]["kind"]["enum"]
    if sorted(enum) != sorted(schemas.kinds()):
        yield "types.json: kind: not the kinds of domain-config.json"


@test
def schemas_and_header_agree():
    """Names, types, enum words and number ranges, both ways."""
    yield from agree("domain-config.json",
                     schemas.docs["domain-config.json"], root_fields(), "")


def agree(name, node, fields, where):
    name, node = schemas.resolve(name, node)
    if node.get("type") != "object":
        yield f"{where}: the schema does not say that it is an object"
        return
    known = node.get("properties", {})
    wanted = members(fields)
    for member in wanted:
        if member not in known:
            yield f"{where}/{member}: not in {name}"
    for member, one in known.items():
        if member not in wanted:
            if member not in OURS and "x-libxl-since" not in one:
                yield f"{where}/{member}: in {name}, not in libxl's header"
            continue
        what = wanted[member]
        if isinstance(what, list):
            yield from agree(name, one, what, f"{where}/{member}")
        elif what.array:
            _, target = schemas.resolve(name, one)
            if target.get("type") != "array":
                yield f"{where}/{member}: not an array in {name}"
            else:
                yield from agree_one(name, target["items"], what,
                                     f"{where}/{member}/*")
        else:
            yield from agree_one(name, one, what, f"{where}/{member}")


def agree_one(name, node, field, where):
    ctype = field.ctype
    if ctype in types.structs:
        yield from agree(name, node, types.structs[ctype].fields, where)
        return
    _, target = schemas.resolve(name, node)
    if ctype in types.enums:
        if target.get("enum") != enums()[ctype]:
            yield (f"{where}: libxl's words are {enums()[ctype]}, the "
                   f"schema's {target.get('enum')}")
    elif ctype == "bool":
        if target.get("type") != "boolean":
            yield f"{where}: not a boolean"
    elif ctype in NUMBERS:
        have = (target.get("type"), target.get("minimum"),
                target.get("maximum"))
        if have != ("integer", *NUMBERS[ctype]):
            yield f"{where}: is {ctype}, the schema says {have}"
    elif ctype.endswith("char *"):
        if target.get("type") != "string":
            yield f"{where}: not a string"
    elif target is not schemas.docs["types.json"]["$defs"][NAMED[ctype]]:
        yield f"{where}: not {NAMED[ctype]} of types.json"


@test
def libxl_prints_every_field():
    """In some variant; and nothing that its header does not have.  What it
    keeps to itself is marked in the schema."""
    seen = {}
    silent = set(marked_silent("domain-config.json",
                               schemas.docs["domain-config.json"], ""))
    for v in variants():
        yield from collect(json.loads(printed(str(v))), root_fields(), "",
                           seen)
    for path, what in expected_paths(root_fields()):
        if (path in seen) == (path in silent):
            yield f"{path}: " + ("printed, the schema says that it is not"
                                 if path in seen else "never printed")
        elif path in silent:
            continue
        elif not isinstance(what, list):
            yield from walked(path, what, seen[path])


def marked_silent(name, node, where):
    name, node = schemas.resolve(name, node)
    if "items" in node:
        yield from marked_silent(name, node["items"], where)
    for member, one in node.get("properties", {}).items():
        if one.get("x-libxl-printed") is False:
            yield f"{where}/{member}"
        yield from marked_silent(name, one, f"{where}/{member}")


def collect(value, fields, where, seen):
    known = members(fields)
    for name, one in value.items():
        path = f"{where}/{name}"
        if name not in known:
            yield f"{path}: printed, not in the header"
            continue
        what = known[name]
        ones = [one]
        if not isinstance(what, list) and what.array:
            ones = one
            if len(one) < 2:
                yield f"{path}: fewer than two entries"
        seen.setdefault(path, []).extend(ones)
        if inside(what) is not None:
            for o in ones:
                yield from collect(o, inside(what), path, seen)


def walked(path, what, values):
    """Whether each value that matters was printed."""
    if what.ctype in types.enums:
        words = enums()[what.ctype]
        missing = set(words) - set(values)
        # The initial value is not printed; in an array all are.
        if len(missing) > (0 if what.array or len(words) == 1 else 1):
            yield f"{path}: never printed: {sorted(missing)}"
    elif what.ctype == "libxl_defbool":
        if set(values) != {"True", "False"}:
            yield f"{path}: printed {sorted(set(values))}"
    elif what.ctype == "bool":
        if not set(values) <= {True, False}:
            yield f"{path}: printed {sorted(set(values))}"
    elif what.ctype in NUMBERS:
        low, high = NUMBERS[what.ctype]
        # All ones is the initial value of some, and then not printed.
        if max(values) < high - 1 or (low < 0 and min(values) > low):
            yield (f"{path}: printed from {min(values)} to {max(values)}, "
                   f"{what.ctype} goes from {low} to {high}")


@test
def printed_cpu_policies_use_every_member():
    seen, letters = set(), set()
    for v in variants():
        policy = json.loads(printed(str(v)))["b_info"]["cpuid"]
        seen |= set(policy)
        for entry in policy["cpuid"] + policy["msr"]:
            seen |= set(entry)
            letters |= set("".join(x for x in entry.values()
                                   if isinstance(x, str)))
    defs = schemas.docs["types.json"]["$defs"]
    known = {m for d in ("cpu-policy", "cpuid-leaf", "msr")
             for m in defs[d]["properties"]}
    for member in sorted(known ^ seen):
        yield f"{member}: not in both the print and types.json"
    if letters != set("01xks"):
        yield f"letters printed: {sorted(letters)}"


def all_printed():
    for v in variants():
        yield f"variant {v}", json.loads(printed(str(v)))
    for name in empties():
        yield f"empty {name}", json.loads(printed("--empty", name))


@test
def what_libxl_prints_is_valid():
    """In strict form: a member the schemas do not know is an error."""
    count = 0
    for name, document in all_printed():
        count += 1
        for where, message in schemas.errors("domain-config.json", document,
                                             tight=True):
            yield f"{name}: {where}: {message[:200]}"
    if count < 8:
        yield f"only {count} documents"


@test
def printed_devices_are_valid_alone():
    for v in variants():
        document = json.loads(printed(str(v)))
        for kind, array in schemas.kinds().items():
            for i, body in enumerate(document.get(array, [])):
                for where, message in schemas.errors(
                        f"device-{kind}.json", body, tight=True):
                    yield f"variant {v}: {array}/{i}{where}: {message[:200]}"


def objects(value, where=""):
    """Every object whose members have fixed names."""
    if isinstance(value, dict):
        if not where.endswith(("/xsdata", "/platformdata")):
            yield where, value
        for name, one in value.items():
            yield from objects(one, f"{where}/{name}")
    elif isinstance(value, list):
        # One of an array is enough: its entries share a schema.
        if value:
            yield from objects(value[0], f"{where}/0")


@test
def strict_form_catches_a_typo_anywhere():
    """And the form that is shipped takes it."""
    for v in range(4):
        typos, document = [], json.loads(printed(str(v)))
        for where, one in list(objects(document)):
            one["nmae"] = "x"
            typos.append(where)
        found = {where for where, message in
                 schemas.errors("domain-config.json", document, tight=True)
                 if "nmae" in message}
        for where in sorted(set(typos) - found):
            yield f"variant {v}: {where}: a wrong name passes"
        for where, message in schemas.errors("domain-config.json", document):
            yield f"variant {v}: {where}: {message[:200]}"


@test
def a_wrong_type_is_caught_at_every_member():
    """Each printed value replaced by one that no member can have."""
    for v in range(4):
        document = json.loads(printed(str(v)))
        wanted = spoil(document, "")
        found = {where for where, _ in
                 schemas.errors("domain-config.json", document)}
        for where in sorted(wanted - found):
            yield f"variant {v}: {where}: a wrong type passes"


def spoil(value, where):
    """Spoils the leaves in place; answers with where."""
    wanted = set()
    for key, one in (value.items() if isinstance(value, dict)
                     else enumerate(value)):
        path = where + pointer([key])
        if isinstance(one, (dict, list)):
            wanted |= spoil(one, path)
        else:
            value[key] = -1.5
            wanted.add(path)
    return wanted


@test
def good_documents_are_taken():
    rows = list(documents.GOOD.items()) + documents.MORE
    for i, (name, document) in enumerate(rows):
        forms = [False]
        if i - len(documents.GOOD) not in documents.LOOSE:
            forms.append(True)
        for tight in forms:
            for where, message in schemas.errors(name, document, tight):
                yield f"{name} {i}: {where}: {message[:200]}"
    missing = {n for n in schemas.docs if not n.startswith("device-")} - \
        set(documents.GOOD) - {"types.json"}
    for name in sorted(missing):
        yield f"{name}: no document to try it with"


@test
def every_device_state_and_domain_state_is_taken():
    defs = schemas.docs["types.json"]["$defs"]
    states = ("attaching attached detaching refused failed orphaned foreign "
              "leaked unknown detached").split()
    if defs["device-state"]["enum"] != states:
        yield f"device states: {defs['device-state']['enum']}"
    for state in states:
        document = documents.edited(documents.GOOD["get.json"],
                                    "/devices/0/state", state)
        for where, message in schemas.errors("get.json", document):
            yield f"{state}: {where}: {message}"
    for state in "running paused shutdown crashed dying unknown " \
                 "stopped".split():
        document = documents.edited(documents.GOOD["get.json"],
                                    "/domain/state", state)
        for where, message in schemas.errors("get.json", document):
            yield f"{state}: {where}: {message}"


@test
def wrong_documents_are_refused_and_say_where():
    tried = set()
    for name, where, value, named in documents.WRONG:
        shown = "gone" if value is documents.GONE else json.dumps(value)
        document = documents.edited(documents.GOOD[name], where, value)
        tried.add(name)
        errors = schemas.errors(name, document)
        if not errors:
            yield f"{name}: {where} = {shown}: taken"
        elif named not in {w for w, _ in errors}:
            yield (f"{name}: {where} = {shown}: should name '{named}', "
                   f"names {[w for w, _ in errors]}")
        # Members that exclude each other are both named.
        elif any(not named.startswith(w) and
                 w.rpartition("/")[0] != named.rpartition("/")[0]
                 for w, _ in errors):
            yield f"{name}: {where} = {shown}: names more: {errors}"
    for name in sorted(n for n in documents.GOOD if n not in tried):
        yield f"{name}: no wrong document to try it with"


@test
def real_libxl_reads_its_own_print():
    """Byte for byte, where no number is beyond INT64_MAX."""
    for v in variants():
        text = printed("--readable", str(v))
        if run(program("roundtrip"), stdin=text) != text:
            yield f"variant {v}: read and printed again, it differs"
    for name in empties():
        text = printed("--empty", name)
        if run(program("roundtrip"), stdin=text) != text:
            yield f"empty {name}: read and printed again, it differs"


@test
def real_libxl_drops_numbers_beyond_int64():
    """What the domain's own template loses, nothing else; this is why a
    configuration is never passed through libxl to be kept."""
    lost = 0
    for v in variants():
        before = json.loads(printed(str(v)))
        after = json.loads(run(program("roundtrip"),
                               stdin=printed(str(v))))
        lost += before != after
        if without_big(before) != after:
            yield f"variant {v}: libxl lost more, or less"
    if not lost:
        yield "no variant has such a number"


def without_big(value):
    def big(v):
        return isinstance(v, int) and v > INT64_MAX
    if isinstance(value, dict):
        return {k: without_big(v) for k, v in value.items() if not big(v)}
    if isinstance(value, list):
        return [without_big(v) for v in value]
    return value


def canonical(text):
    with tempfile.NamedTemporaryFile(suffix=".json") as f:
        f.write(text)
        f.flush()
        return run(XLCFG, "check", "--canonical", f.name)


@test
def our_canonical_form_loses_nothing():
    """Numbers to 64 bits and every character included."""
    for name, text in texts():
        out = canonical(text)
        if json.loads(out) != json.loads(text):
            yield f"{name}: the canonical form says something else"
        if canonical(out) != out:
            yield f"{name}: the canonical form of the canonical form differs"


@test
def our_canonical_form_is_sorted_and_without_blanks():
    for name, text in texts():
        got = canonical(text).decode().removesuffix("\n")
        value = json.loads(got)
        if json.dumps(value, sort_keys=True) != json.dumps(value):
            yield f"{name}: members are not sorted"
        if re.search(r"\s", re.sub(r'"([^"\\]|\\.)*"', "", got)):
            yield f"{name}: there are blanks in it"


@test
def real_libxl_reads_our_canonical_form():
    """And prints it again unchanged, once both are canonical."""
    for v in variants():
        ours = canonical(printed("--readable", str(v)))
        theirs = run(program("roundtrip"), stdin=ours)
        if canonical(theirs) != ours:
            yield f"variant {v}: not what libxl prints after reading it"
        if theirs != printed("--readable", str(v)):
            yield f"variant {v}: libxl read something else than it printed"


def texts():
    for v in variants():
        yield f"variant {v}", printed(str(v))
    for name in empties():
        yield f"empty {name}", printed("--empty", name)


@test
def the_kind_table_the_schemas_and_libxl_agree():
    table = json.loads(run(XLCFG, "table", "--kinds", "-o", "json"))["kinds"]
    ours = {row["name"]: row for row in table}
    kinds = schemas.kinds()
    for kind in sorted(set(ours) ^ set(kinds)):
        yield f"{kind}: not in both the kind table and the schemas"
    header = members(root_fields())
    for kind in sorted(set(ours) & set(kinds)):
        row, array = ours[kind], kinds[kind]
        if row["array"] != array:
            yield f"{kind}: array is {row['array']}, not {array}"
        fields = [f["name"] for f in row["fields"]]
        if len(set(fields)) != len(fields):
            yield f"{kind}: a field twice"
        doc = schemas.docs[f"device-{kind}.json"]
        known = set(doc["properties"]) - OURS
        for f in sorted(set(fields) ^ known):
            yield f"{kind}.{f}: not in both the kind table and the schema"
        if array in header:
            libxl = set(members(inside(header[array])))
            for f in sorted(set(fields) ^ libxl):
                yield f"{kind}.{f}: not in both the kind table and libxl"
        elif "x-libxl-since" not in doc:
            yield f"{kind}: libxl has no {array}"
        for f in row["fields"]:
            if not f["rule"]:
                yield f"{kind}.{f['name']}: no rule"


def main():
    words = sys.argv[2:]
    passed = failed = 0
    for function in TESTS:
        name = function.__name__.replace("_", " ")
        if words and not any(w in name for w in words):
            continue
        try:
            wrong = list(function())
        except FileNotFoundError as e:
            wrong = [f"{e.filename} is not there: build it first"]
        except (RuntimeError, ValueError, KeyError,
                subprocess.TimeoutExpired,
                jsonschema.RefResolutionError) as e:
            wrong = [f"{type(e).__name__}: {e}"]
        print(f"{'not ok' if wrong else 'ok'} - {name}")
        for line in wrong[:40]:
            print(f"    {line}")
        if len(wrong) > 40:
            print(f"    and {len(wrong) - 40} more")
        passed += not wrong
        failed += bool(wrong)
        sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
