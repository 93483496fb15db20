#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives check_layers.py small trees of sources, sound and unsound, and compares what it says."""
import os
import subprocess
import sys
import tempfile

CHECK = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "check_layers.py")

SOUND = [
    ("flow/a.cc", '#include "wire/packet.h"\n#include "flow/b.h"\n'),
    ("report/a.cc", '#include "capture/pcapng_writer.h"\nvoid f() { fmt::print("x"); }\n'),
    ("flow/a.cc", "// std::cout << 1;\nint n = std::snprintf(b, 9, x);\n"),
    ("machine/a.cc", 'const char* s = "printf(x)";\n'),
    ("base/assert.h", 'inline void f() { std::fprintf(stderr, "x"); }\n'),
    ("cli/a.cc", '#include "lab/a.h"\n#include "detect/a.h"\n'),
]

# (file, text, what the complaint must hold)
UNSOUND = [
    ("flow/a.cc", '#include "detect/a.h"\n', 'src/flow/a.cc:1: flow/ must not include "detect/a.h"'),
    ("detect/a.cc", '\n#include "flow/a.h"\n', "src/detect/a.cc:2: "),
    ("lab/a.cc", '#include "flow/a.h"\n', "lab/ must not"),
    ("lab/a.cc", '#include "capture/source.h"\n', "lab/ must not"),
    ("flow/a.cc", '#include "capture/source.h"\n', "flow/ must not"),
    ("facts/a.h", '#include "wire/packet.h"\n', "facts/ must not"),
    ("base/a.h", '#include "facts/a.h"\n', "base/ must not"),
    ("report/a.cc", '#include "flow/a.h"\n', "report/ must not"),
    ("detect/detectors/a.cc", '#include "../detector.h"\n', "not named from src/"),
    ("detect/a.cc", "#include <fstream>\n", "facts only"),
    ("detect/a.cc", "#include <sys/socket.h>\n", "facts only"),
    ("detect/a.cc", "auto t = std::chrono::steady_clock::now();\n", "must not read a clock"),
    ("flow/a.cc", "void f() { std::cout << 1; }\n", "only report/ and cli/ print"),
    ("capture/a.cc", 'void f() { fmt::print(stderr, "x"); }\n', "only report/ and cli/ print"),
    ("wire/a.cc", 'void f() { printf("x"); }\n', "only report/ and cli/ print"),
    ("attic/a.cc", "\n", "is no room"),
]


def check(name, text):
    with tempfile.TemporaryDirectory() as root:
        path = os.path.join(root, "src", name)
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        run = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True,
                             check=False)
        return run.returncode, run.stdout


def main():
    failures = 0
    for name, text in SOUND:
        code, output = check(name, text)
        if code != 0:
            failures += 1
            print(f"sound, but refused: {name}: {text!r}: {output}")
    for name, text, complaint in UNSOUND:
        code, output = check(name, text)
        if code != 1 or complaint not in output:
            failures += 1
            print(f"unsound, but exit {code}: {name}: {text!r}: {output}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
