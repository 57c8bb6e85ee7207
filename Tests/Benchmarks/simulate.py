#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Client-rounds per second of `tributary bench simulate` against the bare NumPy loop, in turn.

    Tests/Benchmarks/simulate.py [--pairs N] [BINARY]

Each pair runs our benchmark and the loop of simulate_numpy.py (the better of one and two BLAS threads) right after each
other, so that a machine whose speed drifts is the same for both. Prints the median ratio and its spread for each case;
the exit status is 1 when a median is below its floor.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".build-release" / "release" / "tributary"
# Our detail's name, the loop's case, and how many times faster we promise to be.
CASES = [
    ("64-32-10, 100 clients", "mlp-64-32-10/100", 8.0),
    ("64-32-10, 1000 clients", "mlp-64-32-10/1000", 8.0),
    ("784-128-10, 100 clients", "mlp-784-128-10/20", 2.5),
]


def ours(binary):
    command = [str(binary), "bench", "simulate", "--repetitions", "3", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    details = json.loads(done.stdout)["data"]["details"]
    return {name: float(re.match(r"\d+", details[name]).group()) for name, _, _ in CASES}


def numpy_loop():
    script = Path(__file__).with_name("simulate_numpy.py")
    done = subprocess.run([sys.executable, str(script)], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", type=Path, default=BINARY)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    pairs = [(ours(arguments.binary), numpy_loop()) for _ in range(arguments.pairs)]
    failed = False
    for name, case, floor in CASES:
        ratios = [mine[name] / loop[case] for mine, loop in pairs]
        median = statistics.median(ratios)
        rate = statistics.median(mine[name] for mine, _ in pairs)
        loop = statistics.median(loop[case] for _, loop in pairs)
        print(
            f"{name}: {rate:.0f} client-rounds/s, NumPy {loop:.0f}, ratio {median:.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}), floor {floor}"
        )
        if median < floor:
            print(f"error: {name}: ratio {median:.2f} is below {floor}")
            failed = True
    print(f"gate: {len(CASES)} comparisons")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
