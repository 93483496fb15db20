#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runner of fuzz targets, with targets that are shell scripts."""
import contextlib
import io
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["SLOWPATH_SOURCE_DIR"], "tools"))

import run_fuzz

CALM = """#!/bin/sh
echo '#2	INITED' >&2
echo 'stat::number_of_executed_units: 1234' >&2
"""
# Crashes once and keeps the input, as libFuzzer does; is calm when it is started again.
CRASHES = """#!/bin/sh
for word; do case $word in -artifact_prefix=*) prefix=${word#*=};; esac; done
if test -e "${prefix}crash-1"; then echo 'stat::number_of_executed_units: 10' >&2; exit 0; fi
echo '#77	NEW' >&2
echo input >"${prefix}crash-1"
exit 77
"""
BROKEN = """#!/bin/sh
exit 1
"""


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = pathlib.Path(folder.name)
        (self.build / "fuzz").mkdir()

    def add(self, name, text):
        path = self.build / "fuzz" / f"{name}_fuzz"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run_for(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            status = run_fuzz.main([str(self.build), "0.01", *arguments])
        return status, out.getvalue()

    def test_executions_are_counted(self):
        self.add("calm", CALM)
        status, text = self.run_for()
        self.assertEqual(status, 0)
        self.assertRegex(text, r"(?m)^calm +\d+ +1,234 .* none$")

    def test_a_finding_is_kept_and_named_and_the_rest_goes_on(self):
        self.add("calm", CALM)
        self.add("crashes", CRASHES)
        run_fuzz.Folders(self.build)
        result = run_fuzz.fuzz(run_fuzz.Folders(self.build), "crashes", 5)
        self.assertEqual([path.name for path in result.findings], ["crashes-crash-1"])
        self.assertEqual(result.executions, 87)
        (self.build / "found" / "crashes-crash-1").unlink()
        status, text = self.run_for()
        self.assertEqual(status, 1)
        self.assertIn("found/crashes-crash-1", text)
        self.assertRegex(text, r"(?m)^calm .* none$")

    def test_an_older_finding_is_not_counted_again(self):
        self.add("crashes", CRASHES)
        folders = run_fuzz.Folders(self.build)
        (folders.found / "crashes-crash-1").write_text("old", encoding="utf-8")
        self.assertEqual(run_fuzz.fuzz(folders, "crashes", 5).findings, ())

    def test_a_target_that_cannot_run_is_no_success(self):
        self.add("broken", BROKEN)
        status, text = self.run_for()
        self.assertEqual(status, 1)
        self.assertIn("exit 1, nothing kept", text)

    def test_an_unknown_target_is_refused_with_those_there_are(self):
        self.add("calm", CALM)
        with self.assertRaises(SystemExit) as raised:
            self.run_for("clam")
        self.assertIn("no target clam; there are: calm", str(raised.exception))

    def test_examples_and_scenarios_are_seeds(self):
        folder = self.build / "seeds"
        for target in run_fuzz.SEEDS:
            run_fuzz.write_seeds(target, folder / target)
            seeds = list((folder / target).iterdir())
            self.assertGreater(len(seeds), 3, target)
            self.assertTrue(all(0 < path.stat().st_size <= run_fuzz.SEED_BYTES for path in seeds), target)


if __name__ == "__main__":
    unittest.main()
