#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Joins two interfaces as a wire with a delay, and loses frames if told to.

usage: relay.py IFACE_A IFACE_B DELAY_MS LOSS_A_TO_B SEED

DELAY_MS is one way, LOSS_A_TO_B the share of frames lost on the way from A to B. Prints "ready", and
at SIGTERM how many frames it carried and lost. This kernel-independent relay stands in for tc netem,
which not every kernel has. Both interfaces must have their offloads off: frames go out as they came.
"""
import collections
import random
import select
import signal
import socket
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 64 << 20  # The wire's own queue must not be what loses frames.


def open_interface(name):
    interface = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    interface.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    interface.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    interface.bind((name, ETH_P_ALL))
    interface.setblocking(False)
    return interface


class Direction:
    """One way through the wire: frames wait in order until they are due."""

    def __init__(self, source, target, delay_s, loss, seed):
        self.source, self.target = source, target
        self.delay_s, self.loss = delay_s, loss
        self.random = random.Random(seed)
        self.waiting = collections.deque()
        self.carried = self.lost = 0

    def receive(self):
        while True:
            try:
                frame = self.source.recv(65536)
            except BlockingIOError:
                return
            if self.random.random() < self.loss:
                self.lost += 1
            else:
                self.waiting.append((time.monotonic() + self.delay_s, frame))

    def send(self):
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            self.target.send(self.waiting.popleft()[1])
            self.carried += 1


def wait_s(directions):
    """Until the next frame is due, or one second."""
    due = [direction.waiting[0][0] for direction in directions if direction.waiting]
    return max(0.0, min(due) - time.monotonic()) if due else 1.0


def main(arguments):
    if len(arguments) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    first, second = open_interface(arguments[0]), open_interface(arguments[1])
    delay_s, loss, seed = float(arguments[2]) / 1000, float(arguments[3]), int(arguments[4])
    directions = [Direction(first, second, delay_s, loss, seed),
                  Direction(second, first, delay_s, 0, seed)]
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    print("ready", flush=True)
    while not stopped:
        select.select([first, second], [], [], wait_s(directions))
        for direction in directions:
            direction.receive()
            direction.send()
    for name, direction in zip(("A to B", "B to A"), directions):
        print(f"{name}: {direction.carried} frames carried, {direction.lost} lost", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
