#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The demo keeps its word for three seeds: accuracy, time, memory, and no process left.

Resident memory is summed over the processes, sampled four times a second; pages that they share count in each.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".build-release" / "release" / "tributary"
SEEDS = (7, 8, 9)
ACCURACY_MIN = 0.84
SECONDS_MAX = 180
RESIDENT_BYTES_MAX = 2 * 1000**3
PROCESS_COUNT = 23


def descendants(pid):
    """The ids of a process and of all that came from it."""
    found, parents = [pid], {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    for parent in found:
        found += parents.get(parent, [])
    return found


def resident_bytes(pids):
    total = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            continue
    return total


def run(seed, folder):
    """One demo; returns what it said, its seconds, its peak memory, and how many processes took part."""
    command = [BINARY, "up", "Topologies/factory.yaml", "--seed", str(seed), "--format", "json"]
    begin, peak, most = time.monotonic(), 0, 0
    with open(Path(folder) / f"{seed}.json", "w+b") as output, open(Path(folder) / f"{seed}.log", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=log)
        while process.poll() is None:
            pids = descendants(process.pid)
            # The launcher itself holds no part of the tree.
            most = max(most, len(pids) - 1)
            peak = max(peak, resident_bytes(pids))
            if time.monotonic() - begin > 3 * SECONDS_MAX:
                process.terminate()
            time.sleep(0.25)
        output.seek(0)
        text = output.read().decode()
    if process.returncode != 0:
        sys.stderr.write((Path(folder) / f"{seed}.log").read_text(errors="replace")[-4000:])
        raise SystemExit(f"error: seed {seed}: exit status {process.returncode}: {text[:2000]}")
    return json.loads(text), time.monotonic() - begin, peak, most


def main():
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            answer, seconds, peak, most = run(seed, folder)
            accuracy = answer["data"]["final"]["accuracy"]
            print(
                f"seed {seed}: accuracy {accuracy:.4f}, {seconds:.0f} s, {peak / 1e6:.0f} MB in {most} processes",
                flush=True,
            )
            wrong = [
                (accuracy < ACCURACY_MIN, f"accuracy {accuracy} is below {ACCURACY_MIN}"),
                (seconds > SECONDS_MAX, f"{seconds:.0f} s are more than {SECONDS_MAX}"),
                (peak > RESIDENT_BYTES_MAX, f"{peak} resident bytes are more than {RESIDENT_BYTES_MAX}"),
                (most < PROCESS_COUNT, f"{most} processes took part, not {PROCESS_COUNT}"),
            ]
            for is_wrong, why in wrong:
                if is_wrong:
                    failed = True
                    print(f"error: seed {seed}: {why}", flush=True)
    print(f"gate: {len(SEEDS)} seeds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
