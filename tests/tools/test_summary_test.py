#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/test_summary.py: what it says of a run, and of failures that were tried again alone."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SUMMARY = pathlib.Path(__file__).resolve().parents[2] / "tools" / "test_summary.py"


def junit(**states):
    body = {"run": "", "fail": '<failure message=""/>', "notrun": '<skipped message="x"/>'}
    return "<testsuite>" + "".join(
        f'<testcase name="{name}" classname="{name}" time="1" status="{state}">{body[state]}'
        f"<system-out>why not\n</system-out></testcase>" for name, state in states.items()
    ) + "</testsuite>"


class TestSummary(unittest.TestCase):
    def summary(self, *runs):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, run in enumerate(runs):
                paths.append(pathlib.Path(folder) / f"{number}.xml")
                paths[-1].write_text(run, encoding="utf-8")
            done = subprocess.run([sys.executable, SUMMARY, *paths], capture_output=True, text=True)
        return done.returncode, done.stdout

    def test_all_passed(self):
        self.assertEqual(self.summary(junit(a="run", b="notrun")),
                         (0, "skipped  b: why not\n1 passed, 0 failed, 1 skipped\n"))

    def test_a_failure_fails(self):
        self.assertEqual(self.summary(junit(a="run", b="fail")),
                         (1, "failed   b\n1 passed, 1 failed, 0 skipped\n"))

    def test_a_failure_that_comes_again_fails(self):
        code, said = self.summary(junit(a="run", b="fail", c="fail"), junit(b="fail", c="run"))
        self.assertEqual(code, 1)
        self.assertIn("failed   b\n", said)
        self.assertIn("unsteady c: ", said)
        self.assertTrue(said.endswith("1 passed, 1 failed, 0 skipped, 1 unsteady\n"))

    def test_a_failure_that_does_not_come_again_is_told(self):
        code, said = self.summary(junit(a="run", b="fail"), junit(b="run"))
        self.assertEqual(code, 0)
        self.assertIn("unsteady b: ", said)

    def test_a_failure_that_was_skipped_the_second_time_fails(self):
        self.assertEqual(self.summary(junit(a="run", b="fail"), junit(b="notrun"))[0], 1)

    def test_nothing_ran(self):
        self.assertEqual(self.summary(junit(b="notrun"))[0], 1)
        self.assertEqual(self.summary("")[0], 1)


if __name__ == "__main__":
    unittest.main()
