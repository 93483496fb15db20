#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that lie, stammer or go away, against Slowpath's iperf3 server and client. What iperf3 itself
once fell over is here: lengths that overflow, JSON of other types than expected, numbers beyond what a
type holds, a server that a lost client wedges."""
import json
import random
import socket
import string
import struct
import subprocess
import sys
import threading
import time
import unittest

from interop_test import PROGRAM, start_slowpath

PARAM_EXCHANGE, CREATE_STREAMS, TEST_START, TEST_RUNNING = 9, 10, 1, 2
EXCHANGE_RESULTS, DISPLAY_RESULTS, SERVER_ERROR, ACCESS_DENIED = 13, 14, 254, 255
COOKIE = b"a" * 36 + b"\0"
GOOD = {"tcp": True, "omit": 0, "time": 1, "parallel": 1, "len": 1000, "client_version": "3.12"}


def framed(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack(">I", len(text)) + text


class Peer:
    """A client that says what it likes."""

    def __init__(self, server, cookie=COOKIE):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.socket.sendall(cookie)

    def state(self):
        byte = self.socket.recv(1)
        return byte[0] if byte else None

    def rest(self):
        """What comes until the end."""
        data = b""
        try:
            while piece := self.socket.recv(4096):
                data += piece
        except OSError:
            pass
        return data

    def close(self):
        self.socket.close()


class HostileClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = start_slowpath()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def tearDown(self):
        """Whatever was done: the next client is served."""
        deadline = time.monotonic() + 60
        while True:
            result = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p",
                                     str(self.server.port), "-n", "100K", "-q"], capture_output=True,
                                    text=True, timeout=60, check=False)
            if result.returncode == 0:
                return
            self.assertIn("busy", result.stderr)
            self.assertLess(time.monotonic(), deadline, "the server stays busy")
            time.sleep(0.1)

    def refused(self, message):
        """The parameters are answered by an error with its number, or by hanging up."""
        peer = Peer(self.server)
        self.assertEqual(peer.state(), PARAM_EXCHANGE)
        peer.socket.sendall(message)
        answer = peer.rest()
        peer.close()
        self.assertIn(answer[:1], (b"", bytes([SERVER_ERROR])))
        return struct.unpack(">i", answer[1:5])[0] if answer else None

    def test_lengths_that_lie(self):
        for length in (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 65537):
            self.assertIsNone(self.refused(struct.pack(">I", length) + b"{}"))

    def test_text_that_is_no_object(self):
        for text in (b"", b"\0", b"{", b"[]", b"3", b'"x"', b"null", b"\xff\xfe", b"[" * 60000,
                     b'{"a":' * 10000, b"{}}"):
            self.assertIsNone(self.refused(framed(text)))

    def test_values_of_other_types(self):
        for key, values in (("time", ["x", [], {}, -1, 1e300, 1e9, True, None]),
                            ("parallel", ["x", [1], 0, -1, 129, 1e18, {}]),
                            ("len", ["x", 0, -5, 1 << 40, [], (1 << 20) + 1]),
                            ("num", ["x", -1, 1e300, {}]),
                            ("omit", ["x", -1, 61, []]),
                            ("bandwidth", ["x", -1, 1e300]),
                            ("window", ["x", -1, 1 << 40]),
                            ("MSS", ["x", -1, 100000]),
                            ("TOS", ["x", 256, -1])):
            for value in values:
                with self.subTest(key=key, value=value):
                    self.assertIsNotNone(self.refused(framed({**GOOD, key: value})))

    def test_what_is_not_spoken(self):
        self.assertEqual(self.refused(framed({**GOOD, "sctp": True})), 131)
        self.assertEqual(self.refused(framed({**GOOD, "reverse": True, "bidirectional": True})), 25)
        self.assertEqual(self.refused(framed({**GOOD, "udp": True, "len": 65508})), 20)

    def test_an_unknown_congestion_control(self):
        peer = Peer(self.server)
        self.assertEqual(peer.state(), PARAM_EXCHANGE)
        peer.socket.sendall(framed({**GOOD, "congestion": "x" * 5000}))
        self.assertEqual(peer.state(), CREATE_STREAMS)
        stream = Peer(self.server)
        self.assertEqual(peer.rest()[:5], struct.pack(">Bi", SERVER_ERROR, 134))
        peer.close()
        stream.close()

    def admitted(self):
        """A client whose turn it is, with a cookie of its own: the test before may still be ending."""
        deadline = time.monotonic() + 60
        while True:
            cookie = "".join(random.choices(string.ascii_lowercase, k=36)).encode() + b"\0"
            peer = Peer(self.server, cookie)
            state = peer.state()
            if state == PARAM_EXCHANGE:
                return peer, cookie
            self.assertEqual(state, ACCESS_DENIED)
            peer.close()
            self.assertLess(time.monotonic(), deadline, "the server stays busy")
            time.sleep(0.05)

    def begun(self, **parameters):
        peer, cookie = self.admitted()
        peer.socket.sendall(framed({**GOOD, **parameters}))
        self.assertEqual(peer.state(), CREATE_STREAMS)
        stream = Peer(self.server, cookie)
        self.assertEqual([peer.state(), peer.state()], [TEST_START, TEST_RUNNING])
        return peer, stream

    def test_results_of_other_types(self):
        for results in ({"streams": 3}, {"streams": [3, None, {"id": "x"}, {"id": -1}, {"id": 1e300}]},
                        {"streams": [{"id": 1, "bytes": -5, "jitter": "x", "errors": 1e300}]}, {},
                        {"cpu_util_total": [], "congestion_used": 7, "server_output_json": []}):
            with self.subTest(results):
                peer, stream = self.begun()
                stream.socket.sendall(b"x" * 5000)
                peer.socket.sendall(b"\4")
                self.assertEqual(peer.state(), EXCHANGE_RESULTS)
                peer.socket.sendall(framed(results))
                length = struct.unpack(">I", peer.socket.recv(4, socket.MSG_WAITALL))[0]
                answer = json.loads(peer.socket.recv(length, socket.MSG_WAITALL))
                self.assertLessEqual(answer["streams"][0]["bytes"], 5000)
                self.assertEqual(peer.state(), DISPLAY_RESULTS)
                peer.socket.sendall(b"\x10")
                peer.close()
                stream.close()

    def test_states_that_do_not_belong(self):
        for byte in (b"\0", b"\x7f", b"\xff", b"\xfe", b"\x0b", b"\x0c"):
            peer, stream = self.begun()
            peer.socket.sendall(byte)
            peer.rest()
            peer.close()
            stream.close()

    def test_half_a_cookie_keeps_nobody_out(self):
        halves = [Peer(self.server, b"half") for _ in range(300)]
        self.tearDown()
        for half in halves:
            half.close()

    def test_clients_that_vanish_at_each_step(self):
        Peer(self.server).close()
        peer = Peer(self.server)
        peer.state()
        peer.socket.sendall(b"\0\0\1")
        peer.close()
        for _ in range(2):
            peer, stream = self.begun(time=30)
            peer.close()
            stream.close()

    def test_strangers_get_no_stream(self):
        peer = Peer(self.server)
        peer.state()
        peer.socket.sendall(framed(GOOD))
        self.assertEqual(peer.state(), CREATE_STREAMS)
        stranger = Peer(self.server, b"b" * 36 + b"\0")
        self.assertEqual(stranger.state(), 255)  # ACCESS_DENIED
        stranger.close()
        peer.close()

    def test_udp_answers_no_stranger(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.settimeout(0.5)
            stranger.sendto(struct.pack("<I", 0x36373839), ("127.0.0.1", self.server.port))
            with self.assertRaises(OSError):
                stranger.recv(100)


class HostileServers(unittest.TestCase):
    def against(self, script, seconds="0.3"):
        """Runs the client against a server that plays `script` on the control connection."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(60)
        kept = []

        def play():
            control, _ = listener.accept()
            control.settimeout(60)
            kept.append(control)
            control.recv(37, socket.MSG_WAITALL)
            try:
                script(control, listener, kept)
            except OSError:
                pass
            control.close()

        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        result = subprocess.run([PROGRAM, "test", "--iperf3", "127.0.0.1", "-p",
                                 str(listener.getsockname()[1]), "-t", seconds, "-J"],
                                capture_output=True, text=True, timeout=60, check=False)
        thread.join()
        for one in (listener, *kept):
            one.close()
        self.assertEqual(result.returncode, 5, result.stdout + result.stderr)
        return json.loads(result.stdout)["error"]

    @staticmethod
    def parameters(control):
        control.sendall(bytes([PARAM_EXCHANGE]))
        length = struct.unpack(">I", control.recv(4, socket.MSG_WAITALL))[0]
        return json.loads(control.recv(length, socket.MSG_WAITALL))

    @staticmethod
    def swallow(stream):
        try:
            while stream.recv(1 << 20):
                pass
        except OSError:
            pass

    def until_results(self, control, listener, kept):
        self.parameters(control)
        control.sendall(bytes([CREATE_STREAMS]))
        stream, _ = listener.accept()
        kept.append(stream)
        control.sendall(bytes([TEST_START, TEST_RUNNING]))
        threading.Thread(target=self.swallow, args=(stream,), daemon=True).start()
        control.recv(1)
        control.sendall(bytes([EXCHANGE_RESULTS]))
        length = struct.unpack(">I", control.recv(4, socket.MSG_WAITALL))[0]
        control.recv(length, socket.MSG_WAITALL)

    def test_words_for_what_a_server_says(self):
        def says(*data):
            return lambda control, *_: control.sendall(b"".join(data))
        self.assertIn("busy", self.against(says(b"\xff")))
        self.assertIn("not the protocol", self.against(says(b"HTTP/1.1 400 Bad Request")))
        self.assertIn("closed", self.against(says()))

        def authorises(control, *_):
            self.parameters(control)
            control.sendall(struct.pack(">Bii", SERVER_ERROR, 142, 0))
        self.assertIn("authorisation", self.against(authorises))

        def knows_no_number(control, *_):
            self.parameters(control)
            control.sendall(struct.pack(">Bii", SERVER_ERROR, -2147483648, -5))
        self.assertIn("-2147483648", self.against(knows_no_number))

    def test_results_that_lie(self):
        def lies(*data):
            def script(control, listener, kept):
                self.until_results(control, listener, kept)
                control.sendall(b"".join(data))
            return script
        self.assertIn("4294967295 bytes", self.against(lies(b"\xff\xff\xff\xff{}")))
        self.assertIn("no JSON object", self.against(lies(framed(b"[[[[[[[[[["))))
        self.assertIn("no JSON object", self.against(lies(framed(b"[" * 100_000))))
        # Sound JSON of odd types costs only what it would have told; then the server goes.
        odd = framed({"streams": [{"id": 1, "bytes": "x"}, 7], "cpu_util_total": {},
                      "server_output_text": ["x"]})
        self.assertIn("closed", self.against(lies(odd)))

    def test_a_server_that_leaves_in_the_middle(self):
        def leaves(control, listener, kept):
            self.parameters(control)
            control.sendall(bytes([CREATE_STREAMS]))
            stream, _ = listener.accept()
            kept.append(stream)
            control.sendall(bytes([TEST_START, TEST_RUNNING]))
            stream.recv(1000)
        self.assertIn("closed", self.against(leaves, seconds="30"))


