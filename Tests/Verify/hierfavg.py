#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""HierFAVG's experiment: twenty topologies, three seeds; the tables and pictures of Documentation/hierfavg.md.

Liu, Zhang, Song, Letaief: "Client-Edge-Cloud Hierarchical Federated Learning", 2020, arXiv 1905.06641. The runs stay in
.build/hierfavg; the same seed gives the same numbers on every machine, apart from the wall time.
"""

import concurrent.futures
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import hierfavg_plot

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".build-release" / "release" / "tributary"
FOLDER = ROOT / "Topologies" / "papers" / "hierfavg"
RUNS = ROOT / ".build" / "hierfavg"
DOCUMENT = ROOT / "Documentation" / "hierfavg.md"
MARKS = ("<!-- measured: begin -->", "<!-- measured: end -->")
SEEDS = (1, 2, 3)
SPREADS = {"edge-iid": "edge-IID", "edge-niid": "edge-non-IID"}
# Which files, what they share, the target that they name, and the picture.
GROUPS = {
    "": ("two classes on a device", 0.80, "hierfavg.svg"),
    "one-class-": ("one class on a device", 0.70, "hierfavg-one-class.svg"),
}
SETTINGS = ("flat", "60-1", "30-2", "15-4", "6-10")
DEVICES = 50

# The cost model, by the paper's formulas with this model's size.
STEP_SECONDS = 48 * 784 * 32 * 20 / 1e9
STEP_JOULES = 2e-28 / 2 * (STEP_SECONDS * 1e9) * 1e9**2
UPLOAD_SECONDS = 21_475 * 32 / 5.672e6
UPLOAD_JOULES = 0.5 * UPLOAD_SECONDS


def label(setting):
    return "flat" if setting == "flat" else "(" + setting.replace("-", ", ") + ")"


def expected(setting):
    """Seconds and joules of a device in a round of the cloud, by the formulas."""
    uploads, way = (1, 0) if setting == "flat" else (int(setting.split("-")[1]),) * 2
    seconds = 60 * STEP_SECONDS + way * UPLOAD_SECONDS + 10 * UPLOAD_SECONDS
    return seconds, 60 * STEP_JOULES + uploads * UPLOAD_JOULES


def check_files():
    """The committed topologies are those that make.py writes."""
    specification = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
    make = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(make)
    texts = make.texts()
    if {path.stem for path in FOLDER.glob("*.yaml")} != set(texts):
        raise SystemExit(f"error: {FOLDER} holds other files than make.py writes")
    for name, text in texts.items():
        if (FOLDER / f"{name}.yaml").read_text() != text:
            raise SystemExit(f"error: {name}.yaml differs; run {FOLDER / 'make.py'}")


def simulate(group, spread, setting, seed):
    """One run up to the target: its rounds as (virtual end, accuracy, joules of a device since the start)."""
    name = f"{group}{spread}-{setting}"
    command = [BINARY, "simulate", FOLDER / f"{name}.yaml", "--seed", str(seed), "--threads", "1"]
    command += ["--runs", RUNS / f"{name}-{seed}", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stderr[-4000:])
        raise SystemExit(f"error: {name}, seed {seed}: exit status {done.returncode}: {done.stdout[:2000]}")
    data = json.loads(done.stdout)["data"]
    joules, points = 0.0, []
    for row in data["rounds"]:
        spent = row["energy_joules"]["device"]
        joules += (spent["compute"] + spent["radio"]) / DEVICES
        points.append((row["virtual_end"], row["accuracy"], joules))
    reached = points[-1][1] >= GROUPS[group][1]
    print(
        f"{name}, seed {seed}: {len(points)} rounds, {points[-1][0]:.1f} s, {joules:.2f} J a device, "
        f"accuracy {points[-1][1]:.4f}{'' if reached else ', target NOT reached'}, {data['wall_seconds']:.0f} s here",
        flush=True,
    )
    return points if reached else None


def spread_text(values, digits):
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def cells(runs, flat):
    """A row's cells; a dash where a seed did not reach the target. Seeds are compared each with its own flat run."""
    if None in runs:
        return f"not reached for {runs.count(None)} of {len(runs)} seeds | - | - | -"
    shares = [run[-1][0] / other[-1][0] for run, other in zip(runs, flat) if other]
    columns = [[len(run) for run in runs], [run[-1][0] for run in runs], shares, [run[-1][2] for run in runs]]
    return " | ".join(
        spread_text(values, digits) if len(values) == len(runs) else "-"
        for values, digits in zip(columns, (0, 1, 2, 2))
    )


