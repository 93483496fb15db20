#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The step that clamps the MSS, on a gateway between two hosts: a handshake that passes says so.

usage: clamp_test.py

Three network namespaces; behind the gateway the link carries 1300 bytes. Exit code 77: it cannot be
tried here.
"""
import os
import shutil
import subprocess
import sys
import tempfile

PROGRAM = os.environ["SLOWPATH_PROGRAM"]
PORT = 5001
NAMES = {who: f"slowpath-clamp-{os.getpid()}-{who}" for who in ("near", "gateway", "far")}


def run(*words):
    return subprocess.run(words, text=True, stdout=subprocess.PIPE, check=True).stdout


def inside(who, *words):
    return ("ip", "netns", "exec", NAMES[who], *words)


def check(condition, what):
    print(("ok: " if condition else "FAILED: ") + what, flush=True)
    if not condition:
        sys.exit(1)


def build():
    for name in NAMES.values():
        run("ip", "netns", "add", name)
    for number, (who, mtu) in enumerate((("near", "1500"), ("far", "1300")), 1):
        run("ip", "link", "add", "eth0", "netns", NAMES[who], "type", "veth", "peer", "name", who,
            "netns", NAMES["gateway"])
        run("ip", "-n", NAMES["gateway"], "addr", "add", f"10.{number}.0.254/24", "dev", who)
        run("ip", "-n", NAMES["gateway"], "link", "set", who, "up", "mtu", mtu)
        run("ip", "-n", NAMES[who], "addr", "add", f"10.{number}.0.1/24", "dev", "eth0")
        run("ip", "-n", NAMES[who], "link", "set", "eth0", "up")
        run("ip", "-n", NAMES[who], "route", "add", "default", "via", f"10.{number}.0.254")
    run(*inside("gateway", "sysctl", "-qw", "net.ipv4.ip_forward=1"))


LISTEN = f"""
import socket
listener = socket.create_server(("", {PORT}))
print("listening", flush=True)
peer, _ = listener.accept()
print(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))
"""
CONNECT = f"""
import socket
socket.create_connection(("10.2.0.1", {PORT}), timeout=10).recv(1)
"""


def mss():
    """What the far host may send in one segment, without the 12 bytes of timestamps."""
    with subprocess.Popen(inside("far", sys.executable, "-c", LISTEN), text=True,
                          stdout=subprocess.PIPE) as listener:
        try:
            listener.stdout.readline()
            run(*inside("near", sys.executable, "-c", CONNECT))
            return int(listener.stdout.read())
        finally:
            # Where nobody came it would wait for ever, and we for it.
            listener.kill()


def walk(journal):
    build()
    fix = inside("gateway", PROGRAM, "fix")
    check(mss() == 1448, "the handshake passes as it is")
    plan = run(PROGRAM, "fix", "plan", "mss-not-clamped")
    check("nft 'add table inet slowpath_mss" in plan, "the plan has the command")
    print(run(*fix, "apply", "mss-not-clamped/1", "--journal", journal), end="")
    check(mss() == 1248, "clamped to what the link behind carries: 1300 - 40 - 12")
    check("slowpath_mss" in run(*inside("gateway", "nft", "list", "ruleset")), "by its own table")
    run(*fix, "undo", "--all", "--journal", journal)
    check(run(*inside("gateway", "nft", "list", "ruleset")) == "", "undo leaves no rule")
    check(mss() == 1448, "and the handshake passes as it was")


def main():
    for program in ("ip", "nft", "sysctl"):
        if shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            print("needs " + program)
            return 77
    if os.geteuid() != 0:
        print("needs root for network namespaces")
        return 77
    # ip(8) gives what it runs in a namespace mounts of its own.
    if subprocess.run(("unshare", "--net", "--mount", "true"), stderr=subprocess.DEVNULL, check=False).returncode:
        print("needs a root file system that is a mount point: ip netns exec cannot work here")
        return 77
    journal = tempfile.mkdtemp(prefix="slowpath-clamp-")
    try:
        walk(journal)
    finally:
        for name in NAMES.values():
            subprocess.run(("ip", "netns", "del", name), stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(journal, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
