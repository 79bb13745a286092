# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an outage is made with: a xenstored that can be stopped and killed, a
relay that goes silent or hangs up after so many answers, and a context of
the library that lives through it."""
import ctypes
import os
import signal
import socket
import struct
import subprocess
import threading
import time

HEADER = struct.Struct("<IIII")


class Xenstored:
    """A real one; `start` after `kill` is a new one, and empty."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        os.makedirs(folder, exist_ok=True)
        self.path = folder + "/socket"
        self.process = None
        self.start()

    def start(self):
        env = {**os.environ, "XENSTORED_RUNDIR": self.folder,
               "LD_PRELOAD": os.environ["XLCFG_TEST_HV"]}
        env.pop("XENSTORED_PATH", None)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(
            [self.program, "-N", "-Ion", "--pid-file",
             self.folder + "/pid"], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        env["XENSTORED_PATH"] = self.path
        while subprocess.run(["xenstore-exists", "/"], env=env, check=False,
                             stderr=subprocess.DEVNULL).returncode:
            if self.process.poll() is not None:
                raise RuntimeError("xenstored ended")
            time.sleep(0.02)

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)
        while True:
            with open(f"/proc/{self.process.pid}/stat",
                      encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "T":
                    return
            time.sleep(0.01)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


class Relay:
    """Stands before a xenstored. After `budget` answers to all that connect
    it is silent, or hangs up; `once`: and is well again from then on."""

    def __init__(self, upstream, path):
        self.upstream, self.path = upstream, path
        self.budget, self.hang_up, self.once = None, False, False
        self.delay = 0          # seconds, before each answer
        self.answers = 0
        self.lock = threading.Lock()
        self.server = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.server.bind(path)
        self.server.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def set(self, budget, hang_up=False, once=False, delay=0):
        with self.lock:
            self.delay = delay
            self.budget, self.hang_up, self.once = budget, hang_up, once
            self.answers = 0

    def accept(self):
        while True:
            client, _ = self.server.accept()
            if self.is_out():
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.upstream)
            for target, args in ((self.forth, (client, server)),
                                 (self.back, (server, client))):
                threading.Thread(target=target, args=args,
                                 daemon=True).start()

    def is_out(self):
        with self.lock:
            out = self.budget is not None and self.hang_up and \
                self.answers >= self.budget
            if out and self.once:
                self.budget = None
            return out

    @staticmethod
    def shut(*ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def forth(self, client, server):
        try:
            while data := client.recv(65536):
                server.sendall(data)
        except OSError:
            pass
        self.shut(server)

    @staticmethod
    def take(end, size):
        data = b""
        while len(data) < size:
            more = end.recv(size - len(data))
            if not more:
                raise OSError
            data += more
        return data

    def allowed(self):
        with self.lock:
            if self.budget is not None and self.answers >= self.budget:
                if self.once:
                    self.budget = None
                return False
            self.answers += 1
            return True

    def back(self, server, client):
        try:
            while True:
                head = self.take(server, HEADER.size)
                body = self.take(server, HEADER.unpack(head)[3])
                if not self.allowed():
                    break
                if self.delay:
                    time.sleep(self.delay)
                client.sendall(head + body)
        except OSError:
            self.shut(client, server)
            return
        if self.hang_up:
            self.shut(client, server)


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("where", ctypes.c_char * 512),
                ("message", ctypes.c_char * 1024)]


class Context:
    """xlcfg_ctx of xen:/// by the library itself; answers are JSON text."""

    def __init__(self, library):
        self.lib = ctypes.CDLL(library)
        self.lib.xlcfg_doc_free.argtypes = [ctypes.c_void_p]
        self.lib.xlcfg_ctx_close.argtypes = [ctypes.c_void_p]
        self.libc = ctypes.CDLL(None)
        self.libc.free.argtypes = [ctypes.c_void_p]
        self.error = Error()
        self.ctx = ctypes.c_void_p()
        code = self.lib.xlcfg_ctx_open(b"xen:///", None,
                                       ctypes.byref(self.ctx),
                                       ctypes.byref(self.error))
        if code:
            raise RuntimeError(self.error.message)

    def get(self, dom):
        """(code, text or None)"""
        doc, text = ctypes.c_void_p(), ctypes.c_void_p()
        code = self.lib.xlcfg_domain_get(self.ctx, str(dom).encode(), None,
                                         ctypes.byref(doc),
                                         ctypes.byref(self.error))
        if code:
            return code, None
        self.lib.xlcfg_doc_print(doc, 0, ctypes.byref(text), None, None)
        answer = ctypes.string_at(text).decode()
        self.libc.free(text)
        self.lib.xlcfg_doc_free(doc)
        return 0, answer

    def close(self):
        self.lib.xlcfg_ctx_close(self.ctx)
