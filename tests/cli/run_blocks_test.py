#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runner itself: each kind of expectation can fail."""
import os
import unittest

import run_blocks

os.environ.setdefault("SLOWPATH_PROGRAM", "true")


def wrong(text):
    block = next(run_blocks.read_blocks("NAME x\n" + text))
    return [line for line in run_blocks.check(block, "/") if not line.startswith("---")]


class Runner(unittest.TestCase):
    def test_what_is_as_expected_passes(self):
        self.assertEqual(wrong("RUN echo '{\"a\": 1}'; echo oops >&2; exit 3\nEXIT 3\nEXPECT a.: 1\n"
                               "ERROR ^oops$\nREFUSE never\nJSON it['a'] == 1"), [])

    def test_each_expectation_can_fail(self):
        self.assertEqual(wrong("RUN exit 3\nEXIT 0"), ["exit code 3, not 0"])
        self.assertEqual(wrong("RUN echo b\nEXPECT a"), ["standard output lacks: a"])
        self.assertEqual(wrong("RUN echo b\nERROR b"), ["standard error lacks: b"])
        self.assertEqual(wrong("RUN echo b\nEXIT 0\nREFUSE b"), ["must not be said: b"])
        self.assertEqual(wrong("RUN echo b\nSILENT stdout"), ["stdout is not silent"])
        self.assertEqual(wrong("RUN echo 1\nJSON it == 2"), ["not true of the document: it == 2"])
        self.assertEqual(len(wrong("RUN echo {\nJSON it == 2")), 1)

    def test_blocks_that_cannot_fail_are_refused(self):
        with self.assertRaises(run_blocks.Mistake):
            list(run_blocks.read_blocks("NAME x\nRUN true"))
        with self.assertRaises(run_blocks.Mistake):
            list(run_blocks.read_blocks("NAME x\nRUN true\nEXPECTS y"))


if __name__ == "__main__":
    unittest.main()
