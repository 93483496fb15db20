#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command, hands it our standard input without ever ending it, and sends it a signal once it
catches that signal and has nothing left to do: not after so many seconds, which a busy machine may need
to start it.

usage: signal_when_idle.py SIGNAL COMMAND...      (INT, TERM)

Exits as the command does; as a shell says it where a signal ended it.
"""
import glob
import signal
import subprocess
import sys
import time

LIMIT_S = 50
LOOKS = 10  # so often in succession every thread sleeps, 0.1 s apart


def catches(pid, number):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        caught = next(line.split()[1] for line in status if line.startswith("SigCgt:"))
    return int(caught, 16) >> (number - 1) & 1


def sleeps(pid):
    """Whether every thread waits for something; one that waits for a processor does not."""
    for path in glob.glob(f"/proc/{pid}/task/*/stat"):
        with open(path, encoding="ascii", errors="replace") as stat:
            if stat.read().rsplit(") ", 1)[1][0] != "S":
                return False
    return True


def main(arguments):
    number = signal.Signals["SIG" + arguments[0]]
    process = subprocess.Popen(arguments[1:], stdin=subprocess.PIPE)
    process.stdin.write(sys.stdin.buffer.read())
    process.stdin.flush()
    idle, limit = 0, time.monotonic() + LIMIT_S
    while idle < LOOKS and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.1)
        try:
            idle = idle + 1 if catches(process.pid, number) and sleeps(process.pid) else 0
        except OSError:
            break  # it has ended
    process.send_signal(number)
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
