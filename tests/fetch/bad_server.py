# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that treats bytes badly, each path in its own way. Every path serves the same file
(content(), a MiB and a bit) but for what its name says; the count of requests decides which answers
are the bad ones.

A server of this kind stands in for a path that changes bytes: TCP's checksums are good over them.
"""
import hashlib
import http.server
import random
import socket
import ssl
import struct
import threading

MSS = 1448


def content(size=1_100_000, seed=7):
    return random.Random(seed).randbytes(size)


DATA = content()
SHA256 = hashlib.sha256(DATA).hexdigest()


def flipped(data):
    bad = bytearray(data)
    for at in (200_003, 400_003, 700_003):
        bad[at] ^= 0x10
    return bytes(bad)


def stale(data):
    """One segment holds what the segment eight before it held."""
    begin = 300 * MSS
    return data[:begin] + data[begin - 8 * MSS:begin - 7 * MSS] + data[begin + MSS:]


def shifted(data):
    return data[:500_000] + b"\0\0\0\0" + data[500_000:-4]


def zeroed(data):
    return data[:8192 * 40] + bytes(4096) + data[8192 * 40 + 4096:]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, context=None):
        super().__init__(address, Handler)
        self.counts = {}
        self.stored = {}
        self.lock = threading.Lock()
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def count(self, path):
        with self.lock:
            self.counts[path] = self.counts.get(path, 0) + 1
            return self.counts[path]

    def handle_error(self, request, client_address):
        pass  # clients that give up are part of the tests


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, headers=(), status=200, validators=True):
        self.send_response(status)
        if validators:
            self.send_header("ETag", '"v1"')
            self.send_header("Last-Modified", "Fri, 20 Nov 2026 10:00:00 GMT")
        for name, value in headers:
            self.send_header(name, value)
        if not any(name in ("Content-Length", "Transfer-Encoding") for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        if self.path == "/hangs-up-on-uploads":
            self.answer(b"", status=403)
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.strip("/")
        if name == "no-uploads":
            self.answer(b"", status=405)
            return
        if name in ("bad-store", "bad-both-ways"):
            body = flipped(body)
        self.server.stored[self.path] = body
        self.answer(b"", status=201)

    def do_GET(self):
        name = self.path.strip("/").replace("-", "_")
        stored = self.server.stored.get(self.path)
        if stored is not None:
            odd = self.server.count(self.path) % 2 == 1
            spoils = {"bad_way_down": flipped, "bad_both_ways": zeroed}
            self.answer(spoils[name](stored) if odd and name in spoils else stored)
            return
        getattr(self, "get_" + name, self.nothing)(self.server.count(self.path))

    def nothing(self, _):
        self.answer(b"no such page, " * 50, status=404)

    def get_good(self, _):
        asked = self.headers.get("Range")
        if asked:
            first, last = (int(x) for x in asked.removeprefix("bytes=").split("-"))
            self.answer(DATA[first:last + 1], [("Accept-Ranges", "bytes")], status=206)
        else:
            self.answer(DATA, [("Accept-Ranges", "bytes")])

    def every_second(self, count, spoil):
        if self.headers.get("Range"):
            self.get_good(count)
        else:
            self.answer(spoil(DATA) if count % 2 == 0 else DATA)

    def get_flip(self, count):
        self.every_second(count, flipped)

    def get_flip_first(self, count):
        self.every_second(2 if count == 1 else 1, flipped)

    def get_stale(self, count):
        self.every_second(count, stale)

    def get_shift(self, count):
        self.every_second(count, shifted)

    def get_zeros(self, count):
        self.every_second(count, zeroed)

    def get_always_bad(self, _):
        self.answer(flipped(DATA))

    def get_truncated(self, _):
        self.answer(DATA[:700_000], [("Content-Length", str(len(DATA)))])
        self.close_connection = True

    def get_reset(self, _):
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA[:300_000])
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def get_stalls(self, _):
        self.answer(DATA[:100_000], [("Content-Length", str(len(DATA)))])
        threading.Event().wait(20)

    def get_changing(self, count):
        new = content(seed=count)
        self.answer(new, [("ETag", f'"v{count}"')], validators=False)

    def get_generated(self, count):
        self.answer(f"<p>request number {count}, how do you do?".encode() * 1000, validators=False)

    def get_chunked(self, _):
        self.send_response(200)
        self.send_header("ETag", '"v1"')
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(DATA), 50_000):
            piece = DATA[at:at + 50_000]
            self.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def get_compressed(self, _):
        self.answer(DATA, [("Content-Encoding", "gzip")])

    def get_empty(self, _):
        self.answer(b"")

    def get_moved(self, _):
        self.answer(b"elsewhere", [("Location", "/good")], status=302)

    def get_loop(self, _):
        self.answer(b"", [("Location", "/loop")], status=302)

    def get_digest(self, _):
        self.answer(DATA, [("Repr-Digest", f"sha-256=:{b64(SHA256)}:")])

    def get_wrong_digest(self, _):
        self.answer(flipped(DATA), [("Content-MD5", b64(hashlib.md5(DATA).hexdigest()))])

    def get_hangs_up(self, _):
        self.close_connection = True

    def get_garbage(self, _):
        self.wfile.write(b"\0\1\2 this is not the protocol you are looking for\r\n\r\n")
        self.close_connection = True


def b64(hex_text):
    import base64
    return base64.b64encode(bytes.fromhex(hex_text)).decode()


def start(context=None):
    """A server on a free port of loopback, in a thread; its port."""
    server = Server(("127.0.0.1", 0), context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def tls_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
