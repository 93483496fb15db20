# SPDX-License-Identifier: Apache-2.0
"""The programs that are measured beside Slowpath, and what each is asked to do."""
import shutil
import subprocess

import measure

OURS_ONE = "slowpath, one core"
OURS_ALL = "slowpath, all cores"
OURS_UNVERIFIED = "slowpath --no-checksums, one core"
CAPINFOS = "capinfos -c"
TCPTRACE = "tcptrace -n"
TSHARK = "tshark -q -z conv,tcp"

DECOMPRESSORS = {"gz": ["gzip", "-dc"], "zst": ["zstd", "-q", "-dc"], "lz4": ["lz4", "-q", "-dc"]}


def ours(program, path, *options):
    return [program, "diagnose", "--json", *options, path]


def ways(program, path, with_tshark=False):
    """name -> (command, cores). Peers have one thread of work; so they get one core, as ours does."""
    one = measure.one_core()
    found = {
        OURS_ONE: (ours(program, path), one),
        OURS_ALL: (ours(program, path), measure.all_cores()),
        OURS_UNVERIFIED: (ours(program, path, "--no-checksums"), one),
        CAPINFOS: (["capinfos", "-c", path], one),
        TCPTRACE: (["tcptrace", "-n", path], one),
    }
    if with_tshark:
        found[TSHARK] = (["tshark", "-n", "-q", "-r", path, "-z", "conv,tcp"], one)
    return {name: way for name, way in found.items() if shutil.which(way[0][0])}


def compressed_ways(program, path, compression):
    one = measure.one_core()
    tool = DECOMPRESSORS[compression]
    return {
        " ".join(tool): ([*tool, path], one),
        OURS_ONE: (ours(program, path), one),
        OURS_ALL: (ours(program, path), measure.all_cores()),
    }


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
                              version_line(["lz4", "--version"])) if line]
