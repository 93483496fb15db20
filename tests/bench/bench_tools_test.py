#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scripts of ./dev bench: their judgements and tables, on results that are made up. Nothing is timed."""
import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["SLOWPATH_SOURCE_DIR"], "bench"))

import active
import gate
import inputs
import machine
import measure
import peers
import report
import suite
import tables
import targets

MIB = 1 << 20
RISE = "cost a packet of a longer capture to that of a shorter, from 1 M packets up"


def cost(wall_s, anon_mib=10, failed=False):
    return {"wall_s": wall_s, "best_s": wall_s, "worst_s": wall_s, "cpu_s": wall_s, "anon_bytes": anon_mib * MIB,
            "rounds": 1, "failed": failed}


def measured(name, packets, ways, size=10**9):
    return {"name": name, "what": name, "packets": packets, "connections": 2000, "bytes": size, "ways": ways}


def results(ours_s=0.5, capinfos_s=1.0, tcptrace_s=3.2):
    return {"inputs": {"base": measured("base", 10**7, {
        peers.OURS_ONE: cost(ours_s), peers.OURS_ALL: cost(ours_s / 2), peers.CAPINFOS: cost(capinfos_s),
        peers.TCPTRACE: cost(tcptrace_s)})}}


def transfers(gbit_per_s, cpu_s):
    """Three seconds, thrice; each end takes `cpu_s` for a gigabit."""
    bits = 3 * gbit_per_s * 1e9
    return [active.Transfer(bits, 3, cpu_s * bits / 1e9, cpu_s * bits / 1e9)] * 3


def path(plain, verified, iperf3):
    series = {active.PLAIN: plain, active.VERIFIED: verified, active.IPERF3: iperf3}
    return {"path": "veth", "seconds": 3, "rounds": 3,
            "ways": {way: active.summary(each, iperf3) for way, each in series.items()}}


def verdicts(found):
    return {target.what: target.holds() for target in targets.of(found)}


class Inputs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.generator = pathlib.Path(self.folder.name) / "generator"
        self.generator.write_text('#!/bin/sh\nfor last; do :; done\necho "$@" >"$last"\n', encoding="utf-8")
        self.generator.chmod(0o755)

    def store(self):
        return inputs.Store(pathlib.Path(self.folder.name) / "cache", self.generator)

    def get(self, wanted):
        with contextlib.redirect_stderr(io.StringIO()):
            return self.store().get(wanted)

    def test_names_of_counts(self):
        self.assertEqual([inputs.count_name(count) for count in (10, 1000, 400_000, 10**6, 1500)],
                         ["10", "1k", "400k", "1M", "1500"])

    def test_an_input_is_made_once(self):
        wanted = inputs.Input("base", "", 100, 2)
        path = self.get(wanted)
        path.write_text("kept", encoding="utf-8")
        self.assertEqual(self.get(wanted), path)
        self.assertEqual(path.read_text(encoding="utf-8"), "kept")

    def test_other_options_or_another_generator_make_it_anew_and_drop_the_old(self):
        first = self.get(inputs.Input("base", "", 100, 2))
        second = self.get(inputs.Input("base", "", 100, 3))
        self.assertFalse(first.exists())
        self.generator.write_text(self.generator.read_text(encoding="utf-8") + "#\n", encoding="utf-8")
        third = self.get(inputs.Input("base", "", 100, 3))
        self.assertNotEqual(second, third)
        self.assertFalse(second.exists())

    def test_an_input_whose_name_begins_alike_stays(self):
        first = self.get(inputs.Input("live-1k", "", 100, 2))
        self.get(inputs.Input("live-10k", "", 100, 2))
        compressed = self.get(inputs.Input("live-1k.gz", "", 100, 2, compression="gz"))
        self.assertTrue(first.exists() and compressed.exists())

    def test_a_failing_generator_leaves_nothing(self):
        self.generator.write_text('#!/bin/sh\nfor last; do :; done\necho half >"$last"\nexit 1\n', encoding="utf-8")
        with self.assertRaises(Exception):
            self.get(inputs.Input("base", "", 100, 2))
        self.assertEqual(list((pathlib.Path(self.folder.name) / "cache").iterdir()), [])

    def test_no_room_is_said(self):
        with self.assertRaises(SystemExit) as raised:
            self.get(inputs.Input("base", "", 10**15, 2))
        self.assertIn("no room for base", str(raised.exception))

    def test_curves_go_by_tens(self):
        self.assertEqual([one.connections for one in inputs.by_connections(10**6, 2000)],
                         [10, 100, 10**3, 10**4, 10**5, 10**6])
        self.assertGreaterEqual(inputs.by_connections(10**6, 2000)[-1].packets, 10**7)


