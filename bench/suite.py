# SPDX-License-Identifier: Apache-2.0
"""What is measured, in which order. Each section gives plain data that tables.py prints."""
import dataclasses
import json
import os
import statistics
import sys

import active
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
    transfer_s: float     # Of each active test.
    attack_packets: int
    compressed_packets: int


QUICK = Plan(1_000_000, 10_000_000, 100_000, 1_000_000, 3, 4, 1, 100_000, 1_000_000)
WHOLE = Plan(10_000_000, 10_000_000, 1_000_000, 2_000_000, 5, 8, 2, 300_000, 3_000_000)
EXTENDED = dataclasses.replace(WHOLE, most_packets=100_000_000)

SECTIONS = ("base", "many", "full", "loss", "pcapng", "compressed", "startup", "packets", "connections",
            "attacks", "active")


def account(output):
    """What an answer says of its own work: JSON of `diagnose --json`; nothing where it is none."""
    try:
        answer = json.loads(output)
    except json.JSONDecodeError:
        return None
    # Where nothing was screened every connection was analysed.
    screening = answer["screening"] or {}
    connections = answer["statistics"]["connections"]
    return {"verdict": answer["verdict"], "connections": connections,
            "connections_analysed": screening.get("connections_analysed", connections),
            "packets": screening.get("packets"), "packets_analysed": screening.get("packets_analysed")}


def without_output(costs):
    return {name: {key: value for key, value in cost.items() if key != "output"} for name, cost in costs.items()}


class Suite:
    def __init__(self, plan, store, program, reference, switch):
        self.plan = plan
        self.switch = switch
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
        if "attacks" in sections:
            results["attacks"] = self.attacks()
        if "active" in sections:
            results["active"] = self.active()
        return results

    def attacks(self):
        """Once each: what counts is that they end, and what they hold."""
        found = []
        for wanted in inputs.attacks(self.plan.attack_packets):
            path = self.ready(wanted)
            ways = peers.attack_ways(self.program, path)
            costs = measure.side_by_side(ways, 1, self.plan.patience_s, keep_output=ways)
            answers = {name: account(cost["output"]) for name, cost in costs.items()}
            found.append({**self.about(wanted, path), "ways": without_output(costs), "answers": answers})
        return found

    def active(self):
        """Of each path; or why it cannot be measured here."""
        reason = active.why_not(self.switch)
        if reason:
            print(f"  active tests are left out: {reason}", file=sys.stderr)
            return reason
        return active.measure(self.program, self.switch, self.plan.rounds, self.plan.transfer_s)

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
        ours = (peers.OURS_ONE, peers.OURS_FULL)
        costs = measure.side_by_side(found, self.plan.rounds, self.plan.patience_s, keep_output=ours)
        answers = {name: account(costs[name]["output"]) for name in ours}
        return {**self.about(wanted, path), "ways": without_output(costs), "answers": answers}

    def read_rates(self, name):
        path = self.ready(self.main[name])
        rates = machine.read_rates(self.reference, path)
        if name != "base":  # Whoever counts packets reads headers alone; so few packets make no rate.
            rates["records_per_s"] = machine.read_rates(self.reference, self.ready(self.main["base"]))["records_per_s"]
        return {"input": name, **rates}

    def compressed(self):
        base = dataclasses.replace(self.main["base"], packets=self.plan.compressed_packets)
        plain_bytes = os.path.getsize(self.ready(base))
        found = []
        for wanted in inputs.compressed(base):
            path = self.ready(wanted)
            compared = measure.side_by_side(peers.compressed_ways(self.program, path, wanted.compression),
                                            min(self.plan.rounds, 3), self.plan.patience_s)
            found.append({**self.about(wanted, path), "plain_bytes": plain_bytes, "ways": without_output(compared)})
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
            ways = {peers.OURS_ONE: peers.our_ways(self.program, path)[peers.OURS_ONE]}
            costs = measure.side_by_side(ways, self.plan.rounds, self.plan.patience_s, keep_output=ways)
            answer = account(costs[peers.OURS_ONE]["output"])
            found.append({**self.about(wanted, path), **without_output(costs)[peers.OURS_ONE], "answer": answer})
        return found
