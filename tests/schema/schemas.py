# SPDX-License-Identifier: LGPL-2.1-or-later
"""The schemas of json-schema/, in their own form and in strict form.

A document may hold members that a schema does not know, because a running
domain's configuration is kept as it is.  In strict form such a member is an
error: tests use it to find what the schemas forgot.
"""
import glob
import json
import os

import jsonschema

STRICT = {"additionalProperties": False}


class Offline(jsonschema.RefResolver):
    def resolve_remote(self, uri):
        raise jsonschema.RefResolutionError(f"no such schema: {uri}")


def pointer(path):
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1")
                   for p in path)


def strict(node):
    """Objects whose type is said hold nothing but what they name."""
    if isinstance(node, list):
        return [strict(n) for n in node]
    if not isinstance(node, dict):
        return node
    node = {k: strict(v) for k, v in node.items()}
    if node.get("type") == "object" and "properties" in node:
        return {**STRICT, **node}
    return node


class Schemas:
    def __init__(self, folder):
        self.docs = {}
        for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
            with open(path, encoding="utf-8") as f:
                self.docs[os.path.basename(path)] = json.load(f)
        self.tight = {name: strict(d) for name, d in self.docs.items()}
        self.made = {}

    def kinds(self):
        """{kind: array} as the domain configuration's schema says."""
        found = {}
        for array, node in self.docs["domain-config.json"]["properties"] \
                .items():
            ref = node.get("items", {}).get("$ref", "")
            if ref.startswith("device-"):
                found[ref.removeprefix("device-").removesuffix(".json")] = \
                    array
        return found

    def validator(self, name, tight=False):
        docs = self.tight if tight else self.docs
        if (name, tight) not in self.made:
            self.made[name, tight] = jsonschema.Draft202012Validator(
                docs[name],
                resolver=Offline(name, docs[name], store=dict(docs)),
                format_checker=jsonschema.FormatChecker())
        return self.made[name, tight]

    def errors(self, name, document, tight=False):
        """Every leaf error as (pointer, message)."""
        todo = list(self.validator(name, tight).iter_errors(document))
        found = []
        while todo:
            error = todo.pop()
            todo += error.context
            if not error.context:
                found.append((pointer(error.absolute_path), error.message))
        return sorted(found)

    def resolve(self, name, node):
        """The node behind its $ref, with the document it is in."""
        while "$ref" in node:
            file, _, fragment = node["$ref"].partition("#")
            name = file or name
            target = self.docs[name]
            for step in fragment.split("/")[1:]:
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return name, node