def verdicts(spread, results):
    """What is to be seen of the paper's findings, with the number of seeds that show it."""
    runs = [results[spread, setting] for setting in SETTINGS]
    if any(None in own for own in runs):
        return [f"{SPREADS[spread]}: **no verdict**, some runs did not reach the target."]
    edges = runs[1:]
    lines = []
    for index, noun in ((0, "time"), (2, "energy")):
        means = [statistics.mean(run[-1][index] for run in own) for own in edges]
        seeds = [[own[seed][-1][index] for own in edges] for seed in range(len(SEEDS))]
        if index == 0:
            falls = all(late < early for early, late in zip(means, means[1:]))
            count = sum(all(late < early for early, late in zip(one, one[1:])) for one in seeds)
            words = f"time to the target falls as kappa2 grows: **{'yes' if falls else 'no'}** for the means"
        else:
            best = means.index(min(means))
            count = sum(one.index(min(one)) in (1, 2) for one in seeds)
            words = (
                f"energy has an interior minimum: **{'yes' if best in (1, 2) else 'no'}** for the means, the least is "
                f"at {label(SETTINGS[1 + best])}"
            )
        lines.append(f"{SPREADS[spread]}, {words}, and for {count} of {len(SEEDS)} seeds.")
    flat = statistics.mean(run[-1][0] for run in runs[0])
    fastest = min(SETTINGS[1:], key=lambda one: statistics.mean(run[-1][0] for run in results[spread, one]))
    ratio = flat / statistics.mean(run[-1][0] for run in results[spread, fastest])
    lines.append(f"{SPREADS[spread]}, flat takes {ratio:.1f} times as long as {label(fastest)}.")
    return lines


def costs(results):
    """What a round costs by the formulas, and what it cost in the first round of the first seed."""
    lines = ["| kappa1, kappa2 | seconds | simulated | joules a device | simulated |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        own = next(run for spread in SPREADS for run in results[spread, setting] if run)
        wanted = expected(setting)
        lines.append(f"| {label(setting)} | {wanted[0]:.3f} | {own[0][0]:.3f} | {wanted[1]:.4f} | {own[0][2]:.4f} |")
    return lines


def table(group, results):
    words, target, picture = GROUPS[group]
    seeds = ", ".join(map(str, SEEDS))
    lines = [f"### With {words}", ""]
    lines += [f"To an accuracy of {target:.2f}, mean ± standard deviation over the seeds {seeds}:", ""]
    lines.append("| data | kappa1, kappa2 | rounds | virtual seconds | of flat's, same seed | joules a device |")
    lines.append("|---|---|---|---|---|---|")
    for spread, name in SPREADS.items():
        flat = results[spread, "flat"]
        lines += [f"| {name} | {label(setting)} | {cells(results[spread, setting], flat)} |" for setting in SETTINGS]
    lines.append("")
    lines += [f"- {line}" for spread in SPREADS for line in verdicts(spread, results)]
    return lines + ["", f"![Accuracy over virtual time, time and energy to the target, with {words}]({picture})", ""]


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.split(":", 1)[1].split())
    return platform.machine()


def write_document(text):
    document = DOCUMENT.read_text()
    head, tail = document.split(MARKS[0])[0], document.split(MARKS[1])[1]
    DOCUMENT.write_text(f"{head}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{tail}")


def compare(group):
    """One page with a group's ten runs of the first seed."""
    names = [f"{group}{spread}-{setting}-{SEEDS[0]}" for spread in SPREADS for setting in SETTINGS]
    page = RUNS / f"{group}compare.html"
    runs = [next((RUNS / name).iterdir()) for name in names]
    subprocess.run([BINARY, "compare", *runs, "-o", page], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return page


def main():
    check_files()
    shutil.rmtree(RUNS, ignore_errors=True)
    # The longest first, so that no core waits at the end.
    jobs = [
        (group, spread, setting, seed)
        for setting in SETTINGS
        for group in GROUPS
        for spread in SPREADS
        for seed in SEEDS
    ]
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = dict(zip(jobs, pool.map(lambda job: simulate(*job), jobs)))
    minutes = (time.monotonic() - begin) / 60
    lines, labels, written = [], {setting: label(setting) for setting in SETTINGS}, [DOCUMENT]
    for group, (words, target, picture) in GROUPS.items():
        results = {
            (spread, setting): [runs[group, spread, setting, seed] for seed in SEEDS]
            for spread in SPREADS
            for setting in SETTINGS
        }
        if not lines:
            lines += ["### What a round costs", "", *costs(results), ""]
        lines += table(group, results)
        path = DOCUMENT.parent / picture
        path.write_text(hierfavg_plot.picture(results, SPREADS, labels, target, words))
        written += [path, compare(group)]
    lines.append(f"All {len(jobs)} runs took {minutes:.0f} minutes on {os.cpu_count()} cores ({cpu()}).")
    text = "\n".join(lines)
    write_document(text)
    print(text, "\nwritten:", *written)
    print(f"gate: {len(jobs)} runs")


if __name__ == "__main__":
    main()
