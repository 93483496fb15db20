#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Slowpath beside capinfos, tcptrace, tshark and iperf3 in one run; `./dev bench` calls it.

usage: run.py BUILD_FOLDER [--quick | --long] [--only SECTION... | --probe] [--output FILE] [--folder FOLDER] [--clean]

BUILD_FOLDER holds slowpath and in bench/ generate_capture, bench_reference and lab_switch_bench, of the release preset.
A whole run writes docs/performance.md; a quick one, or one of some sections, only prints.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys

import inputs
import machine
import peers
import report
import suite


def options():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("build", help=argparse.SUPPRESS)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a million packets, for trying")
    size.add_argument("--long", action="store_true", help="also a capture of 10^8 packets (10 GB)")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--only", nargs="+", choices=suite.SECTIONS, metavar="SECTION",
                      help="some of: " + " ".join(suite.SECTIONS))
    part.add_argument("--probe", action="store_const", const=["active"], dest="only",
                      help="only the active tests beside iperf3 (root)")
    parser.add_argument("--rounds", type=int, help="instead of 5 (quick: 3)")
    parser.add_argument("--output", type=pathlib.Path, help="where the tables go (whole runs: docs/performance.md)")
    parser.add_argument("--folder", type=pathlib.Path, default=inputs.default_folder(),
                        help="where the inputs are kept (%(default)s)")
    parser.add_argument("--clean", action="store_true", help="remove the inputs and stop")
    parser.epilog = "./dev bench --record writes bench/baseline.json, which ./dev check compares with."
    return parser.parse_args()


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def command():
    """As it was typed, without the names of folders and files of this machine."""
    words, skip = ["./dev bench"], False
    for word in sys.argv[2:]:
        is_place = word.split("=")[0] in ("--folder", "--output")
        if not skip and not is_place:
            words.append(word)
        skip = is_place and "=" not in word
    return " ".join(words)


def about(plan, program):
    return {"command": command(), "commit": commit(), "machine": machine.describe(),
            "versions": peers.versions(program), "rounds": plan.rounds,
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def plan_of(chosen):
    plan = suite.QUICK if chosen.quick else suite.EXTENDED if chosen.long else suite.WHOLE
    if chosen.rounds:
        plan.rounds = chosen.rounds
    return plan


def main():
    chosen = options()
    if chosen.clean:
        shutil.rmtree(chosen.folder, ignore_errors=True)
        return 0
    build = pathlib.Path(chosen.build)
    program, generator, reference, switch = (
        build / name for name in ("slowpath", "bench/generate_capture", "bench/bench_reference", "bench/lab_switch_bench"))
    for needed in (program, generator, reference):
        if not os.access(needed, os.X_OK):
            sys.exit(f"bench: {needed} is missing: ninja -C {build} slowpath generate_capture bench_reference")
    plan = plan_of(chosen)
    store = inputs.Store(chosen.folder, generator)
    described = about(plan, program)
    disturbance = machine.Disturbance()
    results = suite.Suite(plan, store, program, reference, switch).run(chosen.only or suite.SECTIONS)
    described["machine"].update(disturbance.shares())
    results["about"] = described
    (chosen.folder / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    text = report.text(results)
    print(text)
    output = chosen.output or (None if chosen.quick or chosen.only else pathlib.Path("docs/performance.md"))
    if output:
        output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
