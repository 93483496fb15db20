#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Slowpath's iperf3 client against iperf3's server, and iperf3's client against Slowpath's server: each
combination of protocol, direction and streams, then each option; and the keys of the JSON document
against those of iperf3's own."""
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
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
        # A pipe that nobody reads would stop a server that has printed 64 KiB.
        self.printed = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*command, "-p", str(self.port)], stdout=self.printed,
                                        stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
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

    def is_testing(self):
        """A control connection and a stream are there. 01 is ESTABLISHED."""
        ours = re.compile(rf"^ *\d+: \S+:{self.port:04X} \S+ 01 ", re.MULTILINE)
        found = 0
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            with open(table, encoding="ascii") as lines:
                found += len(ours.findall(lines.read()))
        return found >= 2

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        self.close()

    def last_words(self):
        self.printed.seek(0)
        return self.printed.read()[-1500:]

    def close(self):
        self.printed.close()


def within(seconds, condition):
    """Whether it holds before so long has passed; looked at ten times a second."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


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
        # Whatever went wrong, iperf3's client says last that it could not say goodbye.
        raise AssertionError(f"iperf3 {arguments}: {document.get('error')} {result.stderr}\n"
                             f"the server printed: {server.last_words()}")
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
        # An iperf3 that serves leaves unread what it has not read when it is told of the end: on a busy machine, all.
        of_iperf3 = document["start"]["connected"][0]["remote_port"] == self.theirs.port
        for suffix in ways:
            sent = document["end"]["sum_sent" + suffix]["bytes"]
            received = document["end"]["sum_received" + suffix]["bytes"]
            self.assertGreater(sent, 0)
            self.assertGreaterEqual(received, 0 if of_iperf3 else 1)
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
        # What one way moves can end the test before the other has begun.
        for document in self.both("-n", "4M", "--bidir"):
            self.assertGreater(document["end"]["sum_sent"]["bytes"], 0)
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
            self.assertGreater(document["end"]["sum"]["packets"], 0)

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
        # Five seconds of which one counts: half of them would be a busy machine, all of them a mistake.
        for document in self.both("-O", "4", "-t", "1"):
            omitted = [i["sum"]["omitted"] for i in document["intervals"]]
            self.assertEqual(omitted, sorted(omitted, reverse=True))
            self.assertEqual((omitted[0], omitted[-1]), (True, False))
            self.assertLess(document["end"]["sum_sent"]["seconds"], 4)
        for document in self.both("-O", "4", "-t", "1", "-u", "-b", "1M", "-l", "1000"):
            self.assertLess(document["end"]["sum"]["packets"], 4 * 125)

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

    def test_bursts(self):
        # How fast they go depends on the machine; that they end where they should does not.
        document = slowpath(self.theirs, "-b", "16M/16", "-l", "8K", "-k", "64")
        self.assertEqual(document["end"]["sum_sent"]["bytes"], 64 * 8192)
        document = slowpath(self.theirs, "-u", "-b", "8M/50", "-l", "500", "-k", "200")
        self.assertEqual(document["end"]["sum"]["packets"], 200)
        document = iperf3(self.ours, "-u", "-b", "8M/50", "-l", "500", "-n", "100K")
        self.assertGreaterEqual(document["end"]["sum"]["packets"], 200)

    def test_the_source_address_is_that_of_every_connection(self):
        for protocol in ([], ["-u"]):
            for server in (self.theirs, self.ours):
                it = slowpath(server, "-B", "127.0.0.2", "-n", "100K", *protocol)
                self.assertEqual([c["local_host"] for c in it["start"]["connected"]], ["127.0.0.2"])
            it = slowpath(self.ours, "-B", "127.0.0.2%lo", "--cport", "27399", "-n", "100K", *protocol)
            self.assertEqual([(c["local_host"], c["local_port"]) for c in it["start"]["connected"]],
                             [("127.0.0.2", 27_399)])

    def test_the_last_port_is_one(self):
        it = slowpath(self.theirs, "--cport", "65535", "-n", "100K")
        self.assertEqual(it["start"]["connected"][0]["local_port"], 65_535)
        result = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", "--cport", "65535", "--bidir"],
                                capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 2, result.stderr)

    def test_a_pid_file_is_its_process_s(self):
        with tempfile.TemporaryDirectory() as folder:
            pid_file = os.path.join(folder, "pid")

            def second():
                return subprocess.run([PROGRAM, "serve", "--iperf3", "-1", "-I", pid_file, "-p", str(free_port())],
                                      capture_output=True, text=True, timeout=60, check=False)

            with open(pid_file, "w", encoding="ascii") as file:
                process = subprocess.Popen(["true"])
                process.wait()
                file.write(f"{process.pid}\0")  # one that is no more, as iperf3 writes it
            server = Server(PROGRAM, "serve", "--iperf3", "-I", pid_file)
            result = second()
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(f"process {server.process.pid} ", result.stderr)
            with open(pid_file, encoding="ascii") as file:
                self.assertEqual(file.read().strip(), str(server.process.pid))
            server.stop()
            # Who is nobody by then may only have emptied it.
            self.assertTrue(not os.path.exists(pid_file) or os.path.getsize(pid_file) == 0)
            with open(pid_file, "w", encoding="ascii") as file:
                file.write("my notes")
            self.assertEqual(second().returncode, 2)
            with open(pid_file, encoding="ascii") as file:
                self.assertEqual(file.read(), "my notes")

    def test_a_server_does_not_stay_root(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        with open(f"/proc/{self.ours.process.pid}/status", encoding="ascii") as status:
            ids = next(line.split()[1:] for line in status if line.startswith("Uid:"))
        self.assertNotIn("0", ids)

    def test_ports_processors_and_marks(self):
        for port, (server, run) in zip((27_310, 27_330), ((self.theirs, slowpath), (self.ours, iperf3))):
            it = run(server, "--cport", str(port), "-P", "3", "-n", "1M")
            self.assertEqual([c["local_port"] for c in it["start"]["connected"]], [port, port + 1, port + 2])
            it = run(server, "--cport", str(port + 10), "-u", "-n", "50K")
            self.assertEqual(it["start"]["connected"][0]["local_port"], port + 10)
        for document in self.both("-A", "0,0", "-t", "1"):
            self.check_amounts(document, ("",))
        for document in self.both("--dscp", "ef", "-n", "1M"):
            self.assertEqual(document["start"]["test_start"]["tos"], 46 << 2)
        for document in self.both("--repeating-payload", "-n", "1M"):
            self.check_amounts(document, ("",))
        for arguments in (("--snd-timeout", "5000"), ("--rcv-timeout", "5000", "-R")):
            for document in self.both(*arguments, "-n", "1M"):
                self.check_amounts(document, ("",))

    def test_flow_labels(self):
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("needs IPv6")
        # The kernel keeps a label for its process for some seconds.
        for label, command in ((1234, [PROGRAM, "test", "--iperf3", "::1", "-p", str(self.theirs.port)]),
                               (4321, ["iperf3", "-c", "::1", "-p", str(self.ours.port)])):
            result = subprocess.run([*command, "-6", "-L", str(label), "-n", "1M"], capture_output=True,
                                    text=True, timeout=60, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_files(self):
        data = os.urandom(700_001)
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "sent")
            with open(name, "wb") as file:
                file.write(data)
            it = slowpath(self.theirs, "-F", name)
            self.assertEqual(it["end"]["sum_sent"]["bytes"], len(data))
            written = os.path.join(folder, "written")
            it = slowpath(self.theirs, "-R", "-n", "1M", "-F", written)
            self.assertEqual(os.path.getsize(written), it["end"]["sum_received"]["bytes"])
            self.assertGreaterEqual(os.path.getsize(written), MIB)
            iperf3(self.ours, "-F", name, "-t", "2")
            # iperf3 writes what it receives, so the bytes themselves can be compared.
            server = Server("iperf3", "-s", "-F", written)
            try:
                slowpath(server, "-F", name, "-b", "20M")
            finally:
                server.stop()
            with open(written, "rb") as file:
                came = file.read()
            # What is still under way as the test ends is nobody's.
            self.assertTrue(came and data.startswith(came), len(came))

    def test_a_server_s_file(self):
        data = os.urandom(700_001)
        with tempfile.TemporaryDirectory() as folder:
            name, written, client_s = (os.path.join(folder, each) for each in ("sent", "written", "client_s"))
            with open(name, "wb") as file:
                file.write(data)
            # An amount ends the test when all has come, however long that takes.
            amount = ("-R", "-n", str(len(data)), "-F", client_s)
            server = Server(PROGRAM, "serve", "--iperf3", "-F", name)
            try:
                for client in (iperf3, slowpath):
                    client(server, *amount)
                    with open(client_s, "rb") as file:
                        self.assertEqual(file.read(), data, client.__name__)
                it = iperf3(server, "-R", "-P", "2", "-t", "1")
                self.assertLessEqual(it["end"]["sum_received"]["bytes"], 2 * len(data))
                for arguments in (("--bidir",), ("-u", "-R")):
                    with self.assertRaisesRegex(AssertionError, "not implemented"):
                        iperf3(server, *arguments)
                self.assertIn("its file", slowpath(server, "--bidir", code=5)["error"])
            finally:
                server.stop()
            with open(name, "rb") as file:
                self.assertEqual(file.read(), data)
            server = Server(PROGRAM, "serve", "--iperf3", "-F", written)
            try:
                # There is nothing yet that could be sent.
                with self.assertRaisesRegex(AssertionError, "open -F file"):
                    iperf3(server, "-R")
                for client, arguments in ((iperf3, ("-F", name, "-b", "20M", "-t", "2")),
                                          (iperf3, ("-F", name, "-b", "20M", "-t", "2", "-P", "2")),
                                          (slowpath, ("-F", name, "-b", "20M"))):
                    client(server, *arguments)
                    with open(written, "rb") as file:
                        came = file.read()
                    # What is still under way as the test ends is nobody's.
                    self.assertTrue(came and data.startswith(came), (client.__name__, len(came)))
                it = iperf3(server, "-u", "-b", "5M", "-t", "1", "-l", "1000")
                self.assertGreater(os.path.getsize(written), 0)
                self.assertEqual(os.path.getsize(written) % 1000, 0)
                self.assertLessEqual(os.path.getsize(written), it["end"]["sum"]["bytes"])
            finally:
                server.stop()

    def test_a_server_s_file_that_takes_no_more(self):
        server = Server(PROGRAM, "serve", "--iperf3", "-F", "/dev/full")
        try:
            for _ in range(2):
                # Not that its connection broke.
                with self.assertRaisesRegex(AssertionError, "server has terminated"):
                    iperf3(server, "-t", "600")
            self.assertIn("server was ended", slowpath(server, "-t", "600", code=5)["error"])
        finally:
            server.stop()

    def test_a_rate_above_the_server_s_limit_ends_the_test(self):
        limit = ("--server-bitrate-limit", "20M/1")
        theirs, ours = Server("iperf3", "-s", *limit), Server(PROGRAM, "serve", "--iperf3", *limit)
        try:
            for arguments in (("-b", "100M"), ("-t", "50"), ("-t", "50", "-R", "-P", "2"), ("-t", "50", "--bidir"),
                              ("-b", "15M", "-P", "2")):
                with self.assertRaisesRegex(AssertionError, "larger than server limit", msg=arguments):
                    iperf3(ours, *arguments)
                self.assertTrue(slowpath(theirs, *arguments, code=5)["error"], arguments)
                self.assertIn("above what it allows", slowpath(ours, *arguments, code=5)["error"], arguments)
            iperf3(ours, "-b", "1M", "-t", "3")
        finally:
            theirs.stop()
            ours.stop()

    def test_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            for _ in range(2):
                result = subprocess.run(
                    [PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(self.theirs.port), "-n", "1M", "-f", "K",
                     "--logfile", log, "--timestamps=at %H: ", "-T", "mine"],
                    capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
            with open(log, encoding="utf-8") as file:
                lines = file.read().splitlines()
            self.assertTrue(all(re.match(r"at \d\d: ", line) for line in lines), lines)
            self.assertEqual(sum("mine: TCP" in line for line in lines), 2)
            self.assertTrue(any("kbyte/s" in line for line in lines), lines)
            self.assertEqual(sum("VERDICT" in line for line in lines), 2)

    def test_long_times_are_whole(self):
        stamp = "x" * 300 + "%H:"
        result = subprocess.run(
            [PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(self.theirs.port), "-n", "100K",
             f"--timestamps={stamp}"], capture_output=True, text=True, timeout=60, check=False)
        self.assertRegex(result.stdout, rf"^{'x' * 300}\d\d:")

    def test_verdicts(self):
        # What loopback is limited by depends on the machine.
        it = slowpath(self.theirs, "-t", "1")
        self.assertIn("verdict", it["slowpath"])
        self.assertTrue(it["slowpath"]["summary"])
        self.assertEqual(slowpath(self.theirs, "-t", "1", "-R")["slowpath"]["verdict"], "unclear")
        it = slowpath(self.theirs, "-t", "1", "-u", "-b", "5M")
        self.assertIn("datagrams were lost", it["slowpath"]["summary"])

    def test_what_is_refused_says_why(self):
        for arguments, words in ((("--sctp",), "SCTP"), (("-d",), "debugging"), (("-F", "x", "-P", "2"), "one stream"),
                                 (("-L", "5", "-4"), "flow label"), (("-b", "1M/0"), "1 to 1000"),
                                 (("--dscp", "xx"), "af41"), (("-A", "x"), "processor"),
                                 (("--username", "mario"), "rsa-public-key-path")):
            result = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", *arguments], capture_output=True,
                                    text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(words, result.stderr)
        for arguments, words in ((("-D",), "systemd"), (("--idle-timeout", "9"), "stuck"),
                                 (("--server-bitrate-limit", "1M/0"), "0.1 to 60")):
            result = subprocess.run([PROGRAM, "serve", "--iperf3", *arguments], capture_output=True, text=True,
                                    timeout=60, check=False)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(words, result.stderr)

        result = subprocess.run([PROGRAM, "serve", "--iperf3", "-F", "/"], capture_output=True, text=True, timeout=60,
                                check=False)
        self.assertEqual(result.returncode, 3)
        self.assertIn("neither a file nor a device", result.stderr)

    def test_both_ends_ours(self):
        for arguments in (("-n", "2M"), ("-u", "-n", "100K", "-R"), ("--bidir", "-t", "1", "-P", "2")):
            self.check_amounts(slowpath(self.ours, *arguments), ("",))


@unittest.skipUnless(shutil.which("openssl"), "needs openssl")
class Users(unittest.TestCase):
    """User and password, each side as client and as server."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        at = lambda name: os.path.join(cls.folder.name, name)
        cls.private, cls.public, cls.users = at("private.pem"), at("public.pem"), at("users")
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", cls.private, "2048"], check=True,
                       capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", cls.private, "-pubout", "-out", cls.public], check=True,
                       capture_output=True)
        with open(cls.users, "w", encoding="ascii") as file:
            file.write("mario," + hashlib.sha256(b"{mario}rossi").hexdigest() + "\n")
        keys = ("--rsa-private-key-path", cls.private, "--authorized-users-path", cls.users)
        cls.servers = [Server("iperf3", "-s", *keys), Server(PROGRAM, "serve", "--iperf3", *keys)]

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.stop()
        cls.folder.cleanup()

    def run_client(self, command, server, password, user="mario"):
        return subprocess.run([*command, "-p", str(server.port), "-n", "1M", "--username", user,
                               "--rsa-public-key-path", self.public], capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, "IPERF3_PASSWORD": password})

    def test_the_right_password_lets_in_and_no_other(self):
        ours, theirs = [PROGRAM, "test", "--iperf3", "127.0.0.1"], ["iperf3", "-c", "127.0.0.1"]
        for server in self.servers:
            for command in (ours, theirs):
                self.assertEqual(self.run_client(command, server, "rossi").returncode, 0, (command, server.port))
                for password, user in (("verdi", "mario"), ("rossi", "luigi")):
                    refused = self.run_client(command, server, password, user)
                    self.assertNotEqual(refused.returncode, 0)
                    self.assertRegex(refused.stderr + refused.stdout, "authori[sz]ation")

    def test_nobody_comes_without_one(self):
        result = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(self.servers[1].port)],
                                capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 5)
        self.assertIn("authori", result.stderr)

    def test_oaep_between_ours(self):
        result = self.run_client([PROGRAM, "test", "--iperf3", "127.0.0.1", "--oaep-padding"], self.servers[1],
                                 "rossi")
        self.assertEqual(result.returncode, 0, result.stderr)


