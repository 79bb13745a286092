#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the C that fills every field of a libxl_domain_config.

From libxl's own header, so that a field libxl gains is filled (and then
missed by the schemas) without anybody's doing.  print.c includes the result.

    gen_fill.py /usr/include/_libxl_types.h > build/tests/schema/fill.h
"""
import sys

from libxl_types import NUMBERS, ROOT, Types


class Writer:
    def __init__(self, types):
        self.types = types
        self.order = 0          # of the field: neighbours differ in value
        self.out = []

    def line(self, depth, text):
        self.out.append("    " * depth + text)

    def enum_values(self, name):
        return "(const int[]){ %s }" % ", ".join(self.types.enums[name])

    def field(self, depth, at, field, where):
        if field.arms is not None and field.key is None:
            for inner in field.arms[""]:
                self.field(depth, f"{at}.{field.name}", inner,
                           f"{where}.{field.name}")
        elif field.arms is not None:
            self.union(depth, at, field, where)
        elif field.array:
            self.array(depth, at, field, where)
        else:
            self.order += 1
            self.line(depth, self.one(f"{at}.{field.name}", field.ctype,
                                      f"{where}.{field.name}",
                                      f"v, {self.order}") + ";")

    def one(self, lvalue, ctype, where, at):
        """The statement that fills one value; at is "variant, order"."""
        if ctype in self.types.enums:
            n = len(self.types.enums[ctype])
            return (f"{lvalue} = enum_value({self.enum_values(ctype)}, "
                    f"{n}, {at})")
        if ctype in self.types.structs:
            return f"fill_{ctype}(&{lvalue}, {at.split(',')[0]})"
        if ctype == "bool":
            return f"{lvalue} = bool_value({at})"
        if ctype in NUMBERS:
            low, high = NUMBERS[ctype]
            if low < 0:
                return f"{lvalue} = signed_value({at})"
            return f"{lvalue} = unsigned_value(UINT64_C({high}), {at})"
        if ctype.endswith("char *"):
            return f'{lvalue} = text_value("{where}", {at})'
        return f"fill_{ctype}(&{lvalue}, {at})"

    def array(self, depth, at, field, where):
        self.order += 1
        count = "2 + v % 2"
        if field.ctype in self.types.enums:
            count = str(len(self.types.enums[field.ctype]))
        self.line(depth, f"{at}.{field.array} = {count};")
        self.line(depth, f"{at}.{field.name} = array({at}.{field.array}, "
                         f"sizeof({at}.{field.name}[0]));")
        self.line(depth, f"for (int i = 0; i < {at}.{field.array}; i++) {{")
        if field.ctype in self.types.structs:
            self.line(depth + 1,
                      f"{field.ctype}_init(&{at}.{field.name}[i]);")
        # Elements differ in their arm and in their plain values.
        step = "v + i * (ARMS + 1)"
        self.line(depth + 1, self.one(f"{at}.{field.name}[i]", field.ctype,
                                      f"{where}.{field.name}",
                                      f"{step}, {self.order}") + ";")
        self.line(depth, "}")

    def union(self, depth, at, field, where):
        enum = field.key.ctype
        values = self.types.enums[enum]
        struct = where
        if at != "(*p)":
            raise ValueError(f"{where}: a union inside a nested struct")
        self.line(depth, f"{struct}_init_{field.key.name}(p, "
                         f"(({self.enum_values(enum)})[v % {len(values)}]));")
        self.line(depth, f"switch (p->{field.key.name}) {{")
        for value in values:
            self.line(depth, f"case {value}:")
            arm = self.types.suffix(enum, value).lower()
            for inner in field.arms.get(arm, []):
                self.field(depth + 1, f"{at}.{field.name}.{arm}", inner,
                           f"{where}.{arm}")
            self.line(depth + 1, "break;")
        self.line(depth, "}")
        known = {self.types.suffix(enum, v).lower() for v in values}
        missing = set(field.arms) - known
        if missing:
            raise ValueError(f"{struct}: arms without a key: {missing}")

    def struct(self, name):
        self.line(0, f"static void fill_{name}({name} *p, int v)")
        self.line(0, "{")
        for field in self.types.structs[name].fields:
            self.field(1, "(*p)", field, name)
        self.line(0, "}")
        self.line(0, "")


def main():
    types = Types.read(sys.argv[1])
    names = types.reachable(ROOT)
    structs = [n for n in names if n in types.structs]
    enums = sorted(n for n in names if n in types.enums)
    writer = Writer(types)
    arms = max(len(types.enums[f.key.ctype]) for s in structs
               for f in types.structs[s].fields if f.key)
    steps = max(len(types.enums[e]) for e in enums
                if not any(f.array and f.ctype == e for s in structs
                           for f in types.flat(types.structs[s].fields)))
    print("/* Written by gen_fill.py from libxl's header. */")
    print(f"#define ARMS {arms}")
    print(f"#define STEPS {steps}\n")
    print('#include "values.h"\n')
    for name in structs:
        print(f"static void fill_{name}({name} *p, int v);")
    print()
    for name in structs:
        writer.struct(name)
    print("\n".join(writer.out))
    print("static const struct enum_row enums[] = {")
    for name in enums:
        print(f'    {{ "{name}", {name}_string_table }},')
    print("    { NULL, NULL },\n};")


main()
