# SPDX-License-Identifier: Apache-2.0
# Where a user or a container may have no more threads, captures are read all the same, and say the
# same: large ones that several threads would screen, and compressed ones that a thread would unpack.
import gzip
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

NOBODY = 65534


def few_processes():
    """As a user who already has all processes that it may have; root is never refused one."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))


def tcp_capture():
    """A pcap file of raw IPv4: eight connections of a client, a segment and its ACK in turn."""
    ends = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)

    def packet(at_us, port, from_client, seq, ack, flags, payload=b""):
        ports = (port, 80) if from_client else (80, port)
        tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 65535, 0, 0) + payload
        source, destination = ends if from_client else ends[::-1]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0)
        frame = ip + source + destination + tcp
        head = struct.pack("<IIII", 1700000000 + at_us // 10**6, at_us % 10**6, len(frame), len(frame))
        return head + frame

    at_us = 0
    for port in range(1000, 1008):
        for number in range(100):
            at_us += 1000
            file += packet(at_us, port, True, 1 + 500 * number, 1, 0x18, bytes(500))
            file += packet(at_us + 500, port, False, 1, 501 + 500 * number, 0x10)
    return file


def answer(program, capture, prepare):
    run = subprocess.run(
        [program, "diagnose", "--json", "--no-checksums", "--screen-from", "1", "--threads", "4",
         capture],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=prepare, check=False,
        # A sanitizer that looks for leaks needs a thread of its own.
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    if run.returncode != 0:
        sys.exit(f"{capture}: exit {run.returncode}: {run.stderr}")
    found = json.loads(run.stdout)
    return {key: found[key] for key in ("verdict", "connections", "findings")}


def main():
    if os.geteuid() != 0:
        print("only root can become another user")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(os.environ["SLOWPATH_PROGRAM"], folder)
        plain, packed = os.path.join(folder, "a.pcap"), os.path.join(folder, "a.pcap.gz")
        with open(plain, "wb") as file:
            file.write(tcp_capture())
        with gzip.open(packed, "wb") as file:
            file.write(tcp_capture())
        for name in (program, plain, packed):
            os.chmod(name, 0o755)
        for capture in (plain, packed):
            if answer(program, capture, few_processes) != answer(program, capture, None):
                sys.exit(f"{capture}: another answer without threads")
    return 0


if __name__ == "__main__":
    sys.exit(main())