class Words(unittest.TestCase):
    def test_nobody_there_and_wrong_words(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            for arguments, code, words in (
                    (["127.0.0.1", "-p", str(closed.getsockname()[1])], 5, "refused"),
                    (["name.invalid"], 5, "name.invalid"),
                    (["127.0.0.1", "-t", "0"], 2, "-t"),
                    (["127.0.0.1", "-R", "--bidir"], 2, "exclude"),
                    (["127.0.0.1", "-n", "1M", "-t", "3"], 2, "exclude"),
                    (["127.0.0.1", "-l", "9M"], 2, "at most 1 MiB"),
                    (["127.0.0.1", "-u", "-l", "3"], 2, "at least 16 bytes"),
                    (["127.0.0.1", "-b", "fast"], 2, "fast"),
                    ([], 2, "HOST")):
                with self.subTest(arguments):
                    result = subprocess.run([PROGRAM, "test", "--iperf3", *arguments],
                                            capture_output=True, text=True, timeout=60, check=False)
                    self.assertEqual(result.returncode, code, result.stderr)
                    self.assertIn(words, result.stderr)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            result = subprocess.run([PROGRAM, "serve", "--iperf3", "-B", "127.0.0.1", "-p",
                                     str(taken.getsockname()[1])], capture_output=True, text=True,
                                    timeout=60, check=False)
        self.assertEqual(result.returncode, 4)
        self.assertIn("in use", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
