#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Moves bytes from this host to one in another network namespace, and says how fast.

usage: transfer.py NAMESPACE ADDRESS PORT LISTEN_PORT BYTES SECONDS [--back]

A receiver in NAMESPACE (a path) connects to ADDRESS:PORT, behind which this host listens at
LISTEN_PORT; with --back it is the other way round: this host is the receiver. The bytes are a
pattern that the receiver knows. Prints the rate in bit/s, as 'fix prove --measure' takes it; exit
code 1 says that bytes were wrong.
"""
import ctypes
import os
import signal
import socket
import sys
import time

CLONE_NEWNET = 0x40000000
CHUNK = 1 << 18
# No part of it repeats at a distance that segments or frames have.
PATTERN = bytes((i * 7 + (i >> 8) * 13 + (i >> 16)) & 0xFF for i in range(1000003))


def enter(namespace):
    descriptor = os.open(namespace, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter " + namespace)
    os.close(descriptor)


def send(listener, total, seconds):
    """Serves one receiver; gives up after some seconds."""
    listener.settimeout(seconds)
    peer, _ = listener.accept()
    peer.settimeout(0.1)
    end = time.monotonic() + seconds
    sent = 0
    try:
        while sent < total and time.monotonic() < end:
            at = sent % len(PATTERN)
            try:
                sent += peer.send(PATTERN[at:at + min(CHUNK, total - sent)])
            except (TimeoutError, BlockingIOError):
                pass
            except OSError:
                break
    finally:
        # What is still under way is of no interest: it would take as long as the fault likes.
        if sent < total:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()


def receive(address, port, total, seconds):
    """Gives the bytes that came, the seconds that it took, and whether they were right."""
    start = time.monotonic()
    deadline = start + seconds
    got, right, last = 0, True, start
    try:
        with socket.create_connection((address, port), timeout=seconds) as peer:
            while got < total and time.monotonic() < deadline:
                peer.settimeout(max(0.01, deadline - time.monotonic()))
                part = peer.recv(CHUNK)
                if not part:
                    break
                at = got % len(PATTERN)
                expected = (PATTERN[at:] + PATTERN)[:len(part)]
                right = right and part == expected
                got += len(part)
                last = time.monotonic()
    except OSError:
        pass
    # A transfer that stopped took all the time that it was given.
    return got, (last if got >= total else max(last, deadline)) - start, right


def main():
    # Whoever has seen enough ends both ends, and the connection with them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    words = [word for word in sys.argv[1:] if word != "--back"]
    namespace, address = words[:2]
    port, listen_port, total = (int(word) for word in words[2:5])
    seconds = float(words[5])
    back = "--back" in sys.argv
    if back:
        # The listener is in the other namespace: the child goes there.
        ready, told = os.pipe()
    else:
        listener = socket.create_server(("", listen_port), backlog=8)
    child = os.fork()
    if child == 0:
        if back:
            enter(namespace)
            listener = socket.create_server(("", listen_port), backlog=8)
            os.write(told, b"!")
            send(listener, total, seconds)
            os._exit(0)
        send(listener, total, seconds)
        os._exit(0)
    if back:
        os.read(ready, 1)
    else:
        listener.close()
        enter(namespace)
    got, took, right = receive(address, port, total, seconds)
    os.waitpid(child, 0)
    print(f"{got} bytes in {took:.3f} s, {'right' if right else 'WRONG'}")
    print(f"{8 * got / took:.0f}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
