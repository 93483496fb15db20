#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ends a test run in words: what failed, what was skipped and why, and how many of each.

usage: test_summary.py JUNIT_XML [AGAIN_XML]      (as ctest --output-junit writes it)

AGAIN_XML: of the tests that failed, run once more, alone. One that passes then is neither passed nor
failed but unsteady, and is named: many tests use the kernel's own TCP and its clock, beside others.
Exit 0 only if something passed and nothing failed. Uses only what python3-minimal has.
"""
import re
import sys

ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


def unescape(text):
    return re.sub("|".join(ENTITIES), lambda match: ENTITIES[match.group(0)], text)


def skip_reason(output):
    """GoogleTest says it after 'file:line: Skipped'; a script says it in its last line."""
    match = re.search(r": Skipped\n(.*?)\n\s*\n?\[  SKIPPED \]", output, re.DOTALL)
    text = match.group(1) if match else output
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def cases(text):
    """Yields (name, state, output) of each test."""
    for match in re.finditer(r"<testcase (.*?)(?:/>|>(.*?)</testcase>)", text, re.DOTALL):
        attributes, body = match.group(1), match.group(2) or ""
        name = unescape(re.search(r'\bname="([^"]*)"', attributes).group(1))
        status = re.search(r'\bstatus="([^"]*)"', attributes).group(1)
        output = re.search(r"<system-out>(.*?)</system-out>", body, re.DOTALL)
        state = "passed" if status == "run" else "failed"
        if "<skipped" in body:
            state = "skipped"
        if "<failure" in body or "<error" in body:
            state = "failed"
        yield name, state, unescape(output.group(1)) if output else ""


def read_results(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return list(cases(file.read()))


def told_unsteady(results, again):
    """The first run's results, with the failures that did not come again called unsteady."""
    steady_when_alone = {name for name, state, _ in again if state == "passed"}
    return [(name, "unsteady" if state == "failed" and name in steady_when_alone else state, output)
            for name, state, output in results]


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    results = read_results(arguments[0])
    if len(arguments) == 2:
        results = told_unsteady(results, read_results(arguments[1]))
    count = {"passed": 0, "failed": 0, "skipped": 0, "unsteady": 0}
    for name, state, output in results:
        count[state] += 1
        if state == "skipped":
            print(f"skipped  {name}: {skip_reason(output)}")
    for name, state, _ in results:
        if state == "failed":
            print(f"failed   {name}")
        if state == "unsteady":
            print(f"unsteady {name}: failed beside other tests, passed alone (what it said is above)")
    line = f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped"
    print(line + (f", {count['unsteady']} unsteady" if count["unsteady"] else ""))
    if not count["passed"] and not count["failed"]:
        print("no test ran", file=sys.stderr)
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
