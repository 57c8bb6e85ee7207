#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the layers of the gate and prints what each counted and how long it took.

    Tests/Gate/gate.py LAYER...

Every layer runs in a session of its own, has a deadline, and must leave no process behind: what is left is named,
killed and counted as a failure. All layers run even when one fails, except those that need a build that failed.
Complete output is kept in .build/gate/LAYER.log; the terminal sees failures, skipped tests and a line now and then.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from report import Tally, summary_table

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".build" / "gate"
PYTHON = ROOT / ".build" / "venv" / "bin" / "python"
BINARY = ROOT / ".build" / "debug" / "tributary"
RELEASE_BINARY = ROOT / ".build-release" / "release" / "tributary"
# The C kernels are optimised in debug builds too, else the tests would spend their time in plain loops. The same
# flags everywhere, else everything is compiled again.
SWIFT_SOURCES = ["Sources", "Tests", "Package.swift"]
SWIFT = os.environ.get("SWIFT_FLAGS", "-Xcc -O2 --explicit-target-dependency-import-check error").split()
MINUTE = 60
HEARTBEAT_SECONDS = 60
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Layer:
    """One step of the gate: a command, its deadline, and the layer whose success it needs."""

    name: str
    command: list
    deadline: float
    needs: str = None
    environment: dict = field(default_factory=dict)


def swift_test(*arguments):
    return ["swift", "test", "--skip-build", "--disable-xctest", *SWIFT, *arguments]


def layers():
    """Every layer by its name, cheapest first."""
    system_python = sys.executable
    integration = ["--filter", "TributaryIntegrationTests"]
    crash_points = [system_python, "Tests/Verify/crash_points.py", "--binary", str(RELEASE_BINARY)]
    pure = ["--skip", "TributaryIntegrationTests", "--skip", "TributaryBusTests"]
    found = [
        Layer("format", ["swift", "format", "lint", "--strict", "--recursive", *SWIFT_SOURCES], 2 * MINUTE),
        Layer("tidy", [system_python, "Tests/Tidy/tidy.py"], 60),
        Layer("tidy-rules", [system_python, "Tests/Tidy/test_tidy.py", "-v"], 60),
        Layer("gate-rules", [system_python, "Tests/Gate/test_gate.py", "-v"], 60),
        Layer("proto-check", ["Proto/check.sh"], 60),
        Layer("build", ["swift", "build", "--build-tests", *SWIFT], 14 * MINUTE),
        Layer("documents", [system_python, "Tests/Gate/documents.py"], 60, "build"),
        Layer("unit", swift_test(*pure), 10 * MINUTE, "build"),
        # One after another: many at a time on two cores would measure the scheduler.
        Layer("bus", swift_test("--no-parallel", "--filter", "TributaryBusTests"), 5 * MINUTE, "build"),
        Layer("integration", swift_test("--no-parallel", *integration), 9 * MINUTE, "build"),
        # Some of the points at which a node can die; `make verify` tries all of them.
        Layer("crash-sample", [system_python, "Tests/Verify/crash_points.py", "--sample", "8"], 6 * MINUTE, "build"),
        Layer("crash-points", [*crash_points, "--jobs", "4"], 30 * MINUTE),
        Layer("unit-files", ["Tests/Verify/systemd.sh"], 60),
        Layer("demo", [system_python, "Tests/Verify/demo.py"], 20 * MINUTE),
        Layer("slurm", ["Tests/Verify/slurm.sh"], 15 * MINUTE, "build"),
        Layer("bench", [system_python, "Tests/Verify/bench.py"], 15 * MINUTE),
    ]
    return {layer.name: layer for layer in found}


def children():
    """The ids of this process's living children."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in text.split()]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def reap():
    """Collects ended orphans; this process adopts what its layers leave behind."""
    for pid in children():
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass


def end_leftovers(patience=3.0):
    """Waits a moment for what a layer left to end by itself, then kills the rest; returns their command lines."""
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        reap()
        if not children():
            return []
        time.sleep(0.05)
    left = []
    while children():
        for pid in children():
            left.append(f"{pid} {command_line(pid)}")
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return left


def terminate(process):
    """Ends a layer's whole session: politely, then for good."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue


def run(layer):
    """Runs one layer and returns its tally."""
    tally = Tally(layer.name)
    log_path = LOGS / f"{layer.name}.log"
    environment = {
        **os.environ,
        "TRIBUTARY_BINARY": str(BINARY),
        "TRIBUTARY_PYTHON": str(PYTHON),
        **layer.environment,
    }
    print(f"\n== {layer.name}: {' '.join(layer.command)}", flush=True)
    begin = time.monotonic()
    with open(log_path, "wb") as log:
        try:
            process = subprocess.Popen(
                layer.command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            tally.fail(f"cannot run {layer.command[0]}: {error.strerror}")
            return tally
        try:
            follow(layer, process, log_path, tally, begin)
        except BaseException:
            terminate(process)
            end_leftovers(0)
            raise
    for left in end_leftovers():
        tally.fail(f"left running, and killed: {left}")
    tally.seconds = time.monotonic() - begin
    if tally.failures:
        print(f"   complete output: {log_path.relative_to(ROOT)}", flush=True)
    return tally


def follow(layer, process, log_path, tally, begin):
    """Shows what matters of a layer's output while it runs, until it ends or its deadline passes."""
    beat = begin + HEARTBEAT_SECONDS
    with open(log_path, encoding="utf-8", errors="replace") as output:
        rest = ""
        while True:
            ended = process.poll() is not None
            rest = read_lines(output, rest, tally)
            now = time.monotonic()
            if ended:
                if rest:
                    tally.line(rest)
                break
            if now - begin > layer.deadline:
                terminate(process)
                tally.fail(f"not done after {layer.deadline / MINUTE:.0f} minutes; ended")
                return
            if now > beat:
                beat = now + HEARTBEAT_SECONDS
                print(f"   {layer.name}: {(now - begin) / MINUTE:.0f} min, {tally.progress()}", flush=True)
            time.sleep(0.1)
    tally.ended(process.returncode)
    if process.returncode != 0 and not tally.shown:
        for line in Path(log_path).read_text(errors="replace").splitlines()[-60:]:
            print("   " + line)


def read_lines(output, rest, tally):
    """Feeds complete new lines to the tally and returns the incomplete one."""
    *lines, rest = (rest + output.read()).split("\n")
    for line in lines:
        tally.line(line)
    return rest


def main(names):
    known = layers()
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        print(f"gate: unknown layers {unknown}; known: {' '.join(known)}", file=sys.stderr)
        return 64
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    LOGS.mkdir(parents=True, exist_ok=True)
    tallies = []
    for name in names:
        layer = known[name]
        needed = next((tally for tally in tallies if tally.name == layer.needs), None)
        if needed and needed.failures:
            tally = Tally(name)
            tally.fail(f"not run, because {needed.name} failed")
        else:
            tally = run(layer)
        tallies.append(tally)
    print(summary_table(tallies), flush=True)
    return 1 if any(tally.failures for tally in tallies) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
