#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks stay above their floors: ours against this machine's own limit, measured in the same run."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".build-release" / "release" / "tributary"
FLOORS = {"fold": 0.5, "bus": 0.6}


def main():
    failed = False
    for name, floor in FLOORS.items():
        command = [BINARY, "bench", name, "--format", "json"]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            print(f"error: bench {name}: exit status {done.returncode}: {done.stderr.decode()[-2000:]}")
            failed = True
            continue
        data = json.loads(done.stdout)["data"]
        print(f"bench {name}: {data['value']:.3g} {data['unit']}, limit {data['limit']:.3g}, ratio {data['ratio']:.2f}")
        if data["ratio"] < floor:
            print(f"error: bench {name}: ratio {data['ratio']:.2f} is below {floor}")
            failed = True
    print(f"gate: {len(FLOORS)} benchmarks")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
