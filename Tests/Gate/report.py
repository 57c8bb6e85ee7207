# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Counts what a layer's output says, shows what a reader needs of it, and draws the closing table."""

import re

# Swift Testing: the closing line, one test's end, a skipped test, and what went wrong.
CLOSING = re.compile(r"Test run with (\d+) tests?(?: in \d+ suites?)? (passed|failed) after")
PASSED = re.compile(r"^\S+\s+Test (?!run with|case )(.+) passed after ([\d.]+) seconds")
FAILED = re.compile(r"^\S+\s+Test (?!run with|case )(.+) failed after ([\d.]+) seconds")
SKIPPED = re.compile(r"^\S+\s+(?:Test|Suite) (?!run with)(.+?) skipped(?:: (\".*\")|\.)$")
KNOWN = re.compile(r"recorded a known issue|with \d+ known issues?")
ISSUE = re.compile(r"recorded an issue|\berror: |Fatal error|^\*\*\* |Stack dump")
DETAIL = re.compile(r"^\s*↳")
QUIET = re.compile(r"^\S+\s+(?:Suite .* (?:started\.|passed after|failed after)|Test (?:case )?.* started\.)")
# Python's unittest, and scripts that speak for themselves.
UNITTEST = re.compile(r"^Ran (\d+) tests? in ")
UNITTEST_SKIPPED = re.compile(r"^(.+) \.\.\. skipped (.*)$")
UNITTEST_FAILED = re.compile(r"^(?:FAIL|ERROR): (.+)$")
SAID = re.compile(r"^(?:gate|tidy|proto-check): (\d+) (\w+)")
SAID_SKIPPED = re.compile(r"^skipped: (.+)$")
# Figures that the longer layers measured.
MEASURED = re.compile(r"^(?:seed \d+|bench \w+): ")
FINDING = re.compile(r"^\S+:\d+(?::\d+)?: ")
COMPILED = re.compile(r"^\[(\d+)/(\d+)\]")

SHOWN_MAX = 200
SLOWEST = 5


class Tally:
    """What one layer counted."""

    def __init__(self, name):
        self.name = name
        self.count = 0
        self.unit = "tests"
        self.seconds = 0.0
        self.failures = []
        self.skipped = []
        self.slowest = []
        self.shown = 0
        self.seen = set()
        self.after_issue = False
        self.ended_tests = 0

    def fail(self, why):
        self.failures.append(why)
        self.show(f"failed: {why}")

    def show(self, text):
        """Prints a line under the layer's heading; the same line only once, and not without end."""
        if text in self.seen:
            return
        self.seen.add(text)
        self.shown += 1
        if self.shown == SHOWN_MAX + 1:
            print("   (more in the log)", flush=True)
        if self.shown <= SHOWN_MAX:
            print("   " + text, flush=True)

    def progress(self):
        return f"{self.ended_tests} tests ended" if self.ended_tests else f"{self.count} {self.unit}"

    def line(self, line):
        """Takes one line of the layer's output into account."""
        line = line.rstrip()
        compiled = COMPILED.match(line)
        if compiled:
            self.count, self.unit = int(compiled.group(1)), "steps"
            return
        after_issue, self.after_issue = self.after_issue, False
        if QUIET.match(line) or self.swift_line(line) or self.python_line(line):
            return
        if DETAIL.match(line):
            self.after_issue = after_issue
            if after_issue:
                self.show(line)
            return
        said = SAID.match(line)
        if said:
            self.count, self.unit = int(said.group(1)), said.group(2)
        elif SAID_SKIPPED.match(line):
            self.skip(SAID_SKIPPED.match(line).group(1))
        elif ISSUE.search(line):
            self.after_issue = True
            self.show(line)
        elif MEASURED.match(line) or FINDING.match(line):
            self.show(line)

    def swift_line(self, line):
        closing, passed, skipped = CLOSING.search(line), PASSED.match(line), SKIPPED.match(line)
        if closing:
            self.count, self.unit = self.count + int(closing.group(1)), "tests"
        elif KNOWN.search(line):
            self.fail(line.strip())
        elif passed:
            self.ended_tests += 1
            self.slowest = sorted([*self.slowest, (float(passed.group(2)), passed.group(1))], reverse=True)[:SLOWEST]
        elif FAILED.match(line):
            self.ended_tests += 1
            self.fail(FAILED.match(line).group(1))
        elif skipped:
            self.skip(" ".join(part for part in skipped.groups() if part))
        else:
            return False
        return True

    def python_line(self, line):
        ran, failed, skipped = UNITTEST.match(line), UNITTEST_FAILED.match(line), UNITTEST_SKIPPED.match(line)
        if ran:
            self.count, self.unit = int(ran.group(1)), "tests"
        elif failed:
            self.fail(failed.group(1))
        elif skipped:
            self.skip(f"{skipped.group(1)} {skipped.group(2)}")
        else:
            return False
        return True

    def skip(self, what):
        self.skipped.append(what)
        self.show(f"skipped: {what}")

    def ended(self, status):
        """Judges the layer's exit status against what its output said."""
        if status < 0:
            self.fail(f"ended by signal {-status}")
        elif status != 0:
            self.fail(f"exit status {status}")
        if self.name in {"unit", "bus", "integration"} and status == 0 and self.count == 0:
            self.fail("ran no test")
        if self.slowest and self.slowest[0][0] >= 1:
            parts = [f"{name} {seconds:.1f} s" for seconds, name in self.slowest if seconds >= 1]
            print("   slowest: " + ", ".join(parts), flush=True)


def summary_table(tallies):
    """The closing table: a line per layer, then the sum."""
    rows = [("layer", "count", "skipped", "minutes", "")]
    for tally in tallies:
        verdict = "failed" if tally.failures else "ok"
        counted = f"{tally.count} {tally.unit}" if tally.count else "-"
        rows.append((tally.name, counted, str(len(tally.skipped)), f"{tally.seconds / 60:.1f}", verdict))
    failed = [tally.name for tally in tallies if tally.failures]
    skipped = sum(len(tally.skipped) for tally in tallies)
    minutes = sum(tally.seconds for tally in tallies) / 60
    tests = sum(tally.count for tally in tallies if tally.unit == "tests")
    rows.append(("all", f"{tests} tests", str(skipped), f"{minutes:.1f}", "failed" if failed else "ok"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for tally in tallies:
        lines += [f"{tally.name}: failed: {why}" for why in tally.failures]
        lines += [f"{tally.name}: skipped: {what}" for what in tally.skipped]
    return "\n" + "\n".join(lines)
