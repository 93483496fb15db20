# SPDX-License-Identifier: Apache-2.0
"""Compares our mark of every TCP frame with tshark's, over the public captures that are shared between repositories.

A frame agrees where both mark it alike: retransmission (of any kind), out of order, duplicate ACK, zero window, lost
segment. Where they differ, the program's reason counts only if the program also foresaw what tshark says. Fails under
99 % of frames that agree or carry a reason (most frames carry no mark, hence also under 95 % of those that either side
marks), and where more than 10 % need a reason (captures that hold each packet several times aside). Skipped (77) without tshark or the captures.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys

LEAST_SHARE = 0.99
LEAST_MARKED_SHARE = 0.95
MOST_REASONS = 0.10
SEVERAL_TAPS = ("C58", "C59", "C60", "C61")
DOCUMENT = "docs/wireshark.md"

MARKS = {
    "retransmission": ("retransmission", "fast_retransmission", "spurious_retransmission"),
    "out-of-order": ("out_of_order",),
    "duplicate-ack": ("duplicate_ack",),
    "zero-window": ("zero_window",),
    "lost-segment": ("lost_segment",),
}


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def captures(source):
    shared = pathlib.Path(os.environ.get("SLOWPATH_SHARED", source / ".." / "shared"))
    folder = shared / "captures" / "public"
    if not folder.is_dir():
        skip(f"no public captures at {folder}")
    files = sorted(path for path in folder.iterdir() if ".pcap" in path.name or ".dmp" in path.name)
    if not files:
        skip(f"no captures in {folder}")
    return files


def tshark_marks(path):
    """Frame number -> marks. Packets that an ICMP error quotes are not frames of the connection."""
    names = [name for group in MARKS.values() for name in group]
    command = ["tshark", "-n", "-r", str(path), "-Y", "tcp && !icmp && !icmpv6", "-T", "fields",
               "-e", "frame.number"]
    for name in names:
        command += ["-e", f"tcp.analysis.{name}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    frames = {}
    for line in output.splitlines():
        number, *values = line.split("\t")
        set_names = {name for name, value in zip(names, values) if value}
        frames[int(number)] = frozenset(
            mark for mark, group in MARKS.items() if not set_names.isdisjoint(group))
    return frames


def our_marks(program, path):
    """Frame number -> (our marks, those that the program foresees of Wireshark, reasons, unexplained)."""
    output = subprocess.run([program, "diagnose", "-q", "--frames", "-", str(path)],
                            capture_output=True, text=True, check=True).stdout
    frames = {}
    for line in output.splitlines()[1:]:
        _, number, ours, theirs, reasons, unexplained = line.split("\t")
        split = [frozenset(filter(None, field.split(","))) for field in (ours, theirs, reasons, unexplained)]
        frames[int(number)] = (split[0] & MARKS.keys(), split[1] & MARKS.keys(), split[2], split[3])
    return frames


def words(marks):
    return "+".join(sorted(marks)) or "nothing"


class Count:
    """Frames of one capture, by outcome."""

    def __init__(self):
        self.frames = self.agreeing = self.explained = self.differing = 0
        self.marked = 0
        self.marked_agreeing = 0
        self.reasons = collections.Counter()
        self.kinds = collections.Counter()
        self.examples = {}

    def add_frame(self, number, tshark, own):
        self.frames += 1
        if own is None:
            return self.differ(number, f"tshark {words(tshark)}, not listed by us")
        ours, foreseen, reasons, unexplained = own
        if ours or tshark:
            self.marked += 1
        if ours == tshark:
            self.agreeing += 1
            self.marked_agreeing += bool(ours)
        elif reasons and not unexplained and foreseen == tshark:
            self.explained += 1
            self.reasons.update(reasons)
        else:
            self.differ(number, f"tshark {words(tshark)}, foreseen {words(foreseen)}, ours {words(ours)}")

    def differ(self, number, kind):
        self.differing += 1
        self.kinds[kind] += 1
        self.examples.setdefault(kind, []).append(number)

    def add(self, other):
        for name in ("frames", "agreeing", "explained", "differing", "marked", "marked_agreeing"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)

    def row(self, name):
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.reasons.most_common())
        return (f"{name[:28]:28} {self.frames:7} {self.marked:7} {self.marked_agreeing:7} {self.explained:7} "
                f"{self.differing:7}  {reasons}")


def compare(program, path):
    count = Count()
    tshark, own = tshark_marks(path), our_marks(program, path)
    for number, marks in tshark.items():
        count.add_frame(number, marks, own.get(number))
    return count


def undocumented(source, reasons):
    text = (source / DOCUMENT).read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    return sorted(set(reasons) - documented)


def main():
    source = pathlib.Path(os.environ["SLOWPATH_SOURCE_DIR"])
    program = os.environ["SLOWPATH_PROGRAM"]
    if shutil.which("tshark") is None:
        skip("tshark is not installed")
    total, single = Count(), Count()
    print(f"{'capture':28} {'frames':>7} {'marked':>7} {'alike':>7} {'reason':>7} {'differ':>7}  reasons")
    kinds = collections.Counter()
    examples = {}
    for path in captures(source):
        count = compare(program, path)
        total.add(count)
        if not path.name.startswith(SEVERAL_TAPS):
            single.add(count)
        print(count.row(path.name))
        for kind, frames in count.kinds.items():
            kinds[kind] += frames
            examples.setdefault(kind, []).append(f"{path.name.split('-')[0]} {count.examples[kind][:6]}")
    print(total.row("total"))
    print("\ndiffer without a reason:")
    for kind, frames in kinds.most_common(40):
        print(f"{frames:6}  {kind}: {'; '.join(examples[kind][:6])}")
    share = (total.agreeing + total.explained) / total.frames
    reasons = single.explained / single.frames
    marked = (total.marked_agreeing + total.explained) / total.marked
    print(f"\n{share:.3%} agree or carry a reason (at least {LEAST_SHARE:.0%}), of those marked by either {marked:.2%} "
          f"(at least {LEAST_MARKED_SHARE:.0%}); of the captures that hold packets once, {reasons:.3%} need one "
          f"(at most {MOST_REASONS:.0%})")
    missing = undocumented(source, total.reasons)
    if missing:
        print(f"not documented in {DOCUMENT}: {', '.join(missing)}")
    enough = share >= LEAST_SHARE and marked >= LEAST_MARKED_SHARE
    sys.exit(0 if enough and reasons <= MOST_REASONS and not missing else 1)


if __name__ == "__main__":
    main()
