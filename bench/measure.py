# SPDX-License-Identifier: Apache-2.0
"""Runs a program and says what it cost: time by the clock, processor time, and memory of its own."""
import contextlib
import dataclasses
import os
import statistics
import subprocess
import threading
import time

POLL_S = 0.005


@dataclasses.dataclass
class Cost:
    """`anon_bytes`: the most of RssAnon + RssShmem that was seen, looking every 5 ms: pages of a mapped
    file, which belong to the page cache, do not count. 0 where the program ended before the first look."""
    wall_s: float
    cpu_s: float
    anon_bytes: int
    status: int


def own_memory(pid):
    """Bytes that belong to the process alone; 0 when it is gone."""
    total = 0
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(("RssAnon:", "RssShmem:")):
                    total += int(line.split()[1]) * 1024
    return total


class MemoryWatch:
    """Looks at a process until told that it ended."""

    def __init__(self, pid):
        self.pid = pid
        self.most = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while True:
            self.most = max(self.most, own_memory(self.pid))
            if self.ended.wait(POLL_S):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


@contextlib.contextmanager
def pinned(cores):
    """What is started meanwhile runs on `cores`. Cheaper than a step in the child, which would have to be forked."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(command, cores, keep_output=False):
    """Runs `command` on `cores` to its end. With keep_output also returns what it printed."""
    with pinned(cores):
        begin = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
    with MemoryWatch(process.pid) as watch:
        output = process.stdout.read() if keep_output else b""
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stdout:
        process.stdout.close()
    cost = Cost(wall_s, usage.ru_utime + usage.ru_stime, watch.most, process.returncode)
    return (cost, output.decode()) if keep_output else cost


def warm(path):
    """Brings a file into the page cache."""
    with open(path, "rb", buffering=0) as file:
        block = bytearray(1 << 20)
        while file.readinto(block):
            pass


def one_core():
    return {max(os.sched_getaffinity(0))}


def all_cores():
    return os.sched_getaffinity(0)


class Series:
    """Costs of one program over the rounds."""

    def __init__(self):
        self.costs = []
        self.output = ""

    def add(self, cost):
        self.costs.append(cost)

    def wall_s(self):
        return statistics.median(cost.wall_s for cost in self.costs)

    def spent_s(self):
        return sum(cost.wall_s for cost in self.costs)

    def summary(self):
        walls = [cost.wall_s for cost in self.costs]
        return {"wall_s": statistics.median(walls), "output": self.output, "best_s": min(walls), "worst_s": max(walls), "walls": walls,
                "cpu_s": statistics.median(cost.cpu_s for cost in self.costs),
                "anon_bytes": max(cost.anon_bytes for cost in self.costs), "rounds": len(walls),
                "failed": any(cost.status for cost in self.costs)}


def side_by_side(ways, rounds, patience_s, keep_output=()):
    """ways: name -> (command, cores). All take turns within each round, as the machine's speed drifts;
    a way that has used up `patience_s` sits out the rounds that are left. Of those in `keep_output` the
    summary has what they printed."""
    series = {name: Series() for name in ways}
    for _ in range(rounds):
        for name, (command, cores) in ways.items():
            if series[name].costs and series[name].spent_s() > patience_s:
                continue
            if name in keep_output:
                cost, series[name].output = run(command, cores, keep_output=True)
                series[name].add(cost)
            else:
                series[name].add(run(command, cores))
    return {name: one.summary() for name, one in series.items()}
