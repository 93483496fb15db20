#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One download over TCP, with the reader's habits as options.

usage: transfer.py serve PORT BYTES CONGESTION_CONTROL
       transfer.py fetch HOST PORT [BYTES_BETWEEN_PAUSES PAUSE_S]

The server sends BYTES to the first who connects and closes. The client reads to the end; with the two
options it stops reading for PAUSE_S seconds after every BYTES_BETWEEN_PAUSES.
"""
import socket
import sys
import time

CHUNK_BYTES = 64 << 10


def serve(port, size, congestion_control):
    listener = socket.create_server(("", port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion_control.encode())
    print("ready", flush=True)
    connection, _ = listener.accept()
    chunk = bytes(range(256)) * (CHUNK_BYTES // 256)
    left = size
    while left:
        count = min(left, len(chunk))
        connection.sendall(chunk[:count])
        left -= count
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)  # The client's FIN: the last byte has arrived.


def fetch(host, port, pause_every=0, pause_s=0.0):
    began = time.monotonic()
    received = since_pause = 0
    with socket.create_connection((host, port)) as connection:
        while True:
            data = connection.recv(CHUNK_BYTES)
            if not data:
                break
            received += len(data)
            since_pause += len(data)
            if pause_every and since_pause >= pause_every:
                since_pause = 0
                time.sleep(pause_s)
    elapsed_s = time.monotonic() - began
    print(f"{received} bytes in {elapsed_s:.3f} s = {received * 8 / elapsed_s / 1e6:.1f} Mbit/s")


def main(arguments):
    if len(arguments) == 4 and arguments[0] == "serve":
        serve(int(arguments[1]), int(arguments[2]), arguments[3])
    elif len(arguments) == 3 and arguments[0] == "fetch":
        fetch(arguments[1], int(arguments[2]))
    elif len(arguments) == 5 and arguments[0] == "fetch":
        fetch(arguments[1], int(arguments[2]), int(arguments[3]), float(arguments[4]))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
