# SPDX-License-Identifier: Apache-2.0
"""The captures that are measured: what each is, and where it is kept until `./dev bench --clean`."""
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

# What a packet takes in the file, about: two of three are full segments.
BYTES_CUT = 105
BYTES_WHOLE = 1050
# Of the disk, left for others.
SPARE_BYTES = 8 << 30

COMPRESSORS = {"gz": ["gzip", "-c"], "zst": ["zstd", "-q", "-c"], "lz4": ["lz4", "-q", "-c"]}


@dataclasses.dataclass(frozen=True)
class Input:
    name: str
    what: str
    packets: int
    connections: int
    options: tuple = ()
    compression: str = ""  # Of the input without it.

    @property
    def cut(self):
        return "--snap" in self.options

    @property
    def bytes(self):
        """About; compressed ones take a third."""
        size = self.packets * (BYTES_CUT if self.cut else BYTES_WHOLE)
        return size // 3 if self.compression else size

    def arguments(self):
        return ["--packets", str(self.packets), "--connections", str(self.connections), *self.options]


CUT = ("--snap", "96")
LONG = ("--segments", "200")  # Transfers of 290 kB: most packets belong to the window's steady state.
SHORT = ("--segments", "6", "--window", "16")  # Many connections with short answers.
# Connections that never end, so that as many are live as there are in all.
LASTING = ("--transfers", "60000")


def count_name(count):
    """10000 -> 10k, 1000000 -> 1M."""
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if count >= unit and count % unit == 0:
            return f"{count // unit}{name}"
    return str(count)


def main_inputs(packets):
    live = min(400_000, packets // 25)
    return [
        Input("base", "2 000 live connections, snap length 96", packets, 2000, CUT + LONG),
        Input("many", f"{count_name(live)} live connections, snap length 96", packets, live, CUT + SHORT),
        Input("full", "2 000 live connections, whole payloads", packets * 2 // 5, 2000, LONG),
        Input("loss", "2 000 live connections, 5 % loss, SACK, snap length 96", packets, 2000,
              CUT + LONG + ("--loss", "0.05")),
        Input("pcapng", "base, as Wireshark writes it", packets, 2000, CUT + LONG + ("--pcapng",)),
    ]


def compressed(base):
    return [dataclasses.replace(base, name=f"{base.name}.{suffix}", what=f"{base.name}, {tool[0]}", compression=suffix)
            for suffix, tool in COMPRESSORS.items()]


def by_packets(most, base):
    """`base` with a million packets to `most`: all large enough to be screened."""
    return [dataclasses.replace(base, packets=count) for count in powers(1_000_000, most)]


def by_connections(most, packets):
    """10 to `most` live connections; ten packets of each at least."""
    return [Input(f"live-{count_name(count)}", f"{count_name(count)} connections", max(packets, 10 * count), count,
                  CUT + SHORT + LASTING) for count in powers(10, most)]


# As bench/generate/attack.h calls them.
ATTACKS = ("syns", "one-packets", "reuse", "collisions", "fragments", "tiny-fragments", "overlaps", "options", "tunnels",
           "wraps", "backwards", "resets", "icmp")


def attacks(packets):
    return [Input(f"attack-{kind}", kind, packets, 1, CUT + ("--attack", kind)) for kind in ATTACKS]


def powers(least, most):
    count = least
    while count <= most:
        yield count
        count *= 10


def default_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "slowpath-bench"


def read_from_disk(path):
    """Leaves in the page cache what reading leaves there: folios as large as the file system makes them. What writing
    left is in single pages, and mapping a gigabyte of those costs a tenth of a second more."""
    with open(path, "rb", buffering=0) as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(1 << 20):
            pass


class Store:
    """Makes inputs once. A changed generator or changed options make them anew."""

    def __init__(self, folder, generator):
        self.folder = pathlib.Path(folder)
        self.generator = str(generator)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.version = hashlib.sha256(pathlib.Path(generator).read_bytes()).hexdigest()

    def path_of(self, wanted, mark="*"):
        ending = f".pcap.{wanted.compression}" if wanted.compression else ".pcap"
        return self.folder / f"{wanted.name}-{count_name(wanted.packets)}-{mark}{ending}"

    def current(self, wanted):
        key = " ".join([self.version, wanted.compression, *wanted.arguments()])
        return self.path_of(wanted, hashlib.sha256(key.encode()).hexdigest()[:10])

    def has_room_for(self, wanted):
        return wanted.bytes + SPARE_BYTES < shutil.disk_usage(self.folder).free

    def get(self, wanted):
        """The path of the input. Ends the program where it cannot be made."""
        path = self.current(wanted)
        if path.exists():
            return path
        for stale in self.folder.glob(self.path_of(wanted).name):
            stale.unlink()
        if not self.has_room_for(wanted):
            sys.exit(f"bench: no room for {wanted.name} (about {wanted.bytes >> 20} MiB) in {self.folder}: "
                     "free some, or set XDG_CACHE_HOME")
        print(f"  making {path.name}", file=sys.stderr)
        unfinished = path.with_name("unfinished-" + path.name)
        try:
            self.make(wanted, unfinished)
            read_from_disk(unfinished)
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return path

    def make(self, wanted, path):
        if not wanted.compression:
            subprocess.run([self.generator, *wanted.arguments(), str(path)], check=True)
            return
        plain = dataclasses.replace(wanted, name=wanted.name.removesuffix("." + wanted.compression), compression="")
        with open(path, "wb") as out:
            subprocess.run([*COMPRESSORS[wanted.compression], str(self.get(plain))], check=True, stdout=out)
