# SPDX-License-Identifier: Apache-2.0
"""The programs that are measured beside Slowpath, and what each is asked to do."""
import shutil
import subprocess

import measure

OURS_ONE = "slowpath, one core"
OURS_ALL = "slowpath, all cores"
OURS_UNVERIFIED = "slowpath --no-checksums, one core"
OURS_FULL = "slowpath --full, one core"
CAPINFOS = "capinfos -c"
TCPTRACE = "tcptrace -n"
TSHARK = "tshark -q -z conv,tcp"

DECOMPRESSORS = {"gz": ["gzip", "-dc"], "zst": ["zstd", "-q", "-dc"], "lz4": ["lz4", "-q", "-dc"]}


def ours(program, path, *options):
    return [program, "diagnose", "--json", *options, path]


def our_ways(program, path):
    """One thread on one core, and a thread for each core."""
    every = measure.all_cores()
    return {OURS_ONE: (ours(program, path, "--threads", "1"), measure.one_core()),
            OURS_ALL: (ours(program, path, "--threads", str(len(every))), every)}


def ways(program, path, with_tshark=False):
    """name -> (command, cores). Peers have one thread of work; so they get one core, as ours does."""
    one = measure.one_core()
    found = {
        **our_ways(program, path),
        OURS_UNVERIFIED: (ours(program, path, "--threads", "1", "--no-checksums"), one),
        OURS_FULL: (ours(program, path, "--full"), one),
        CAPINFOS: (["capinfos", "-c", path], one),
        TCPTRACE: (["tcptrace", "-n", path], one),
    }
    if with_tshark:
        found[TSHARK] = (["tshark", "-n", "-q", "-r", path, "-z", "conv,tcp"], one)
    return {name: way for name, way in found.items() if shutil.which(way[0][0])}


ATTACK_MEMORY_MIB = 64


def attack_ways(program, path):
    """With little memory, screened whatever its size, and whole."""
    memory = ("--memory", f"{ATTACK_MEMORY_MIB}MiB")
    one = measure.one_core()
    return {OURS_ONE: (ours(program, path, "--threads", "1", "--screen-from", "1", *memory), one),
            OURS_FULL: (ours(program, path, "--full", *memory), one)}


def compressed_ways(program, path, compression):
    one = measure.one_core()
    tool = DECOMPRESSORS[compression]
    return {" ".join(tool): ([*tool, path], one), **our_ways(program, path)}


def version_line(command):
    """The first line of what it says of itself; tcptrace says it on stderr."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return next((line.strip() for line in lines if any(letter.isdigit() for letter in line)), "")


def versions(program):
    return [line for line in (version_line([program, "version"]), version_line(["capinfos", "--version"]),
                              version_line(["tcptrace", "-v"]), version_line(["tshark", "--version"]),
                              version_line(["gzip", "--version"]), version_line(["zstd", "--version"]),
                              version_line(["lz4", "--version"]), version_line(["iperf3", "--version"])) if line]
