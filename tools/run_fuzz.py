#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs fuzz targets with libFuzzer for a while and says how much ran and what was found; `./dev fuzz` calls it.

usage: run_fuzz.py BUILD_FOLDER MINUTES [TARGET...]

As many targets run at once as there are cores, each for its share of the minutes. What a target has found out about
its inputs stays in BUILD_FOLDER/corpus/TARGET for the next run. Inputs that crash, hang or exhaust memory are kept in
BUILD_FOLDER/found/TARGET-*. Seeds: fuzz/corpus/TARGET, and for targets that read captures or scenarios the beginnings of
examples/ and the scenarios of tests/ and lab/. Exit 1 if anything was found.
"""
import concurrent.futures
import dataclasses
import gzip
import os
import pathlib
import re
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
FINDINGS = ("crash-", "timeout-", "oom-", "leak-")
MOST_FINDINGS = 5  # Of one target in one run: more say the same.
SEED_BYTES = 16 << 10  # Larger inputs are slow, and seldom show more.
TIMEOUT_S = 20
MEMORY_MIB = 1024


def beginnings_of_examples():
    for path in sorted((SOURCE / "examples").glob("*.pcapng.gz")):
        with gzip.open(path) as file:
            yield path.name.removesuffix(".gz"), file.read(SEED_BYTES)


def whole_files(*patterns):
    for pattern in patterns:
        for path in sorted(SOURCE.glob(pattern)):
            if path.stat().st_size <= SEED_BYTES:
                yield "-".join(path.relative_to(SOURCE).parts[-2:]), path.read_bytes()


SEEDS = {
    "pipeline": beginnings_of_examples,
    "screened": beginnings_of_examples,
    "pcapng": beginnings_of_examples,
    "scenario": lambda: whole_files("tests/scenarios/*/*.scn"),
    "lab_scenario": lambda: whole_files("lab/scenarios/*.toml"),
}


def write_seeds(target, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in SEEDS.get(target, lambda: ())():
        (folder / name).write_bytes(content)


@dataclasses.dataclass
class Result:
    target: str
    seconds: float = 0
    executions: int = 0
    corpus: int = 0
    findings: tuple = ()
    broken: str = ""  # Why it could not run.


def stat(text, name):
    """A final statistic of libFuzzer; 0 where it ended before it printed them."""
    found = re.search(rf"^stat::{name}:\s*(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def executions(text):
    """As counted at the end, else in the last line of progress."""
    progress = re.findall(r"^#(\d+)\t", text, re.MULTILINE)
    return max(stat(text, "number_of_executed_units"), int(progress[-1]) if progress else 0)


def kept(found, target):
    return {path for kind in FINDINGS for path in found.glob(f"{target}-{kind}*")}


class Folders:
    def __init__(self, build):
        self.build = pathlib.Path(build)
        self.corpus, self.seeds, self.found, self.logs = (
            self.build / name for name in ("corpus", "seeds", "found", "logs"))
        for folder in (self.corpus, self.found, self.logs):
            folder.mkdir(parents=True, exist_ok=True)


def command(folders, target, seconds):
    (folders.corpus / target).mkdir(exist_ok=True)
    return [str(folders.build / "fuzz" / f"{target}_fuzz"), f"-max_total_time={seconds}", f"-timeout={TIMEOUT_S}",
            f"-rss_limit_mb={MEMORY_MIB}", "-print_final_stats=1", f"-artifact_prefix={folders.found / target}-",
            str(folders.corpus / target), str(folders.seeds / target), str(SOURCE / "fuzz/corpus" / target)]


def fuzz(folders, target, seconds):
    """Runs one target until its time is over: after a finding libFuzzer ends, and is started again."""
    write_seeds(target, folders.seeds / target)
    before = kept(folders.found, target)
    result = Result(target)
    begin = time.monotonic()
    text = ""
    while (left := int(seconds - (time.monotonic() - begin))) > 0:
        done = subprocess.run(command(folders, target, left), capture_output=True, text=True, errors="replace", check=False)
        text += done.stdout + done.stderr
        result.executions += executions(done.stderr)
        result.findings = tuple(sorted(kept(folders.found, target) - before))
        if done.returncode == 0 or len(result.findings) >= MOST_FINDINGS:
            break
        if not result.findings:
            result.broken = f"exit {done.returncode}, nothing kept"
            break
    result.seconds = time.monotonic() - begin
    result.corpus = sum(1 for _ in (folders.corpus / target).iterdir())
    (folders.logs / f"{target}.txt").write_text(text, encoding="utf-8")
    return result


def table(results):
    lines = [f"{'target':14} {'seconds':>8} {'executions':>12} {'a second':>9} {'corpus':>7}  findings"]
    for one in results:
        found = one.broken or (str(len(one.findings)) if one.findings else "none")
        lines.append(f"{one.target:14} {one.seconds:8.0f} {one.executions:12,} {one.executions / max(one.seconds, 1):9,.0f} "
                     f"{one.corpus:7}  {found}")
    total = sum(one.executions for one in results)
    count = sum(len(one.findings) for one in results)
    lines.append(f"{'total':14} {sum(one.seconds for one in results):8.0f} {total:12,} {'':9} {'':7}  {count or 'none'}")
    return "\n".join(lines)


def targets_in(build):
    return sorted(path.name.removesuffix("_fuzz") for path in (build / "fuzz").glob("*_fuzz") if path.is_file())


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__.split("\n\n")[1])
    folders = Folders(arguments[0])
    known = targets_in(folders.build)
    targets = arguments[2:] or known
    unknown = sorted(set(targets) - set(known))
    if unknown or not targets:
        sys.exit(f"run_fuzz: no target {', '.join(unknown)}; there are: {' '.join(known)}")
    at_once = min(len(os.sched_getaffinity(0)), len(targets))
    seconds = max(float(arguments[1]) * 60 * at_once / len(targets), 2)
    print(f"{len(targets)} targets, {at_once} at a time, {seconds:.0f} s each", file=sys.stderr)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(lambda target: fuzz(folders, target, seconds), targets))
    print(table(results))
    for one in results:
        for path in one.findings:
            print(f"{one.target}: {path}\n  again: {folders.build}/fuzz/{one.target}_fuzz {path}")
        if one.broken:
            print(f"{one.target}: {one.broken}; see {folders.logs / one.target}.txt")
    return 1 if any(one.findings or one.broken for one in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
