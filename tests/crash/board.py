# SPDX-License-Identifier: LGPL-2.1-or-later
"""The board that killer.so reads its orders from; the layout of board.h."""
import mmap
import os
import struct

MEMBERS, TRACE, LABEL = 256, 4096, 120
SELF, CALLER, CHILD, ALL = 1, 2, 4, 8
WORDS = ("at", "who", "reads", "fault", "goes_on", "hit_by", "armed", "dead",
         "count", "members", "caller", "child")
PIDS = 4 * len(WORDS)
ONLY = PIDS + 4 * MEMBERS
SIZE = ONLY + LABEL * (2 + TRACE)


class Board:
    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(SIZE)
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), SIZE)

    def order(self, only="", **words):
        """Begin anew with these orders; every other word is 0."""
        self.map[:SIZE] = bytes(SIZE)
        for name, value in words.items():
            struct.pack_into("<I", self.map, 4 * WORDS.index(name), value)
        self.map[ONLY:ONLY + len(only)] = only.encode()

    def word(self, name):
        return struct.unpack_from("<I", self.map, 4 * WORDS.index(name))[0]

    def _label(self, n):
        at = ONLY + LABEL * n
        return self.map[at:at + LABEL].split(b"\0")[0].decode()

    @property
    def label(self):
        """What the call that was hit was about to do."""
        return self._label(1)

    def trace(self):
        return [self._label(2 + n)
                for n in range(min(self.word("count"), TRACE))]

    def environment(self, hv, killer, roots):
        return {"LD_PRELOAD": f"{hv}:{killer}",
                "XLCFG_CRASH_BOARD": self.path,
                "XLCFG_CRASH_ROOTS": ":".join(map(os.path.realpath, roots))}
