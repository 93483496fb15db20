# SPDX-License-Identifier: Apache-2.0
"""The machine: what it is, and how fast it reads its own page cache."""
import json
import os
import pathlib
import platform
import resource
import time

import measure


def read(path, otherwise=""):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return otherwise


def size_bytes(text):
    """As sysfs says it: 48K, 266240K, 8M."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text and text[-1] in units else int(text or 0)


def caches():
    """Level -> bytes of the data or unified cache that one core sees."""
    found = {}
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        if read(index / "type") in ("Data", "Unified"):
            found[int(read(index / "level", "0"))] = size_bytes(read(index / "size"))
    return found


def processor():
    for line in read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_bytes():
    return int(read("/proc/meminfo").splitlines()[0].split()[1]) * 1024


def processor_seconds(stat):
    """Of all processors together since the machine started: busy with anything, and taken by the hypervisor.
    `stat` is the text of /proc/stat."""
    user, nice, system, _, _, irq, softirq, steal = (int(word) for word in stat.split()[1:9])
    tick = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / tick, steal / tick


def own_seconds():
    """Of this process and of all that it started and that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


class Disturbance:
    """How much of the processors others took from now on."""

    def __init__(self):
        self.begin = time.monotonic()
        self.before = self.now()

    @staticmethod
    def now():
        return (*processor_seconds(read("/proc/stat")), own_seconds())

    def shares(self):
        busy, stolen, own = (now - then for now, then in zip(self.now(), self.before))
        whole = max(time.monotonic() - self.begin, 1e-3) * (os.cpu_count() or 1)
        return {"others": max(0.0, (busy - own) / whole), "stolen": max(0.0, stolen / whole)}


def describe():
    return {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "caches": caches(),
            "memory_bytes": memory_bytes(), "kernel": platform.release(), "load": os.getloadavg()[0]}


def reference(program, cores, *arguments):
    """What bench_reference says: amount, wall_s, cpu_s."""
    _, output = measure.run([program, *arguments], cores, keep_output=True)
    return json.loads(output)


def read_rates(program, path):
    """Bytes per second: dd (read() into a buffer) and a mapped file of which every byte is looked at; the
    better of three. Records per second of a bare walk over the packets."""
    one = measure.one_core()
    size = os.path.getsize(path)
    copied = min(measure.run(["dd", f"if={path}", "of=/dev/null", "bs=256k", "status=none"], one).wall_s
                 for _ in range(3))
    mapped = min(reference(program, one, "bytes", path)["wall_s"] for _ in range(3))
    walks = [reference(program, one, "records", path) for _ in range(3)]
    walk = min(walks, key=lambda each: each["wall_s"])
    return {"dd_bytes_per_s": size / copied, "mapped_bytes_per_s": size / mapped,
            "records_per_s": walk["amount"] / walk["wall_s"]}
