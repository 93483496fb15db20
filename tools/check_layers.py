#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the includes under src/ and fails on any arrow that ARCHITECTURE.md does not have.

usage: check_layers.py [SOURCE_ROOT]

Also fails where a room does what it must not: printing outside report and cli, files, clocks and
sockets in detect. It reads text, not C++: comments and string literals are blanked first.
"""
import os
import re
import sys

# The rooms each room may include, besides itself.
ARROWS = {
    "base": set(),
    "facts": {"base"},
    "wire": {"base", "facts"},
    "capture": {"base", "facts", "wire"},
    "flow": {"base", "facts", "wire"},
    "machine": {"base", "facts"},
    "probe": {"base", "facts", "wire"},
    "detect": {"base", "facts"},
    "fix": {"base", "facts", "machine"},
    "lab": {"base", "facts", "wire"},
    "report": {"base", "facts", "detect"},
    "cli": {"base", "facts", "wire", "capture", "flow", "machine", "probe", "detect", "fix", "lab",
            "report"},
}

# Single headers that a room may include from a room that is otherwise closed to it.
HEADERS = {
    "lab": {"capture/pcapng_writer.h"},
    "probe": {"machine/live/counters.h", "machine/live/cpu.h", "machine/live/host_files.h",
              "machine/live/sockets.h"},
    "report": {"capture/pcapng_writer.h"},
}

PRINTING_ROOMS = {"report", "cli"}
PRINTING_EXCEPTIONS = {"base/assert.h"}  # It prints one sentence and aborts.

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
PRINTING = re.compile(
    r"\bstd::(?:cout|cerr|clog)\b|(?<![\w])(?:std::)?v?f?printf\s*\(|\bfmt::print(?:ln)?\s*\("
    r"|(?<![\w])(?:std::)?f?puts\s*\(|(?<![\w])(?:std::)?putchar\s*\(|\bSTD(?:OUT|ERR)_FILENO\b")
CLOCK = re.compile(r"\b\w*clock::now\s*\(|\b(?:clock_gettime|gettimeofday)\s*\(|\bstd::time\s*\(")
CLOSED_TO_DETECT = re.compile(
    r"^(?:fstream|iostream|filesystem|cstdio|thread|unistd\.h|fcntl\.h|poll\.h|netdb\.h|time\.h"
    r"|stdio\.h|sys/.*|net/.*|netinet/.*|arpa/.*|linux/.*|pcap.*)$")

BLANKED = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)


def without_comments_and_strings(text):
    """The same lines, so that line numbers stay true."""
    return BLANKED.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def include_fault(room, quoted, system):
    """The sentence that says what is wrong with one include, or None."""
    if system:
        if room == "detect" and CLOSED_TO_DETECT.match(system):
            return f"detect/ must not include <{system}>: detectors see facts only"
        return None
    target = quoted.split("/")[0]
    if target not in ARROWS or "/" not in quoted:
        return f'"{quoted}" is not named from src/ (say "room/file.h")'
    if target == room or target in ARROWS[room] or quoted in HEADERS.get(room, ()):
        return None
    return f'{room}/ must not include "{quoted}"'


def line_fault(room, name, line):
    if PRINTING.search(line) and room not in PRINTING_ROOMS and name not in PRINTING_EXCEPTIONS:
        return "only report/ and cli/ print; return the text or an Error"
    if room == "detect" and CLOCK.search(line):
        return "detect/ must not read a clock: a detector's answer depends on facts alone"
    return None


def file_faults(path, name):
    room = name.split("/")[0]
    if room not in ARROWS:
        yield 1, f"src/{room}/ is no room: add it to ARCHITECTURE.md and to tools/check_layers.py"
        return
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        fault = match and include_fault(room, match.group(1), match.group(2))
        if fault:
            yield number, fault
    for number, line in enumerate(without_comments_and_strings(text).split("\n"), 1):
        fault = line_fault(room, name, line)
        if fault:
            yield number, fault


def source_files(source):
    for folder, _, names in os.walk(source):
        for name in sorted(names):
            if name.endswith((".h", ".cc")):
                path = os.path.join(folder, name)
                yield path, os.path.relpath(path, source).replace(os.sep, "/")


def main(arguments):
    root = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..")
    source = os.path.join(root, "src")
    files = list(source_files(source))
    if not files:
        print(f"cannot check layers: no sources in {source}", file=sys.stderr)
        return 2
    faults = 0
    for path, name in files:
        for number, fault in file_faults(path, name):
            print(f"src/{name}:{number}: {fault}")
            faults += 1
    if not faults:
        print(f"{len(files)} files keep the layers")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
