#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs command lines and compares what they say: text blocks, one test each.

usage: run_blocks.py FILE.blocks

A block is parted from the next by an empty line; lines that begin with # are comments.
  NAME      what is tried
  REQUIRES  a program, or a path from the source folder (or ../shared), or LAB: the right to make networks, or
            MOUNTS: the right to mount; without it the block is skipped
  ENV       NAME=VALUE for the command
  RUN       for bash, with $SLOWPATH, in the source folder; $TMP is an empty folder
  EXIT      the exit code, 0 if not said
  EXPECT    a regular expression that standard output must hold (again for more)
  REFUSE    one that neither stream may hold
  ERROR     one that standard error must hold
  SILENT    stdout or stderr: nothing may be written there
  JSON      standard output must be one JSON document in which this Python expression of `it` is true
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

KEYS = {"NAME", "REQUIRES", "ENV", "RUN", "EXIT", "EXPECT", "REFUSE", "ERROR", "SILENT", "JSON"}
TIMEOUT_S = 180


class Mistake(Exception):
    """A block that cannot be meant so."""


def read_blocks(text):
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.split("\n") if line.strip() and not line.startswith("#")]
        if not lines:
            continue
        block = {}
        for line in lines:
            key, _, value = line.partition(" ")
            if key not in KEYS:
                raise Mistake(f"unknown key in: {line}")
            block.setdefault(key, []).append(value.strip())
        if len(block.get("NAME", [])) != 1 or len(block.get("RUN", [])) != 1:
            raise Mistake(f"a block needs one NAME and one RUN: {lines[0]}")
        if not block.keys() & {"EXPECT", "ERROR", "JSON", "EXIT", "SILENT"}:
            raise Mistake(f"a block that expects nothing cannot fail: {block['NAME'][0]}")
        yield block


def missing(block, root):
    for need in block.get("REQUIRES", []):
        if need == "LAB":
            if os.geteuid() != 0 or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
                return "root and /dev/net/tun"
        elif need == "MOUNTS":
            if subprocess.run(("unshare", "--net", "--mount", "true"), stderr=subprocess.DEVNULL, check=False).returncode:
                return "root and a root file system that is a mount point, to mount things of its own"
        elif not os.path.exists(os.path.join(root, need)) and not shutil.which(need):
            return need
    return None


def run(block, root):
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, TMP=folder, SLOWPATH=os.environ["SLOWPATH_PROGRAM"], LC_ALL="C.UTF-8")
        environment.update(pair.split("=", 1) for pair in block.get("ENV", []))
        return subprocess.run(["bash", "-c", block["RUN"][0]], cwd=root, env=environment,
                              capture_output=True, timeout=TIMEOUT_S, check=False,
                              stdin=subprocess.DEVNULL)


def faults(block, result):
    out = result.stdout.decode(errors="replace")
    err = result.stderr.decode(errors="replace")
    expected = int(block.get("EXIT", ["0"])[0])
    if result.returncode != expected:
        yield f"exit code {result.returncode}, not {expected}"
    for pattern in block.get("EXPECT", []):
        if not re.search(pattern, out, re.MULTILINE):
            yield f"standard output lacks: {pattern}"
    for pattern in block.get("ERROR", []):
        if not re.search(pattern, err, re.MULTILINE):
            yield f"standard error lacks: {pattern}"
    for pattern in block.get("REFUSE", []):
        if re.search(pattern, out + err, re.MULTILINE):
            yield f"must not be said: {pattern}"
    for stream in block.get("SILENT", []):
        if {"stdout": out, "stderr": err}[stream]:
            yield f"{stream} is not silent"
    for expression in block.get("JSON", []):
        try:
            it = json.loads(out)
            if not eval(expression, {"it": it}):  # pylint: disable=eval-used
                yield f"not true of the document: {expression}"
        except ValueError as error:
            yield f"standard output is no JSON document: {error}"
    if "JSON" in block and not out.endswith("\n"):
        yield "the document does not end its last line"


def check(block, root):
    """The sentences that say what went wrong, with what was printed."""
    try:
        result = run(block, root)
    except subprocess.TimeoutExpired:
        return [f"still running after {TIMEOUT_S} s"]
    wrong = list(faults(block, result))
    if wrong:
        wrong.append("--- stdout\n" + result.stdout.decode(errors="replace")[:3000])
        wrong.append("--- stderr\n" + result.stderr.decode(errors="replace")[:3000])
    return wrong


def main(arguments):
    root = os.environ["SLOWPATH_SOURCE_DIR"]
    with open(arguments[0], encoding="utf-8") as file:
        blocks = list(read_blocks(file.read()))
    failed = ran = 0
    for block in blocks:
        need = missing(block, root)
        if need:
            print(f"skipped: {block['NAME'][0]}: needs {need}")
            continue
        ran += 1
        wrong = check(block, root)
        print(f"{'FAILED' if wrong else 'ok'}: {block['NAME'][0]}")
        for sentence in wrong:
            print("  " + sentence.replace("\n", "\n  "))
        failed += bool(wrong)
    if not ran:
        print("nothing could be run")
        return 77
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
