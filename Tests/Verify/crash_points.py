#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Kills a node of a run at every point of its life, one run a point: the same rounds complete, to the last bit.

    Tests/Verify/crash_points.py [--sample COUNT] [--binary PATH] [--jobs COUNT] [--keep FOLDER]

A point is a write, a wait for the disk, a rename or a commit of journal, object store or checkpoint, or a message that
the node sends or hears. The node dies there by SIGKILL, `up` starts it again, and the run must end well: every round
with all of its devices, and the model of the undisturbed run. Without --sample every point is tried.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS_MAX = 90

PASS_THROUGH = """\
tributary: v1
federation: points
seed: 4
model: {kind: mlp, hidden: [6]}
data: {kind: synthetic, examples: 80, features: 6, classes: 3}
rounds: 2
tiers:
  - name: cloud
    quorum: 1.0
    deadline: 60s
    optimizer: {kind: fedadam, learning-rate: 0.05}
  - name: region
    nodes: [east]
    quorum: 1.0
  - name: device
    per-parent: 3
    train: {local-epochs: 1, batch: 16}
"""
STEPPING = PASS_THROUGH.replace("    nodes: [east]\n", "    nodes: [east]\n    edge-rounds: 2\n")
TOPOLOGIES = {"pass-through": PASS_THROUGH, "stepping": STEPPING}
NODES = ("cloud", "east")


class Failure(Exception):
    """A run that did not end as it must."""


def up(binary, topology, folder, point=None):
    """One run; returns its data, what it said, and its directory."""
    environment = {name: value for name, value in os.environ.items() if name != "TRIBUTARY_FAIL_POINT"}
    if point is not None:
        environment["TRIBUTARY_FAIL_POINT"] = point
    command = [binary, "up", topology, "--runs", folder, "--format", "json"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=RUN_SECONDS_MAX, check=False, text=True
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"not done after {RUN_SECONDS_MAX} s: {(error.stderr or b'')[-600:]}") from error
    if done.returncode != 0:
        raise Failure(f"exit {done.returncode}: {(done.stdout + done.stderr)[-800:]}")
    data = json.loads(done.stdout)["data"]
    return data, done.stderr, Path(data["directory"])


def outcome(data):
    """What must not differ: each round's devices and model."""
    return [(row["round"], row["reported"], row["model_sha256"], row.get("failure")) for row in data["rounds"]]


def point_count(binary, topology, folder, node):
    """How many points a node passes in an undisturbed run."""
    _, _, directory = up(binary, topology, folder, f"0:count:{node}")
    found = re.findall(r"fail_points .*?count=(\d+)", (directory / "logs" / f"{node}.log").read_text())
    if not found:
        raise Failure(f"'{node}' did not say how many points it passed")
    return int(found[-1])


def chosen(count, sample):
    """Every point, or so many of them spread over all."""
    if sample is None or sample >= count:
        return list(range(1, count + 1))
    return sorted({1 + index * (count - 1) // (sample - 1) for index in range(sample)})


def try_point(binary, topology, folder, point, expected):
    """Returns what went wrong at a point, or None, and whether the node died."""
    place = Path(folder) / point.replace(":", "-")
    try:
        data, said, _ = up(binary, topology, place, point)
    except Failure as failure:
        return str(failure), True, place
    died = "runs again" in said
    problem = None if outcome(data) == expected else f"{outcome(data)} where {expected} is right"
    if problem is None:
        shutil.rmtree(place, ignore_errors=True)
    return problem, died, place


def check(binary, name, text, folder, arguments):
    """Tries the points of both nodes of a topology; returns how many, and what went wrong."""
    topology = Path(folder) / f"{name}.yaml"
    topology.write_text(text)
    runs = Path(folder) / name
    data, _, _ = up(binary, topology, runs)
    expected = outcome(data)
    tried, problems = 0, []
    for node in NODES:
        count = point_count(binary, topology, runs, node)
        points = [f"{point}:kill:{node}" for point in chosen(count, arguments.sample)]
        begin = time.monotonic()
        with ThreadPoolExecutor(arguments.jobs) as pool:
            results = list(pool.map(lambda point: try_point(binary, topology, runs, point, expected), points))
        deaths = sum(died for _, died, _ in results)
        wrong = [(point, result) for point, result in zip(points, results) if result[0]]
        tried += len(points)
        for point, (problem, _, place) in wrong:
            problems.append(f"{name}: TRIBUTARY_FAIL_POINT={point}: {problem} ({place})")
        print(
            f"crash points of {name} {node}: {len(points)} of {count} tried, {deaths} deaths, {len(wrong)} wrong, "
            f"{time.monotonic() - begin:.0f} s",
            flush=True,
        )
        # Two runs pass not quite the same number of messages: the last points may not be reached.
        if deaths < len(points) * 0.7:
            problems.append(f"{name}: only {deaths} of {len(points)} points of '{node}' were reached")
    return tried, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int)
    parser.add_argument("--binary", default=os.environ.get("TRIBUTARY_BINARY", ".build-release/release/tributary"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    binary = str((ROOT / arguments.binary).resolve())
    folder = arguments.keep or tempfile.mkdtemp(prefix="tributary-points-")
    Path(folder).mkdir(parents=True, exist_ok=True)
    tried, problems = 0, []
    for name, text in TOPOLOGIES.items():
        count, wrong = check(binary, name, text, folder, arguments)
        tried += count
        problems += wrong
    print(f"gate: {tried} points")
    for problem in problems:
        print(f"error: {problem}")
    if not problems and not arguments.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
