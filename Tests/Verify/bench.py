#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks keep their bounds: speeds above a share of this machine's own limit, memory below what is allowed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".build-release" / "release" / "tributary"
# The smallest and the largest ratio of our figure to its limit.
BOUNDS = {
    "fold": (0.5, None),
    "bus": (0.6, None),
    "signatures": (0.7, None),
    "transfer": (0, 1),
    "memory": (0, 1),
    "simulate": (0.3, None),
}


def main():
    failed = False
    for name, (least, most) in BOUNDS.items():
        command = [BINARY, "bench", name, "--format", "json"]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            print(f"error: bench {name}: exit status {done.returncode}: {done.stderr.decode()[-2000:]}")
            failed = True
            continue
        data = json.loads(done.stdout)["data"]
        print(f"bench {name}: {data['value']:.3g} {data['unit']}, limit {data['limit']:.3g}, ratio {data['ratio']:.2f}")
        for detail, value in data["details"].items():
            print(f"  {detail}: {value}")
        if data["ratio"] < least or (most and data["ratio"] > most):
            print(f"error: bench {name}: ratio {data['ratio']:.2f} is not in {least}...{most or 'any'}")
            failed = True
    print(f"gate: {len(BOUNDS)} benchmarks")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
