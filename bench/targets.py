# SPDX-License-Identifier: Apache-2.0
"""What must be reached, and whether it was. Says nothing of what was not measured."""
import dataclasses

import active
import peers
import tables

MIB = 1 << 20
GIB = 1 << 30


@dataclasses.dataclass
class Target:
    what: str
    reached: float
    wanted: float
    at_least: bool = True
    unit: str = ""

    def holds(self):
        return self.reached >= self.wanted if self.at_least else self.reached <= self.wanted

    def row(self):
        bound = "at least" if self.at_least else "at most"
        return [self.what, f"{tables.figure(self.reached)} {self.unit}".strip(),
                f"{bound} {self.wanted:g} {self.unit}".strip(), "reached" if self.holds() else "**missed**"]


def speed(results):
    base, many = (results["inputs"].get(name) for name in ("base", "many"))
    if base:
        yield Target("base, one core", tables.packets_per_s(base, peers.OURS_ONE) / 1e6, 20, unit="M packets/s")
        for peer, wanted in ((peers.TCPTRACE, 6), (peers.CAPINFOS, 2)):
            found = tables.ratio(base, peers.OURS_ONE, peer)
            if found:
                yield Target(f"base, one core, to {peer}", found, wanted, unit="x")
        yield Target("base, all cores to one", tables.ratio(base, peers.OURS_ALL, peers.OURS_ONE), 1.6, unit="x")
    if many:
        yield Target("many, one core", tables.packets_per_s(many, peers.OURS_ONE) / 1e6, 8, unit="M packets/s")


def whole_payloads(results):
    full, read = results["inputs"].get("full"), results.get("read")
    if not full or not read:
        return
    rate = max(read["dd_bytes_per_s"], read["mapped_bytes_per_s"])
    for way, wanted in ((peers.OURS_UNVERIFIED, 60), (peers.OURS_ONE, 30)):
        share = 100 * full["bytes"] / full["ways"][way]["wall_s"] / rate
        yield Target(f"full, {way}, of the page cache's read rate", share, wanted, unit="%")


def memory(results):
    base = results["inputs"].get("base")
    if base:
        most = max(base["ways"][way]["anon_bytes"] for way in (peers.OURS_ONE, peers.OURS_ALL))
        yield Target("base, memory beyond the mapping", most / MIB, 64, False, "MiB")
    for point in results.get("by_connections", []):
        if point["connections"] == 1_000_000:
            yield Target("a million connections, memory", point["anon_bytes"] / GIB, 1, False, "GiB")
    if results.get("attacks"):
        most = max(cost["anon_bytes"] for attack in results["attacks"] for cost in attack["ways"].values())
        yield Target(f"attacks with --memory {peers.ATTACK_MEMORY_MIB}MiB, most memory", most / MIB,
                     1.5 * peers.ATTACK_MEMORY_MIB, False, "MiB")
    points = [point for point in results.get("by_packets", []) if point["packets"] >= 1_000_000]
    if len(points) > 1:
        yield Target("memory, longest capture to 1 M packets", points[-1]["anon_bytes"] / points[0]["anon_bytes"], 1.2,
                     False, "x")


def decompression(results):
    for measured in results.get("compressed", []):
        if measured["name"].endswith("gz"):
            continue
        plain = next(iter(measured["ways"].values()))
        found = measured["ways"][peers.OURS_ALL]["wall_s"] / plain["wall_s"]
        yield Target(f"{measured['name']}, all cores, time of the decompressor", found, 1.5, False, "x")


def gzip_overlap(results):
    """Overlapped: together they take less than one after the other."""
    base = results["inputs"].get("base")
    for measured in results.get("compressed", []):
        if measured["name"].endswith("gz") and base:
            one, both = (measured["ways"][way]["wall_s"] for way in (peers.OURS_ONE, peers.OURS_ALL))
            yield Target(f"{measured['name']}, all cores, time of one core", both / one, 0.9, False, "x")


def growth(results):
    startup_s = results.get("startup", {}).get("slowpath_s", 0)
    if startup_s:
        yield Target("start-up", startup_s * 1e3, 10, False, "ms")
    costs = [tables.packet_ns(point, startup_s) for point in results.get("by_packets", [])
             if point["packets"] >= 1_000_000]
    if len(costs) > 1:
        rise = max(later / earlier for i, earlier in enumerate(costs) for later in costs[i + 1:])
        yield Target("cost a packet of a longer capture to that of a shorter, from 1 M packets up", rise, 1.2, False, "x")


def active_tests(results):
    found = results.get("active", [])
    for path in [] if isinstance(found, str) else found:
        plain, verified = path["ways"][active.PLAIN], path["ways"][active.VERIFIED]
        over = f"over {path['path']}, to iperf3"
        yield Target(f"goodput without verification {over}", plain["rate_ratio"], 1, unit="x")
        yield Target(f"CPU a bit without verification {over}", plain["cpu_ratio"], 1, False, "x")
        yield Target(f"goodput with verification {over}", verified["rate_ratio"], 0.85, unit="x")


def of(results):
    sections = (speed, whole_payloads, memory, decompression, gzip_overlap, growth, active_tests)
    return [target for section in sections for target in section(results)]


def table(results):
    return tables.table(["target", "reached", "wanted", ""], [target.row() for target in of(results)])