class Trouble(unittest.TestCase):
    def test_a_busy_server_says_so(self):
        for server in (start_iperf3(), start_slowpath()):
            try:
                with subprocess.Popen(["iperf3", "-c", "127.0.0.1", "-p", str(server.port), "-t", "600"],
                                      stdout=subprocess.DEVNULL) as running:
                    self.assertTrue(within(60, server.is_testing))
                    refused = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p",
                                              str(server.port)], capture_output=True, text=True,
                                             timeout=60, check=False)
                    self.assertEqual(refused.returncode, 5)
                    self.assertIn("busy", refused.stderr)
                    theirs = subprocess.run(["iperf3", "-c", "127.0.0.1", "-p", str(server.port)],
                                            capture_output=True, text=True, timeout=60, check=False)
                    self.assertIn("busy", theirs.stderr)
                    # It was not disturbed, and has minutes to go.
                    self.assertIsNone(running.poll())
                    running.kill()
            finally:
                server.stop()

    def test_a_lost_client_does_not_wedge_the_server(self):
        server = start_slowpath()
        try:
            for _ in range(3):
                with subprocess.Popen(["iperf3", "-c", "127.0.0.1", "-p", str(server.port), "-t", "600"],
                                      stdout=subprocess.DEVNULL) as lost:
                    self.assertTrue(within(60, server.is_testing))
                    lost.kill()
                deadline = time.monotonic() + 60
                while True:
                    try:
                        iperf3(server, "-n", "1M")
                        break
                    except AssertionError:
                        self.assertLess(time.monotonic(), deadline, "still busy")
                        time.sleep(0.1)
        finally:
            server.stop()

    def test_a_client_that_says_it_ends_does_not_hold_the_server(self):
        server = start_slowpath()
        try:
            # Cookie, parameters, and then CLIENT_TERMINATE in the place of streams.
            parameters = json.dumps({"tcp": True, "time": 600, "parallel": 1}).encode()
            with socket.create_connection(("127.0.0.1", server.port)) as lost:
                lost.sendall(b"a" * 36 + b"\0" + len(parameters).to_bytes(4, "big") + parameters)
                self.assertEqual(lost.recv(1), b"\x09")
                self.assertEqual(lost.recv(1), b"\x0a")
                lost.sendall(b"\x0c")
            begun = time.monotonic()
            while True:
                try:
                    iperf3(server, "-n", "1M")
                    break
                except AssertionError:
                    self.assertLess(time.monotonic() - begun, 60, "still busy")
                    time.sleep(0.1)
        finally:
            server.stop()

    def test_who_comes_as_a_test_ends_is_served(self):
        server = start_slowpath()
        framed = lambda document: len(text := json.dumps(document).encode()).to_bytes(4, "big") + text
        cookie = b"b" * 36 + b"\0"
        try:
            # A whole test by hand, up to the last word, which stays away for a while.
            with socket.create_connection(("127.0.0.1", server.port)) as last:
                last.sendall(cookie + framed({"tcp": True, "num": 1000, "parallel": 1}))
                self.assertEqual(last.recv(2, socket.MSG_WAITALL), b"\x09\x0a")
                with socket.create_connection(("127.0.0.1", server.port)) as stream:
                    stream.sendall(cookie)
                    self.assertEqual(last.recv(2, socket.MSG_WAITALL), b"\x01\x02")
                    stream.sendall(bytes(1000))
                    last.sendall(b"\x04")
                    self.assertEqual(last.recv(1), b"\x0d")
                    last.sendall(framed({"streams": []}))
                    answer = last.recv(int.from_bytes(last.recv(4, socket.MSG_WAITALL), "big"), socket.MSG_WAITALL)
                    self.assertEqual(json.loads(answer)["streams"][0]["bytes"], 1000)
                    self.assertEqual(last.recv(1), b"\x0e")
                    with concurrent.futures.ThreadPoolExecutor() as pool:
                        coming = pool.submit(iperf3, server, "-n", "1M")
                        time.sleep(1)
                        self.assertFalse(coming.done())
                        last.sendall(b"\x10")
                        self.assertGreaterEqual(coming.result()["end"]["sum_sent"]["bytes"], MIB)
        finally:
            server.stop()

    def test_a_lost_server_ends_the_test(self):
        server = start_iperf3()
        with subprocess.Popen([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(server.port), "-J", "-t", "600"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as client:
            self.assertTrue(within(60, server.is_testing))
            time.sleep(1)
            server.process.kill()
            server.process.wait()
            server.close()
            document = json.loads(client.communicate(timeout=60)[0])
        self.assertEqual(client.returncode, 5)
        self.assertTrue(document["error"])
        self.assertGreater(document["end"]["sum_sent"]["bytes"], 0)

    def test_a_signal_gives_the_answer_so_far(self):
        server = start_iperf3()
        try:
            with subprocess.Popen([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p", str(server.port),
                                   "-J", "-t", "600"], stdout=subprocess.PIPE, text=True) as client:
                self.assertTrue(within(60, server.is_testing))
                time.sleep(1)
                client.send_signal(signal.SIGINT)
                document = json.loads(client.communicate(timeout=60)[0])
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
