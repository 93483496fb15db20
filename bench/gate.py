#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says when Slowpath became more than 10 % slower than recorded; `./dev check` calls it. Never a test.

usage: gate.py BUILD_FOLDER [--record]

What is compared is not seconds but how many times a reference on the same machine would have run meanwhile: a fixed
loop of arithmetic and a look at every byte of the same mapped file (bench/reference.cc). Both take turns, and the
least processor time of each counts, since noise only adds. bench/baseline.json keeps the ratios; --record writes it.
"""
import argparse
import json
import pathlib
import sys

import inputs
import machine
import measure
import peers

BASELINE = pathlib.Path(__file__).with_name("baseline.json")
MOST_LOST = 0.10
ROUNDS = 5
# All are large enough to be screened.
INPUTS = [
    inputs.Input("gate-base", "2 000 connections", 2_000_000, 2000, inputs.CUT + inputs.LONG),
    inputs.Input("gate-many", "many connections", 1_000_000, 100_000, inputs.CUT + inputs.SHORT),
    inputs.Input("gate-loss", "5 % loss", 1_000_000, 500, inputs.CUT + inputs.LONG + ("--loss", "0.05")),
    inputs.Input("gate-full", "whole payloads", 400_000, 2000, inputs.LONG),
    inputs.Input("gate-whole", "all connections analysed", 300_000, 500, inputs.CUT + inputs.LONG),
]
OPTIONS = {"gate-whole": ("--full",)}


class Least:
    """The least processor seconds so far of the program and of the reference, on one input."""

    def __init__(self, program, reference, path, options=()):
        self.program, self.reference, self.path, self.options = program, reference, path, options
        self.ours_s = self.reference_s = float("inf")

    def add_round(self):
        one = measure.one_core()
        self.ours_s = min(self.ours_s, measure.run(peers.ours(self.program, self.path, "--threads", "1", *self.options), one).cpu_s)
        parts = (machine.reference(self.reference, one, *words) for words in (("loop",), ("bytes", self.path)))
        self.reference_s = min(self.reference_s, sum(part["cpu_s"] for part in parts))

    def ratio(self):
        return self.ours_s / self.reference_s


def lost(now, recorded):
    """Share of the speed that was lost; below zero where some was gained."""
    return 1 - recorded / now


def judge(now, recorded):
    """Lines to print, and whether too much was lost."""
    lines, slower = [], False
    for name, ratio in now.items():
        if name not in recorded:
            lines.append(f"{name}: {ratio:.3f} references; nothing is recorded: ./dev bench --record")
            continue
        share = lost(ratio, recorded[name])
        line = f"{name}: {ratio:.3f} references, {recorded[name]:.3f} recorded"
        if share > MOST_LOST:
            slower = True
            line += f": {share:.0%} of the speed was LOST"
        elif share < -MOST_LOST:
            line += f": {-share:.0%} gained; keep it with ./dev bench --record"
        lines.append(line)
    return lines, slower


def measured(build):
    store = inputs.Store(inputs.default_folder(), build / "bench/generate_capture")
    found = {}
    for wanted in INPUTS:
        path = store.get(wanted)
        measure.warm(path)
        found[wanted.name.removeprefix("gate-")] = Least(build / "slowpath", build / "bench/bench_reference", path,
                                                         OPTIONS.get(wanted.name, ()))
    return found


def go_round(found):
    for _ in range(ROUNDS):
        for one in found.values():
            one.add_round()
    return {name: one.ratio() for name, one in found.items()}


def record(build):
    ratios = go_round(measured(build))
    BASELINE.write_text(json.dumps({"about": "see bench/gate.py", "machine": machine.processor(),
                                    "ratios": {name: round(ratio, 4) for name, ratio in ratios.items()}}, indent=2) + "\n",
                        encoding="utf-8")
    print("\n".join(f"{name}: {ratio:.3f} references" for name, ratio in ratios.items()))
    print(f"recorded in {BASELINE}: commit it")
    return 0


def check(build):
    recorded = json.loads(BASELINE.read_text(encoding="utf-8"))["ratios"]
    found = measured(build)
    lines, slower = judge(go_round(found), recorded)
    if slower:  # The machine may have been busy: a loss that is one stays.
        lines, slower = judge(go_round(found), recorded)
    print("\n".join(lines))
    if slower:
        print("slower than recorded by more than 10 %: mend it, or record it and say in the commit why", file=sys.stderr)
    return 1 if slower else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    chosen = parser.parse_args()
    return record(chosen.build) if chosen.record else check(chosen.build)


if __name__ == "__main__":
    sys.exit(main())
