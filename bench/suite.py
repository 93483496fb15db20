# SPDX-License-Identifier: Apache-2.0
"""What is measured, in which order. Each section gives plain data that tables.py prints."""
import dataclasses
import os
import statistics
import sys

import inputs
import machine
import measure
import peers


@dataclasses.dataclass
class Plan:
    """How much to measure."""
    packets: int          # Of each of the main inputs.
    most_packets: int     # Of the growth over packets.
    most_connections: int
    curve_packets: int    # Of each point of the growth over connections.
    rounds: int
    patience_s: float     # A way that took longer in all sits out the other rounds.


QUICK = Plan(1_000_000, 1_000_000, 100_000, 300_000, 3, 5)
WHOLE = Plan(10_000_000, 10_000_000, 1_000_000, 2_000_000, 5, 25)
EXTENDED = dataclasses.replace(WHOLE, most_packets=100_000_000)

SECTIONS = ("base", "many", "full", "loss", "compressed", "startup", "packets", "connections")


class Suite:
    def __init__(self, plan, store, program, reference):
        self.plan = plan
        self.store = store
        self.program = str(program)
        self.reference = str(reference)
        self.main = {one.name: one for one in inputs.main_inputs(plan.packets)}

    def run(self, sections):
        results = {}
        if not {"base", "full"}.isdisjoint(sections):
            results["read"] = self.read_rates("full" if "full" in sections else "base")
        results["inputs"] = {name: self.compare(self.main[name], with_tshark=name == "base")
                             for name in self.main if name in sections}
        if "compressed" in sections:
            results["compressed"] = self.compressed()
        if "startup" in sections:
            results["startup"] = self.startup()
        if "packets" in sections:
            results["by_packets"] = self.growth(inputs.by_packets(self.plan.most_packets, self.main["base"]))
        if "connections" in sections:
            results["by_connections"] = self.growth(
                inputs.by_connections(self.plan.most_connections, self.plan.curve_packets))
        return results

    def ready(self, wanted):
        path = self.store.get(wanted)
        print(f"  {path.name}", file=sys.stderr)
        measure.warm(path)
        return path

    def about(self, wanted, path):
        return {"name": wanted.name, "what": wanted.what, "packets": wanted.packets,
                "connections": wanted.connections, "bytes": os.path.getsize(path)}

    def compare(self, wanted, with_tshark=False):
        path = self.ready(wanted)
        found = peers.ways(self.program, path, with_tshark)
        return {**self.about(wanted, path),
                "ways": measure.side_by_side(found, self.plan.rounds, self.plan.patience_s)}

    def read_rates(self, name):
        path = self.ready(self.main[name])
        rates = machine.read_rates(self.reference, path)
        if name != "base":  # Whoever counts packets reads headers alone; so few packets make no rate.
            rates["records_per_s"] = machine.read_rates(self.reference, self.ready(self.main["base"]))["records_per_s"]
        return {"input": name, **rates}

    def compressed(self):
        base = self.main["base"]
        plain_bytes = os.path.getsize(self.ready(base))
        found = []
        for wanted in inputs.compressed(base):
            path = self.ready(wanted)
            compared = measure.side_by_side(peers.compressed_ways(self.program, path, wanted.compression),
                                            self.plan.rounds, self.plan.patience_s)
            found.append({**self.about(wanted, path), "plain_bytes": plain_bytes, "ways": compared})
        return found

    def startup(self):
        """Of a capture of ten packets, and of a program that does nothing, started likewise."""
        path = self.ready(inputs.Input("tiny", "ten packets", 10, 1, inputs.CUT))
        one = measure.one_core()
        ours, nothing = [], []
        for _ in range(20):
            ours.append(measure.run(peers.ours(self.program, path), one).wall_s)
            nothing.append(measure.run(["true"], one).wall_s)
        return {"slowpath_s": statistics.median(ours), "true_s": statistics.median(nothing)}

    def growth(self, points):
        found = []
        for wanted in points:
            path = self.ready(wanted)
            ways = {peers.OURS_ONE: peers.ways(self.program, path)[peers.OURS_ONE]}
            summary = measure.side_by_side(ways, self.plan.rounds, self.plan.patience_s)[peers.OURS_ONE]
            found.append({**self.about(wanted, path), **summary})
        return found
