# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private libvirtd with QEMU guests, for tests that may kill any of them.

    with Host(folder, sees=[images]) as host:
        host.define(guest_xml("g1", folder, images, os="linux"))
        host.virsh("start", "g1")

A libvirtd of its own: it sees the machine's folders, but its state, sockets,
configuration and logs are below `folder`, by a mount namespace.  It listens
at host.uri, a unix socket, and to nobody else.  It can be killed and started
again; guests go on meanwhile.  With `root` libvirtd and QEMU are those of
another root folder (a newer distribution), which sees the same /tmp and,
by their own paths, the folders of `sees` (where guests' kernels are).
`settings` are more lines for libvirtd.conf.  kvm=False hides /dev/kvm.  With
`port` it also listens there, on this machine's own address, at host.remote_uri,
and asks nobody who he is.  `run` is the folder to have /run/libvirt in, where
that matters: on a host of its own that is in memory.

The folder's path must be short: it holds unix sockets.
"""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

# Where a libvirtd of the system keeps what is its own.
PRIVATE = {"run": "/run/libvirt", "lib": "/var/lib/libvirt",
           "cache": "/var/cache/libvirt", "log": "/var/log/libvirt",
           "etc": "/etc/libvirt"}
LIBVIRTD_CONF = """\
listen_tls = 0
unix_sock_group = "root"
unix_sock_rw_perms = "0700"
unix_sock_ro_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "1:file:/var/log/libvirt/libvirtd.log"
"""
QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""
# Generous: a machine may be slow, and nothing is judged by its time.
PATIENCE = 180


class Gone(Exception):
    """What was waited for did not come."""


def wait_for(what, test, patience=PATIENCE, every=0.05):
    """Until test() is true; its answer."""
    end = time.monotonic() + patience
    while True:
        answer = test()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Gone(f"waited {patience} s for {what}")
        time.sleep(every)


class Host:
    def __init__(self, folder, root=None, sees=(), settings="", kvm=True,
                 port=None, run=None):
        self.folder = Path(folder).resolve()
        self.root = Path(root).resolve() if root else None
        self.sees = [Path(one).resolve() for one in sees]
        if run:
            (self.folder / "run").symlink_to(run)
        for name in PRIVATE:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.port = port
        if port:
            settings += f'listen_tcp = 1\ntcp_port = "{port}"\n' \
                'listen_addr = "127.0.0.1"\nauth_tcp = "none"\n'
        else:
            settings += "listen_tcp = 0\n"
        self.remote_uri = f"qemu+tcp://127.0.0.1:{port}/system"
        (self.folder / "etc/libvirtd.conf").write_text(LIBVIRTD_CONF +
                                                        settings)
        (self.folder / "etc/qemu.conf").write_text(QEMU_CONF)
        self.socket = self.folder / "run/libvirt-sock"
        if len(str(self.socket)) > 90:
            raise ValueError(f"{self.socket}: too long for a unix socket")
        self.uri = f"qemu+unix:///system?socket={self.socket}"
        self.daemon = None
        self.kvm = kvm

    # ---- libvirtd ----

    def _command(self):
        into = str(self.root or "")
        script = ["set -e"]
        if not self.kvm:
            script.append("[ ! -e /dev/kvm ] || mount --bind /dev/null "
                          "/dev/kvm")
        for name, where in PRIVATE.items():
            script.append(f"mkdir -p '{into}{where}'")
            script.append(f"mount --bind '{self.folder}/{name}' "
                          f"'{into}{where}'")
        daemon = "libvirtd --config /etc/libvirt/libvirtd.conf " \
            "--pid-file /run/libvirt/libvirtd.pid" + \
            (" --listen" if self.port else "")
        if self.root:
            for name in ("proc", "sys", "dev", "tmp"):
                script.append(f"mount --rbind /{name} '{into}/{name}'")
            for path in self.sees:
                script.append(f"mkdir -p '{into}{path}'")
                script.append(f"mount --bind '{path}' '{into}{path}'")
            daemon = f"chroot '{into}' {daemon}"
        script.append(f"exec {daemon}")
        return ["unshare", "--mount", "--propagation", "private",
                "sh", "-c", "\n".join(script)]

    def start(self):
        """Start libvirtd and wait until it answers."""
        log = open(self.folder / "libvirtd.out", "ab")
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("LIBVIRT_", "XDG_"))}
        env["PATH"] += ":/usr/sbin:/sbin"
        self.daemon = subprocess.Popen(self._command(), stdout=log,
                                       stderr=log, cwd="/", env=env,
                                       stdin=subprocess.DEVNULL)
        log.close()

        def answers():
            if self.daemon.poll() is not None:
                raise Gone(f"libvirtd ended with {self.daemon.returncode}: "
                           f"see {self.folder}/libvirtd.out, "
                           f"{self.folder}/log/libvirtd.log")
            return self.virsh("version", check=False).returncode == 0
        wait_for("libvirtd to answer", answers, every=0.2)

    def kill(self, how=signal.SIGKILL):
        """End libvirtd alone: its guests go on."""
        self.daemon.send_signal(how)
        self.daemon.wait(PATIENCE)

    def restart(self):
        self.kill()
        self.start()

    def qemu_pids(self):
        """name: pid of each guest that runs, by what QEMU itself wrote."""
        found = {}
        for path in (self.folder / "run/qemu").glob("*.pid"):
            try:
                pid = int(path.read_text())
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if b"qemu" in line:
                found[path.stem] = pid
        return found

    def kill_qemu(self, name, how=signal.SIGKILL):
        os.kill(self.qemu_pids()[name], how)

    def close(self):
        """End libvirtd and all of its guests."""
        if self.daemon and self.daemon.poll() is None:
            self.kill(signal.SIGTERM)
        for pid in self.qemu_pids().values():
            os.kill(pid, signal.SIGKILL)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    # ---- guests ----

    def virsh(self, *args, check=True, stdin=None):
        done = subprocess.run(["virsh", "-q", "-c", self.uri, *args],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              input=stdin, text=True, timeout=PATIENCE,
                              check=False)
        if check and done.returncode:
            raise Gone(f"virsh {' '.join(args)}: {done.stderr.strip()}")
        return done

    def define(self, xml):
        path = self.folder / "define.xml"
        path.write_text(xml)
        self.virsh("define", str(path))

    def create(self, xml):
        """Start a transient guest."""
        path = self.folder / "create.xml"
        path.write_text(xml)
        self.virsh("create", str(path))

    def devices(self, name, *flags):
        """Targets and MACs that libvirt lists."""
        listed = self.virsh("domblklist", name, *flags).stdout.split("\n")
        return [line.split()[0] for line in listed if line.strip()]

    def in_qemu(self, name):
        """Ids of the devices that QEMU itself has."""
        import json
        done = self.virsh("qemu-monitor-command", name, json.dumps(
            {"execute": "qom-list",
             "arguments": {"path": "/machine/peripheral"}}))
        return [d["name"] for d in json.loads(done.stdout)["return"]
                if d["type"].startswith("child<")]

    def console(self, name):
        return Console(self.folder, name)


class Console:
    """The console of a Linux guest: orders in, answers out.

    A virtio one: an emulated UART now and then loses an interrupt, and with
    it the rest of what the guest has to say.
    """

    def __init__(self, folder, name):
        self.log = Path(folder) / f"{name}.console"
        self.path = Path(folder) / f"{name}.socket"
        self.socket = None
        self.number = 0

    def text(self):
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait(self, what, times=1, patience=PATIENCE):
        """Until the guest has printed something so many times."""
        wait_for(f"{self.log} to say {what!r}",
                 lambda: self.text().count(what) >= times, patience)

    def ready(self, boots=1):
        self.wait("guest: ready", boots)

    def send(self, command):
        """Give an order, and do not wait for its end; its number."""
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(str(self.path))
        self.number += 1
        token = f"{os.getpid()}-{self.number}"
        self.socket.sendall(f"{token} {command}\n".encode())
        return token

    def order(self, command):
        """Give an order and return what it printed."""
        before = len(self.text())
        token = self.send(command)
        self.wait(f"guest: {token} done ")
        said = self.text()[before:]
        said, _, rest = said.partition(f"guest: {token} done ")
        status = rest.split(None, 1)[0] if rest.split() else "?"
        if status != "0":
            raise Gone(f"{command!r} in the guest: {status}: {said}")
        return said.replace("\r", "")

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None


MACHINES = {
    # name: machine type, root ports, does the guest see PCIe slots itself
    "pc": ("pc", 0, False),
    "q35": ("q35", 6, False),
    "q35-native": ("q35", 6, True),
}


def guest_xml(name, folder, images=None, machine="q35", disks=(), nics=(),
              words="", extra="", memory=192, uuid=None):
    """A guest's XML.

    images: folder of a Linux guest; None: no operating system at all, so that
    nothing ever acknowledges.  disks: (target, path) or (target, path, type).
    nics: MACs.  words: for the kernel's command line.  q35 has hotplug by
    ACPI, q35-native by the slots of PCI Express.
    """
    kind, ports, native = MACHINES[machine]
    boot = ""
    if images:
        boot = f"<kernel>{images}/vmlinux</kernel>" \
            f"<initrd>{images}/initrd</initrd>" \
            f"<cmdline>console=hvc0 quiet panic=-1 {words}</cmdline>"
    devices = []
    for n in range(ports):
        devices.append(f"<controller type='pci' index='{n + 1}' "
                       "model='pcie-root-port'/>")
    for target, path, *form in disks:
        form = form[0] if form else "raw"
        bus = "virtio" if target.startswith("vd") else "sata"
        devices.append(f"<disk type='file' device='disk'><driver name='qemu' "
                       f"type='{form}'/><source file='{path}'/>"
                       f"<target dev='{target}' bus='{bus}'/></disk>")
    for mac in nics:
        devices.append(f"<interface type='user'><mac address='{mac}'/>"
                       "<model type='virtio'/><rom enabled='no'/>"
                       "</interface>")
    native_words = ""
    if native:
        native_words = "<qemu:commandline><qemu:arg value='-global'/>" \
            "<qemu:arg value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support" \
            "=off'/></qemu:commandline>"
    given = f"<uuid>{uuid}</uuid>" if uuid else ""
    return f"""\
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  {given}
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='{kind}'>hvm</type>{boot}</os>
  <features><acpi/></features>
  <cpu mode='custom'><model>qemu64</model></cpu>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <console type='unix'>
      <source mode='bind' path='{folder}/{name}.socket'/>
      <target type='virtio' port='0'/>
      <log file='{folder}/{name}.console' append='on'/>
    </console>
    {''.join(devices)}
    {extra}
    <memballoon model='none'/>
  </devices>
  {native_words}
</domain>
"""
