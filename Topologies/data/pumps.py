# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes pumps.csv beside this file: made-up readings of six pumps, in standard deviations from normal."""

import pathlib
import random

# What each state adds to vibration, temperature and flow, in standard deviations of a sound pump's own readings.
STATES = {"fine": (0.0, 0.0, 0.0), "worn": (3.0, 2.0, -0.5), "blocked": (0.5, 1.0, -3.0)}


def main() -> None:
    random.seed(20260101)
    lines = ["pump,vibration,temperature,flow,state"]
    for pump in range(6):
        base = [random.gauss(0, 0.4) for _ in range(3)]
        for _ in range(80):
            state = random.choices(list(STATES), weights=(6 + pump, 3, 1 + pump % 3))[0]
            values = [own + shift + random.gauss(0, 1) for own, shift in zip(base, STATES[state])]
            lines.append(f"p{pump}," + ",".join(f"{value:.3f}" for value in values) + f",{state}")
    pathlib.Path(__file__).with_suffix(".csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