class Measure(unittest.TestCase):
    def test_status_and_time_are_those_of_the_program(self):
        found = measure.run(["sh", "-c", "exit 3"], measure.one_core())
        self.assertEqual(found.status, 3)
        self.assertGreater(found.wall_s, 0)

    def test_memory_is_what_the_program_holds(self):
        hold = "block = bytearray(64 << 20); import time; time.sleep(2)"
        found = measure.run([sys.executable, "-c", hold], measure.one_core())
        self.assertGreater(found.anon_bytes, 64 * MIB)
        self.assertLess(found.anon_bytes, 128 * MIB)

    def test_a_program_runs_where_it_shall_and_we_where_we_did(self):
        before = os.sched_getaffinity(0)
        one = measure.one_core()
        _, output = measure.run([sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"], one, True)
        self.assertEqual(output.strip(), str(one))
        self.assertEqual(os.sched_getaffinity(0), before)

    def test_who_used_up_the_patience_sits_out(self):
        ways = {"slow": (["sleep", "5"], measure.one_core()), "quick": (["true"], measure.one_core())}
        found = measure.side_by_side(ways, 3, 4)
        self.assertEqual((found["slow"]["rounds"], found["quick"]["rounds"]), (1, 3))

    def test_what_is_asked_for_of_the_output_is_kept(self):
        ways = {"one": (["echo", "said"], measure.one_core()), "other": (["echo", "lost"], measure.one_core())}
        found = measure.side_by_side(ways, 2, 1, keep_output=("one",))
        self.assertEqual((found["one"]["output"], found["other"]["output"]), ("said\n", ""))

    def test_idle_and_waiting_are_not_busy(self):
        tick = os.sysconf("SC_CLK_TCK")
        text = f"cpu {tick} {tick} {tick} 999999 888888 {tick} {tick} {3 * tick} 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
        self.assertEqual(machine.processor_seconds(text), (5, 3))

    def test_sizes_as_sysfs_says_them(self):
        self.assertEqual([machine.size_bytes(text) for text in ("48K", "2048K", "8M", "")], [49152, 2 * MIB, 8 * MIB, 0])


class Tables(unittest.TestCase):
    def test_columns_are_aligned(self):
        self.assertEqual(tables.table(["a", "bb"], [["long", 1]]), "| a    | bb |\n| ---- | -: |\n| long |  1 |")

    def test_three_digits(self):
        self.assertEqual([tables.figure(value) for value in (1234.5, 12.34, 1.234, 0.01234)],
                         ["1234", "12.3", "1.23", "0.012"])

    def test_a_program_that_failed_has_no_rate(self):
        found = measured("base", 10**6, {peers.OURS_ONE: cost(1), peers.TCPTRACE: cost(1, failed=True)})
        self.assertIsNone(tables.ratio(found, peers.OURS_ONE, peers.TCPTRACE))
        self.assertIn("failed", tables.compared(found))

    def test_the_account_of_an_answer(self):
        answer = {"verdict": "healthy", "statistics": {"connections": 2000}, "screening": None}
        whole = suite.account(json.dumps(answer))
        self.assertEqual(tables.analysed(whole), "2,000 of 2,000 connections; verdict healthy")
        answer["screening"] = {"connections_analysed": 20, "packets": 1000, "packets_analysed": 100}
        self.assertEqual(tables.analysed(suite.account(json.dumps(answer))),
                         "20 of 2,000 connections with 10.0 % of the TCP packets; verdict healthy")
        self.assertIn("could not be read", tables.analysed(suite.account("no JSON")))

    def test_attacks_are_those_of_the_generator(self):
        header = (pathlib.Path(os.environ["SLOWPATH_SOURCE_DIR"]) / "bench/generate/attack.h").read_text(encoding="utf-8")
        names = header.split("kAttackNames = {")[1].split("}")[0]
        self.assertEqual([name.strip(' "\n') for name in names.split(",")], list(inputs.ATTACKS))

    def test_attacks_are_held_to_their_memory(self):
        answer = {"verdict": "unclear"}
        attack = {**measured("attack-syns", 10**5, {peers.OURS_ONE: cost(1, 60), peers.OURS_FULL: cost(2, 97)}),
                  "answers": {peers.OURS_ONE: answer, peers.OURS_FULL: None}}
        found = {"inputs": {}, "attacks": [attack]}
        self.assertEqual(verdicts(found), {"attacks with --memory 64MiB, most memory": False})
        self.assertIn("| **failed** |", tables.attacks([attack]))

    def test_a_path_is_told_beside_iperf3(self):
        text = tables.transfers(path(transfers(1.1, 0.02), transfers(0.9, 0.03), transfers(1.0, 0.025)))
        self.assertIn("| slowpath test --no-verify |", text)
        self.assertIn("1.10 x", text)
        self.assertIn("0.80 x", text)

    def test_state_is_held_against_the_caches(self):
        caches = {1: 48 << 10, 2: 2 * MIB, 3: 32 * MIB}
        self.assertEqual([tables.fits(size, caches) for size in (1000, 10**6, 10**7, 10**9)], ["L1", "L2", "L3", "memory"])

    def test_the_report_has_what_was_measured_and_no_more(self):
        found = results()
        found["about"] = {"machine": {"processor": "P", "cores": 2, "caches": {1: 1}, "memory_bytes": 1, "kernel": "6",
                                      "load": 0.1}, "versions": ["v1"], "command": "./dev bench", "date": "today",
                          "commit": "abc", "rounds": 5}
        text = report.text(found)
        self.assertIn("| slowpath, one core", text)
        self.assertIn("## Targets", text)
        self.assertNotIn("## Start-up", text)


class Targets(unittest.TestCase):
    def test_reached(self):
        self.assertEqual(set(verdicts(results()).values()), {True})
        self.assertEqual(len(verdicts(results())), 5)

    def test_each_can_be_missed(self):
        self.assertFalse(verdicts(results(ours_s=0.6))["base, one core"])
        self.assertFalse(verdicts(results(capinfos_s=0.9))[f"base, one core, to {peers.CAPINFOS}"])
        self.assertFalse(verdicts(results(tcptrace_s=2.9))[f"base, one core, to {peers.TCPTRACE}"])
        slow_together = results()
        slow_together["inputs"]["base"]["ways"][peers.OURS_ALL] = cost(0.4, anon_mib=65)
        found = verdicts(slow_together)
        self.assertFalse(found["base, all cores to one"])
        self.assertFalse(found["base, memory beyond the mapping"])

    def test_growth_leaves_start_up_out(self):
        point = {"packets": 10**6, "connections": 2000, **cost(0.06)}
        more = {"packets": 10**7, "connections": 2000, **cost(0.51)}
        less = {"packets": 10**5, "connections": 2000, **cost(9)}
        found = {"inputs": {}, "startup": {"slowpath_s": 0.01}, "by_packets": [less, point, more]}
        self.assertTrue(verdicts(found)[RISE])
        found["startup"]["slowpath_s"] = 0.0101
        more["wall_s"] = 0.7
        self.assertFalse(verdicts(found)[RISE])
        self.assertFalse(verdicts(found)["start-up"])

    def test_a_cost_that_falls_is_no_growth(self):
        points = [{"packets": 10**count, "connections": 2000, **cost(seconds)} for count, seconds in ((6, 0.2), (7, 0.8))]
        self.assertTrue(verdicts({"inputs": {}, "by_packets": points})[RISE])
        self.assertEqual(tables.further_ns(points)[1], (0.8 - 0.2) / 9e6 * 1e9)

    def test_active_tests_are_held_against_iperf3(self):
        found = {"inputs": {}, "active": [path(transfers(1.1, 0.02), transfers(0.9, 0.03), transfers(1.0, 0.025))]}
        self.assertEqual(set(verdicts(found).values()), {True})
        found["active"] = [path(transfers(0.9, 0.03), transfers(0.8, 0.03), transfers(1.0, 0.025))]
        self.assertEqual(set(verdicts(found).values()), {False})

    def test_active_tests_that_could_not_run_are_not_judged(self):
        self.assertEqual(targets.of({"inputs": {}, "active": "needs root"}), [])
        self.assertEqual(report.active_tests("needs root"), "needs root")

    def test_what_was_not_measured_is_not_judged(self):
        self.assertEqual(targets.of({"inputs": {}}), [])


class Gate(unittest.TestCase):
    def test_a_tenth_may_be_lost(self):
        lines, slower = gate.judge({"base": 1.10}, {"base": 1.0})
        self.assertFalse(slower)
        self.assertNotIn("LOST", lines[0])

    def test_more_is_said(self):
        lines, slower = gate.judge({"base": 1.2, "full": 1.0}, {"base": 1.0, "full": 1.0})
        self.assertTrue(slower)
        self.assertIn("17% of the speed was LOST", lines[0])

    def test_a_gain_is_said_and_passes(self):
        lines, slower = gate.judge({"base": 0.5}, {"base": 1.0})
        self.assertFalse(slower)
        self.assertIn("gained", lines[0])

    def test_what_is_not_recorded_is_said(self):
        lines, slower = gate.judge({"new": 0.5}, {})
        self.assertFalse(slower)
        self.assertIn("nothing is recorded", lines[0])

    def test_the_recorded_file_names_the_inputs(self):
        recorded = json.loads(gate.BASELINE.read_text(encoding="utf-8"))["ratios"]
        self.assertEqual(set(recorded), {one.name.removeprefix("gate-") for one in gate.INPUTS})


if __name__ == "__main__":
    unittest.main()
