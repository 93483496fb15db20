# SPDX-License-Identifier: Apache-2.0
"""Active tests beside iperf3: one TCP stream from host to host, over a veth pair and over the lab's switch.

The ways take turns within each round. What counts are the ratios to iperf3 in the same round: their medians.
The processor time is that of the whole processes, both ends; the switch's own is no part of it.
"""
import contextlib
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import sys

import hosts

PLAIN, VERIFIED, IPERF3 = "slowpath test --no-verify", "slowpath test", "iperf3"
WAYS = (PLAIN, VERIFIED, IPERF3)
PORT = 15202
MTU = 1500


@dataclasses.dataclass
class Transfer:
    bits: float
    seconds: float
    client_cpu_s: float
    server_cpu_s: float

    def rate(self):
        return self.bits / self.seconds

    def cpu_per_gbit(self):
        return (self.client_cpu_s + self.server_cpu_s) / (self.bits / 1e9)


def why_not(switch):
    """Why this cannot be measured here; nothing where it can. `switch` is lab_switch_bench."""
    if os.geteuid() != 0:
        return "needs root: two network namespaces"
    for tool in ("ip", "iperf3"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    return "" if os.access(switch, os.X_OK) else f"{switch} is missing"


def spent(process):
    """Waits for the end of `process`; its processor seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def transfer(server, client, ends_itself):
    """Runs both commands, each on its host: the client's output and both processor times."""
    listener = subprocess.Popen(hosts.inside(hosts.B, *server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    hosts.wait_until_listening(listener, PORT)
    sender = subprocess.Popen(hosts.inside(hosts.A, *client), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with sender.stdout, sender.stderr:
        output, errors = sender.stdout.read(), sender.stderr.read()
    client_cpu_s = spent(sender)
    if not ends_itself or sender.returncode != 0:
        listener.terminate()
    server_cpu_s = spent(listener)
    if sender.returncode != 0:
        sys.exit(f"bench: {' '.join(client)}: exit {sender.returncode}: {errors.strip() or output.strip()}")
    return json.loads(output), client_cpu_s, server_cpu_s


def over_slowpath(program, seconds, *options):
    answer, *cpu = transfer([program, "serve", "--open", "-q", "-p", str(PORT)],
                            [program, "test", hosts.ADDRESS_OF_B, "-p", str(PORT), "--forward", "-t", f"{seconds:g}s",
                             "--no-ceiling", "--no-path", "--json", *options], False)
    flow = answer["runs"][0]["flows"][0]
    return Transfer(flow["received_bytes"] * 8, flow["seconds"], *cpu)


def over_iperf3(_, seconds):
    answer, *cpu = transfer(["iperf3", "-s", "-1", "-p", str(PORT)],
                            ["iperf3", "-c", hosts.ADDRESS_OF_B, "-p", str(PORT), "-t", f"{seconds:g}", "-J"], True)
    received = answer["end"]["sum_received"]
    return Transfer(received["bytes"] * 8, received["seconds"], *cpu)


MEASURE = {
    PLAIN: lambda program, seconds: over_slowpath(program, seconds, "--no-verify"),
    VERIFIED: over_slowpath,
    IPERF3: over_iperf3,
}


def summary(transfers, beside):
    """`beside`: iperf3's transfers of the same rounds."""
    return {"bits_per_s": statistics.median(one.rate() for one in transfers),
            "rates": [one.rate() for one in transfers],
            "client_s_per_gbit": statistics.median(one.client_cpu_s * 1e9 / one.bits for one in transfers),
            "server_s_per_gbit": statistics.median(one.server_cpu_s * 1e9 / one.bits for one in transfers),
            "rate_ratio": statistics.median(one.rate() / other.rate() for one, other in zip(transfers, beside)),
            "cpu_ratio": statistics.median(one.cpu_per_gbit() / other.cpu_per_gbit()
                                           for one, other in zip(transfers, beside))}


@contextlib.contextmanager
def laid(name, switch):
    """The path of this name between two fresh hosts."""
    with hosts.Hosts(), (hosts.veth(MTU) if name == "veth" else hosts.Plane(switch, MTU)):
        yield


def measure_path(name, program, switch, rounds, seconds):
    series = {way: [] for way in WAYS}
    with laid(name, switch):
        for number in range(rounds):
            print(f"  {name}, round {number + 1} of {rounds}", file=sys.stderr)
            # Who comes first changes, so that nobody always follows the same other.
            for way in WAYS[number % len(WAYS):] + WAYS[:number % len(WAYS)]:
                series[way].append(MEASURE[way](str(program), seconds))
    return {"path": name, "seconds": seconds, "rounds": rounds,
            "ways": {way: summary(series[way], series[IPERF3]) for way in WAYS}}


def measure(program, switch, rounds, seconds):
    """Of each path the ways side by side."""
    return [measure_path(name, program, str(switch), rounds, seconds) for name in ("veth", "the lab's switch")]
