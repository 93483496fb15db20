#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Slowpath's iperf3 client against iperf3's server, and iperf3's client against Slowpath's server: each
combination of protocol, direction and streams, then each option; and the keys of the JSON document
against those of iperf3's own."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

PROGRAM = os.environ["SLOWPATH_PROGRAM"]
MIB = 1 << 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """iperf3 -s, or slowpath serve --iperf3, on a free port."""

    def __init__(self, *command):
        self.port = free_port()
        self.process = subprocess.Popen([*command, "-p", str(self.port)], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not self.listens():
            time.sleep(0.02)

    def listens(self):
        # A connection to find out would be a test, to iperf3. 0A is LISTEN.
        wanted = re.compile(rf":{self.port:04X} \S+ 0A")
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table, encoding="ascii") as lines:
                if any(wanted.search(line) for line in lines):
                    return True
        return False

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=20)[0]


def start_iperf3():
    return Server("iperf3", "-s")


def start_slowpath():
    return Server(PROGRAM, "serve", "--iperf3")


def slowpath(server, *arguments, code=0):
    result = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(server.port), "-J",
                             *arguments], capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != code:
        raise AssertionError(f"{arguments}: exit {result.returncode}: {result.stderr}{result.stdout[-2000:]}")
    return json.loads(result.stdout)


def iperf3(server, *arguments):
    result = subprocess.run(["iperf3", "-c", "127.0.0.1", "-p", str(server.port), "-J", *arguments],
                            capture_output=True, text=True, timeout=60, check=False)
    document = json.loads(result.stdout)
    if result.returncode != 0 or "error" in document:
        raise AssertionError(f"iperf3 {arguments}: {document.get('error')} {result.stderr}")
    return document


