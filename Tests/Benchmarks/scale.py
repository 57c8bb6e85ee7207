#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""What `tributary simulate` takes from 10^3 to 10^8 devices: a Markdown table of speed and memory.

    Tests/Benchmarks/scale.py [--repeats N] [BINARY]

Three fleets at each size, below 100 edges: one whose devices train a 64-32-10 MLP (2,410 parameters) on 64 rows of
their own, 1,000 of them a round; two that do not train (`train: none`), with 10,000 parameters and up to 10,000 or
1,000 devices a round.
Medians of N runs with the least and the greatest; the seed is 1.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".build-release" / "release" / "tributary"
SIZES = [10**power for power in range(3, 9)]
EDGES = 100
FLEETS = {
    "trains": {
        "model": "{ kind: mlp, hidden: [32] }",
        "data": "{ kind: synthetic, examples: 1000, features: 64, classes: 10, hold-out: 0, shard: { examples: 64 } }",
        "train": "{ local-epochs: 1, batch: 16, optimizer: { kind: sgd, learning-rate: 0.05 } }",
        "cohort": 1_000,
        "rounds": 30,
    },
    "train: none": {
        "model": "{ kind: linear }",
        "data": "{ kind: synthetic, examples: 1, features: 999, classes: 10, hold-out: 0, shard: { examples: 1 } }",
        "train": "none",
        "cohort": 10_000,
        "rounds": 10,
    },
}
FLEETS["train: none, 1,000 a round"] = {**FLEETS["train: none"], "cohort": 1_000, "rounds": 30}


def topology(size, fleet):
    return f"""tributary: v1
federation: scale
seed: 1
model: {fleet["model"]}
data: {fleet["data"]}
rounds: {fleet["rounds"]}
evaluation: {{ every: 1000000 }}
tiers:
  - {{ name: cloud, deadline: 600s }}
  - {{ name: edge, count: {EDGES} }}
  - name: device
    per-parent: {size // EDGES}
    cohort: {{ count: {min(size, fleet["cohort"])} }}
    train: {fleet["train"]}
"""


def run(binary, size, fleet):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "scale.yaml"
        path.write_text(topology(size, fleet))
        command = [binary, "simulate", path, "--runs", directory, "--format", "json"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return json.loads(done.stdout)["data"]


def spread(values, digits=0):
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", type=Path, default=BINARY)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print("| fleet | devices | a round | client-rounds/s of rounds | rounds/min | first round, s | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for name, fleet in FLEETS.items():
        for size in SIZES:
            runs = [run(arguments.binary, size, fleet) for _ in range(arguments.repeats)]
            reported = runs[0]["rounds"][-1]["reported"]
            # The first round brings up caches and memory; it has a column of its own.
            seconds = [statistics.median(row["wall_seconds"] for row in one["rounds"][1:]) for one in runs]
            rates = spread([reported / value for value in seconds])
            minutes = spread([60 / value for value in seconds])
            first = spread([one["rounds"][0]["wall_seconds"] for one in runs], 2)
            peak = spread([one["peak_rss_bytes"] / 1e6 for one in runs])
            print(f"| {name} | {size:,} | {reported:,} | {rates} | {minutes} | {first} | {peak} |", flush=True)


if __name__ == "__main__":
    main()
