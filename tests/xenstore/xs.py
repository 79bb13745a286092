# SPDX-License-Identifier: LGPL-2.1-or-later
"""A xenstore client: the documented wire format over the daemon's socket.

    store = Store()
    store.write("/local/domain/7/name", "guest")
    with store.transaction() as t:
        store.write("/a", "1", t)
"""
import contextlib
import errno
import os
import socket
import struct

(CONTROL, DIRECTORY, READ, GET_PERMS, WATCH, UNWATCH, TRANSACTION_START,
 TRANSACTION_END, INTRODUCE, RELEASE, GET_DOMAIN_PATH, WRITE, MKDIR, RM,
 SET_PERMS, WATCH_EVENT, ERROR, IS_DOMAIN_INTRODUCED, RESUME, SET_TARGET,
 ) = range(20)
DIRECTORY_PART = 23
HEADER = struct.Struct("<IIII")


class Error(OSError):
    """xenstored's answer was an error; `.errno` says which."""


class Store:
    def __init__(self, path=None):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(path or os.environ["XENSTORED_PATH"])
        self.events = []
        self.buffer = b""

    def close(self):
        self.sock.close()

    def fileno(self):
        return self.sock.fileno()

    def _take(self, count):
        while len(self.buffer) < count:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("xenstored closed the connection")
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _message(self):
        kind, _, _, length = HEADER.unpack(self._take(HEADER.size))
        return kind, self._take(length)

    def _ask(self, kind, body, txn=0):
        self.sock.sendall(HEADER.pack(kind, 0, txn, len(body)) + body)
        while True:
            got, answer = self._message()
            if got == WATCH_EVENT:
                self.events.append(answer)
                continue
            if got == ERROR:
                name = answer.rstrip(b"\0").decode()
                raise Error(getattr(errno, name, errno.EIO), name, body)
            return answer

    @staticmethod
    def _path(path):
        return path.encode() + b"\0"

    def read(self, path, txn=0):
        """The value as text, or None when there is no such node."""
        try:
            return self._ask(READ, self._path(path), txn).decode()
        except Error as error:
            if error.errno != errno.ENOENT:
                raise
            return None

    def list(self, path, txn=0):
        """Names below `path`; [] for an empty node as for none."""
        try:
            answer = self._ask(DIRECTORY, self._path(path), txn)
        except Error as error:
            if error.errno != errno.ENOENT:
                raise
            return []
        return [name.decode() for name in answer.split(b"\0") if name]

    def exists(self, path, txn=0):
        return self.read(path, txn) is not None

    def write(self, path, value, txn=0):
        if not isinstance(value, bytes):
            value = str(value).encode()
        self._ask(WRITE, self._path(path) + value, txn)

    def mkdir(self, path, txn=0):
        self._ask(MKDIR, self._path(path), txn)

    def rm(self, path, txn=0):
        """Remove a subtree; nothing happens when it is not there."""
        with contextlib.suppress(FileNotFoundError):
            try:
                self._ask(RM, self._path(path), txn)
            except Error as error:
                if error.errno != errno.ENOENT:
                    raise

    def perms(self, path, perms, txn=0):
        """Permissions as `n0 r7`: owner first, n r w b, then a domid."""
        body = self._path(path)
        body += b"".join(p.encode() + b"\0" for p in perms.split())
        self._ask(SET_PERMS, body, txn)

    def get_perms(self, path, txn=0):
        answer = self._ask(GET_PERMS, self._path(path), txn)
        return answer.rstrip(b"\0").decode().replace("\0", " ")

    @contextlib.contextmanager
    def transaction(self):
        txn = int(self._ask(TRANSACTION_START, b"\0").rstrip(b"\0"))
        try:
            yield txn
        except BaseException:
            self._ask(TRANSACTION_END, b"F\0", txn)
            raise
        self._ask(TRANSACTION_END, b"T\0", txn)

    def attempts(self):
        """for t in store.attempts(): once more when somebody else was faster.
        What leaves the loop by return, break or an error takes it back."""
        while True:
            try:
                with self.transaction() as txn:
                    yield txn
                return
            except Error as error:
                if error.errno != errno.EAGAIN:
                    raise

    def introduce(self, domid, mfn=1, port=1):
        self._ask(INTRODUCE, b"%d\0%d\0%d\0" % (domid, mfn, port))

    def release(self, domid):
        self._ask(RELEASE, b"%d\0" % domid)

    def is_introduced(self, domid):
        answer = self._ask(IS_DOMAIN_INTRODUCED, b"%d\0" % domid)
        return answer.rstrip(b"\0") == b"T"

    def watch(self, path, token="t"):
        self._ask(WATCH, self._path(path) + token.encode() + b"\0")

    def event(self):
        """Wait for the next watch event: (path, token)."""
        while not self.events:
            kind, answer = self._message()
            if kind == WATCH_EVENT:
                self.events.append(answer)
        path, token = self.events.pop(0).split(b"\0")[:2]
        return path.decode(), token.decode()

    def buffered(self):
        """Is there an event to be had without reading the socket?"""
        return bool(self.events) or len(self.buffer) >= HEADER.size

    def ready_events(self):
        """The events that have arrived, at least one: waits if need be."""
        found = [self.event()]
        while self.events:
            found.append(self.event())
        return found

    def tree(self, path):
        """{path: value} of a whole subtree, for looking and comparing."""
        value = self.read(path)
        if value is None:
            return {}
        found = {path: value}
        for name in self.list(path):
            found.update(self.tree(path.rstrip("/") + "/" + name))
        return found
