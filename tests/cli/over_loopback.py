#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves on a free port of loopback and tests against it twice, the second time against the first."""
import json
import os
import re
import signal
import subprocess
import tempfile

PROGRAM = os.environ["SLOWPATH_PROGRAM"]


def test(port, *options):
    command = [PROGRAM, "test", "127.0.0.1", "-p", port, "-t", "2", "--no-ceiling", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def main():
    server = subprocess.Popen([PROGRAM, "serve", "-B", "127.0.0.1", "-p", "0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = re.search(r"serving on 127\.0\.0\.1:(\d+)", server.stderr.readline()).group(1)
        with tempfile.TemporaryDirectory() as folder:
            kept = os.path.join(folder, "kept.json")
            test(port, "--save", kept, "-O", "100ms")
            with open(kept, encoding="utf-8") as file:
                document = json.load(file)
            flows = [flow for run in document["runs"] for flow in run["flows"]]
            assert all(flow["integrity"]["verified"] and flow["integrity"]["checked_bytes"] > 0
                       and flow["integrity"]["differing_bytes"] == 0 for flow in flows), flows
            print("proved:", *(flow["name"] for flow in flows))
            text = test(port, "--against", kept)
            print("\n".join(re.findall(r"to-server: .*", text)))
    finally:
        server.send_signal(signal.SIGTERM)
        out, _ = server.communicate(timeout=60)
    print(f"serve ended with {server.returncode} after {out}")


main()
