# SPDX-License-Identifier: Apache-2.0
"""Two hosts on this machine, each a network namespace, and what lies between them: a veth pair, or the lab's switch."""
import contextlib
import pathlib
import subprocess
import sys
import time

A, B = "slowpath-bench-a", "slowpath-bench-b"
ADDRESS_OF_B = "10.0.0.2"


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout


def inside(namespace, *command):
    return ("ip", "netns", "exec", namespace) + command


class Hosts:
    """Two fresh namespaces, gone at the end."""

    def __enter__(self):
        for name in (A, B):
            run("ip", "netns", "del", name, check=False)
            run("ip", "netns", "add", name)
            run(*inside(name, "ip", "link", "set", "lo", "up"))
            run(*inside(name, "sysctl", "-qw", "net.ipv4.tcp_rmem=4096 131072 33554432",
                        "net.ipv4.tcp_wmem=4096 65536 16777216", "net.ipv4.tcp_no_metrics_save=1",
                        "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"))
        return self

    def __exit__(self, *_):
        for name in (A, B):
            run("ip", "netns", "del", name, check=False)


class Plane:
    """The lab's switch between the two hosts. `program` is lab_switch_bench."""

    def __init__(self, program, mtu, stages=()):
        self.process = subprocess.Popen([program, "switch", A, B, str(mtu), *stages],
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            sys.exit("the plane did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.says = self.process.communicate()[0]
        for line in self.says.splitlines():
            if line.startswith("endpoint") and not line.endswith("failed 0"):
                print("  the plane lost frames:", line, file=sys.stderr)


@contextlib.contextmanager
def veth(mtu):
    run("ip", "link", "add", "eth0", "netns", A, "type", "veth", "peer", "name", "eth0", "netns", B)
    for name, side in ((A, 1), (B, 2)):
        run(*inside(name, "ip", "addr", "add", f"10.0.0.{side}/24", "dev", "eth0"))
        run(*inside(name, "ip", "link", "set", "eth0", "mtu", str(mtu), "up"))
    time.sleep(0.1)
    yield


def is_listening(pid, port):
    """Whether a socket listens on `port` where the process is."""
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


def wait_until_listening(process, port, patience_s=10):
    """Ends the program where `process` ended or never listened."""
    end = time.monotonic() + patience_s
    while not is_listening(process.pid, port):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            sys.exit(f"bench: {' '.join(process.args)}: does not listen on port {port}")
        time.sleep(0.01)
