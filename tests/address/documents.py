# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configurations that have every member of the schemas, each of which can be
changed by itself."""
import copy
import json

from common import ROOT, UUID

# Not the configuration's: what the run is called.  Of these no claim is made.
RUN = {"/c_info/domid", "/c_info/name", "/c_info/uuid"}
PATTERNS = {
    "^[0-9A-Fa-f]{8}(-": ("%08x-1111-2222-3333-444444444444", 1),
    "^[0-9A-Fa-f]{2}(:": ("00:16:3e:00:00:%02x", 1),
    "^[01xks]{32}$": ("%032d", 1), "^[01xks]{64}$": ("%064d", 1),
    "^[0-9a-f]+\\.": ("%x.0", 1),
}


class Schemas:
    """Documents of the schemas, made up."""

    def __init__(self):
        self.files = {p.name: json.loads(p.read_text())
                      for p in (ROOT / "json-schema").glob("*.json")}

    def node(self, ref, home):
        name, _, at = ref.partition("#")
        node = self.files[name or home]
        for part in at.strip("/").split("/") if at else []:
            node = node[part]
        return node, name or home

    def make(self, node, home, n):
        """A value; another one for another n, where there are two."""
        if "$ref" in node:
            return self.make(*self.node(node["$ref"], home), n)
        if "enum" in node:
            return node["enum"][n % len(node["enum"])]
        for form in ("oneOf", "anyOf"):
            if form in node:
                return self.make(node[form][0], home, n)
        kind = node.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            if "properties" not in node:
                return {"a": f"v{n}"}
            return {name: self.make(sub, home, n) for name, sub in
                    node["properties"].items()}
        if kind == "array":
            count = node.get("minItems", 1)
            return [self.make(node["items"], home, n + i)
                    for i in range(count)]
        if kind == "integer":
            return min(max(node.get("minimum", 0), 0) + 1 + n,
                       node.get("maximum", 1 << 31))
        if kind == "boolean":
            return bool(n % 2)
        for start, (form, step) in PATTERNS.items():
            if node.get("pattern", "").startswith(start):
                return form % (n * step)
        return f"v{n}"

    def config(self, n=0):
        config = self.make(*self.node("domain-config.json", ""), n)
        config["c_info"].update(name="g", uuid=UUID, domid=0)
        config["disks"][0]["vdev"] = "xvdab"[:4 + n]
        return config


def leaves(doc, at=""):
    """Each member that can be changed by itself, by its pointer."""
    if isinstance(doc, dict):
        for name, value in doc.items():
            yield from leaves(value, f"{at}/{name}")
    elif isinstance(doc, list):
        for i, value in enumerate(doc):
            yield from leaves(value, f"{at}/{i}")
    else:
        yield at


def spot(doc, at):
    parts = at.strip("/").split("/")
    for part in parts[:-1]:
        doc = doc[int(part) if isinstance(doc, list) else part]
    last = parts[-1]
    return doc, int(last) if isinstance(doc, list) else last


def changed(doc, other, at):
    """A copy with that member as in the other document."""
    copied = copy.deepcopy(doc)
    into, name = spot(copied, at)
    value, _ = spot(other, at)
    if into[name] == value[name]:
        return None
    into[name] = value[name]
    return copied


def shuffled(doc, rng):
    """The same document, its members in another order."""
    if isinstance(doc, dict):
        names = list(doc)
        rng.shuffle(names)
        return {name: shuffled(doc[name], rng) for name in names}
    if isinstance(doc, list):
        return [shuffled(value, rng) for value in doc]
    return doc
