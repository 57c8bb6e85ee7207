#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Shows that the gate sees failures, skipped tests, leftovers and layers that never end."""

import contextlib
import ctypes
import io
import os
import tempfile
import unittest
from pathlib import Path

import gate
from report import Tally, summary_table

SWIFT_TESTING = """\
◇ Test run started.
◇ Suite "Laws" started.
◇ Test order() started.
✔ Test order() passed after 0.003 seconds.
✔ Test "grouping into any tree" passed after 2.500 seconds.
✔ Test "values" with 3 test cases passed after 0.500 seconds.
◇ Test "what was skipped" started.
✔ Test "what was skipped is counted" passed after 0.001 seconds.
↳ Target Platform: x86_64-unknown-linux-gnu
➜ Test bigObject() skipped: "set TRIBUTARY_VERIFY=1"
"""


class ReportTests(unittest.TestCase):
    def tally(self, text, status=0, name="unit"):
        tally = Tally(name)
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            for line in text.splitlines():
                tally.line(line)
            tally.ended(status)
        tally.text = shown.getvalue()
        return tally

    def test_counts_and_skips(self):
        tally = self.tally(SWIFT_TESTING + "✔ Test run with 4 tests in 1 suite passed after 2.9 seconds.\n")
        self.assertEqual((tally.count, tally.failures, len(tally.skipped)), (4, [], 1))
        self.assertIn("grouping into any tree", tally.text)
        self.assertNotIn("Platform", tally.text)
        self.assertIn("skipped: bigObject()", tally.text)

    def test_failures_are_shown(self):
        tally = self.tally(
            SWIFT_TESTING
            + "✘ Test sum() recorded an issue at LawTests.swift:7:3: Expectation failed: a == b\n"
            + "↳ one more or one less\n"
            + "✘ Test sum() failed after 0.1 seconds with 1 issue.\n"
            + "✘ Test run with 5 tests in 1 suite failed after 2.9 seconds with 1 issue.\n",
            1,
        )
        self.assertEqual(tally.failures, ["sum()", "exit status 1"])
        self.assertIn("LawTests.swift:7:3", tally.text)
        self.assertIn("one more or one less", tally.text)

    def test_no_test_and_signals_are_failures(self):
        self.assertEqual(self.tally("").failures, ["ran no test"])
        self.assertEqual(self.tally(SWIFT_TESTING, -11).failures, ["ended by signal 11"])

    def test_known_issues_are_not_a_way_out(self):
        tally = self.tally("✔ Test x() passed after 0.1 seconds with 1 known issue.\n", 0, "proto-check")
        self.assertEqual(len(tally.failures), 1)

    def test_unittest_output(self):
        text = "test_a (x) ... skipped 'no room'\nFAIL: test_b (x)\nRan 7 tests in 0.1s\n"
        tally = self.tally(text, 1, "tidy-rules")
        self.assertEqual((tally.count, len(tally.skipped), tally.failures), (7, 1, ["test_b (x)", "exit status 1"]))

    def test_table(self):
        tally = self.tally(SWIFT_TESTING + "✔ Test run with 4 tests in 1 suite passed after 2.9 seconds.\n")
        tally.seconds = 90
        table = summary_table([tally])
        self.assertIn("1.5", table)
        self.assertIn('unit: skipped: bigObject() "set TRIBUTARY_VERIFY=1"', table)


class LayerTests(unittest.TestCase):
    def setUp(self):
        ctypes.CDLL(None).prctl(gate.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.folder = tempfile.TemporaryDirectory(dir=gate.ROOT / ".build" if (gate.ROOT / ".build").exists() else None)
        self.logs, gate.LOGS = gate.LOGS, Path(self.folder.name)
        self.root, gate.ROOT = gate.ROOT, Path(self.folder.name)

    def tearDown(self):
        gate.LOGS, gate.ROOT = self.logs, self.root
        self.folder.cleanup()

    def run_layer(self, script, deadline=20):
        with contextlib.redirect_stdout(io.StringIO()):
            return gate.run(gate.Layer("sample", ["bash", "-c", script], deadline))

    def test_success(self):
        self.assertEqual(self.run_layer("echo 'tidy: 3 files, 0 findings'").failures, [])

    def test_exit_status(self):
        self.assertEqual(self.run_layer("exit 3").failures, ["exit status 3"])

    def test_standard_input_is_empty(self):
        self.assertEqual(self.run_layer("! read -r line").failures, [])

    def test_leftover_process(self):
        tally = self.run_layer("setsid sleep 60 >/dev/null 2>&1 & echo $! >pid")
        self.assertEqual(len(tally.failures), 1)
        self.assertIn("sleep 60", tally.failures[0])
        pid = int((Path(self.folder.name) / "pid").read_text())
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_deadline(self):
        self.assertEqual(self.run_layer("sleep 60", 0.3).failures, ["not done after 0 minutes; ended"])

    def test_missing_command(self):
        with contextlib.redirect_stdout(io.StringIO()):
            tally = gate.run(gate.Layer("sample", ["./no-such-script"], 5))
        self.assertIn("cannot run ./no-such-script", tally.failures[0])


if __name__ == "__main__":
    unittest.main()