def keys_of(value, path=""):
    """Every key with the kind of its value; of lists the first item stands for all."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from keys_of(inner, f"{path}.{key}")
    elif isinstance(value, list):
        if value:
            yield from keys_of(value[0], path + "[]")
    else:
        kind = "flag" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else "text"
        yield path, kind


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.theirs = start_iperf3()
        cls.ours = start_slowpath()

    @classmethod
    def tearDownClass(cls):
        cls.theirs.stop()
        cls.ours.stop()

    def both(self, *arguments):
        """The documents of each side as client."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return [done.result() for done in (pool.submit(slowpath, self.theirs, *arguments),
                                               pool.submit(iperf3, self.ours, *arguments))]

    def check_amounts(self, document, ways):
        """Something moved each way, both ends agree about it, and the receiver counts no more."""
        for suffix in ways:
            sent = document["end"]["sum_sent" + suffix]["bytes"]
            received = document["end"]["sum_received" + suffix]["bytes"]
            self.assertGreater(sent, 0)
            self.assertGreater(received, 0)
            self.assertLessEqual(received, sent)
            # What was under way as the test ended: socket buffers and the queue between.
            self.assertLess(sent - received, 0.5 * sent + 64 * MIB)

    def test_every_combination(self):
        for protocol in ((), ("-u", "-b", "20M")):
            for way in ((), ("-R",), ("--bidir",)):
                for streams in (1, 2):
                    arguments = (*protocol, *way, "-P", str(streams), "-t", "1")
                    suffixes = ("", "_bidir_reverse") if way == ("--bidir",) else ("",)
                    for document in self.both(*arguments):
                        self.check_amounts(document, suffixes)
                        self.assertEqual(len(document["end"]["streams"]), streams * len(suffixes))
                        self.assertEqual(document["start"]["test_start"]["num_streams"], streams)

    def test_keys_that_other_programs_read(self):
        for arguments in (("-t", "1"), ("-t", "1", "-R"), ("-t", "1", "--bidir"), ("-t", "1", "-u"),
                          ("-t", "1", "-u", "-R")):
            with self.subTest(arguments):
                own = set(keys_of(iperf3(self.theirs, *arguments)))
                ours = set(keys_of(slowpath(self.theirs, *arguments)))
                self.assertEqual(own - ours, set())

    def test_amounts(self):
        for document in self.both("-n", "4M"):
            self.assertEqual(document["end"]["sum_sent"]["bytes"], 4 * MIB)
        for document in self.both("-n", "4M", "-R"):
            self.assertGreaterEqual(document["end"]["sum_received"]["bytes"], 4 * MIB)
        for document in self.both("-n", "4M", "--bidir"):
            self.check_amounts(document, ("",))
        for document in self.both("-k", "20", "-l", "32K"):
            self.assertEqual(document["end"]["sum_sent"]["bytes"], 20 * (32 << 10))
        for document in self.both("-u", "-k", "50", "-l", "1000", "-b", "10M"):
            self.assertEqual(document["end"]["sum"]["packets"], 50)
            self.assertEqual(document["end"]["sum"]["lost_packets"], 0)

    def test_rates(self):
        for document in self.both("-b", "16M", "-l", "16K", "-t", "1"):
            self.assertLess(document["end"]["sum_received"]["bits_per_second"], 40e6)
        for document in self.both("-u", "-b", "8M", "-l", "500", "-t", "1"):
            self.assertLess(document["end"]["sum"]["bits_per_second"], 16e6)
            self.assertGreater(document["end"]["sum"]["packets"], 500)

    def test_socket_options(self):
        for document in self.both("-w", "64K", "-M", "1000", "-C", "reno", "-N", "-S", "8", "-n", "1M"):
            self.assertEqual(document["end"]["sender_tcp_congestion"], "reno")
            self.assertEqual(document["start"]["sock_bufsize"], 64 << 10)
            self.assertEqual(document["start"]["test_start"]["tos"], 8)
        for arguments in (("-Z", "-n", "4M"), ("-4", "-n", "1M"), ("--fq-rate", "100M", "-n", "1M")):
            for document in self.both(*arguments):
                self.assertGreaterEqual(document["end"]["sum_sent"]["bytes"], MIB)
        for arguments in (("-u", "--udp-counters-64bit", "-n", "100K"), ("-u", "--dont-fragment", "-4", "-n", "100K")):
            for document in self.both(*arguments):
                self.assertEqual(document["end"]["sum"]["lost_packets"], 0)

    def test_omitted_seconds_do_not_count(self):
        for document in self.both("-O", "1", "-t", "1"):
            self.assertEqual([i["sum"]["omitted"] for i in document["intervals"]][:2], [True, False])
            self.assertLess(document["end"]["sum_sent"]["seconds"], 1.7)
        for document in self.both("-O", "1", "-t", "1", "-u", "-b", "8M", "-l", "1000"):
            self.assertLess(document["end"]["sum"]["packets"], 1700)
            self.assertEqual(document["end"]["sum"]["lost_packets"], 0)

    def test_what_the_server_printed(self):
        it = slowpath(self.theirs, "-n", "1M", "--get-server-output")
        self.assertIn("Accepted connection", it["server_output_text"])
        it = iperf3(self.ours, "-n", "1M", "--get-server-output")
        self.assertIn("receiver", it["server_output_text"])

    def test_titles(self):
        for document in self.both("-T", "mine", "--extra-data", "more", "-n", "1M"):
            self.assertEqual((document["title"] if "title" in document else document["start"]["title"],
                              document["start"]["extra_data"] if "extra_data" in document["start"]
                              else document["extra_data"]), ("mine", "more"))

    def test_ipv6(self):
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("needs IPv6")
        for command in ([PROGRAM, "test", "--iperf3", "::1", "-p", str(self.theirs.port)],
                        ["iperf3", "-c", "::1", "-p", str(self.ours.port)]):
            for protocol in ([], ["-u"]):
                result = subprocess.run([*command, "-6", "-n", "1M", "-b", "50M", *protocol],
                                        capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_both_ends_ours(self):
        for arguments in (("-n", "2M"), ("-u", "-n", "100K", "-R"), ("--bidir", "-t", "1", "-P", "2")):
            self.check_amounts(slowpath(self.ours, *arguments), ("",))


class Trouble(unittest.TestCase):
    def test_a_busy_server_says_so(self):
        for server in (start_iperf3(), start_slowpath()):
            try:
                with subprocess.Popen(["iperf3", "-c", "127.0.0.1", "-p", str(server.port), "-t", "3"],
                                      stdout=subprocess.DEVNULL) as running:
                    time.sleep(1)
                    refused = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p",
                                              str(server.port)], capture_output=True, text=True,
                                             timeout=30, check=False)
                    self.assertEqual(refused.returncode, 5)
                    self.assertIn("busy", refused.stderr)
                    theirs = subprocess.run(["iperf3", "-c", "127.0.0.1", "-p", str(server.port)],
                                            capture_output=True, text=True, timeout=30, check=False)
                    self.assertIn("busy", theirs.stderr)
                    self.assertEqual(running.wait(timeout=20), 0)
            finally:
                server.stop()

    def test_a_lost_client_does_not_wedge_the_server(self):
        server = start_slowpath()
        try:
            for _ in range(3):
                with subprocess.Popen(["iperf3", "-c", "127.0.0.1", "-p", str(server.port)],
                                      stdout=subprocess.DEVNULL) as lost:
                    time.sleep(0.5)
                    lost.kill()
                deadline = time.monotonic() + 10
                while True:
                    try:
                        iperf3(server, "-n", "1M")
                        break
                    except AssertionError:
                        self.assertLess(time.monotonic(), deadline, "still busy")
                        time.sleep(0.1)
        finally:
            server.stop()

    def test_a_lost_server_ends_the_test(self):
        server = start_iperf3()
        with subprocess.Popen([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(server.port), "-J"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as client:
            time.sleep(1)
            server.process.kill()
            server.process.communicate()
            document = json.loads(client.communicate(timeout=20)[0])
        self.assertEqual(client.returncode, 5)
        self.assertTrue(document["error"])
        self.assertGreater(document["end"]["sum_sent"]["bytes"], 0)

    def test_a_signal_gives_the_answer_so_far(self):
        server = start_iperf3()
        try:
            with subprocess.Popen([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(server.port),
                                   "-J"], stdout=subprocess.PIPE, text=True) as client:
                time.sleep(1)
                client.send_signal(signal.SIGINT)
                document = json.loads(client.communicate(timeout=20)[0])
            self.assertEqual(client.returncode, 130)
            self.assertGreater(document["end"]["sum_sent"]["bytes"], 0)
        finally:
            server.stop()

    def test_limits_of_the_server(self):
        server = Server(PROGRAM, "serve", "--iperf3", "--max-time", "2s", "--max-rate", "50M")
        try:
            for arguments in (("-t", "30", "-b", "1M"), ("-b", "100M",), (),
                              ("-b", "40M", "--bidir"), ("-b", "20M", "-P", "3")):
                with self.assertRaises(AssertionError, msg=arguments):
                    iperf3(server, *arguments)
            iperf3(server, "-b", "10M", "-t", "1")
        finally:
            server.stop()


if __name__ == "__main__":
    if not shutil.which("iperf3"):
        print("needs iperf3")
        sys.exit(77)
    unittest.main(argv=sys.argv)
