# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes pumps.csv beside this file: made-up histories of six pumps, each with its own normal."""

import pathlib
import random

STATES = {"fine": (0.0, 0.0, 0.0), "worn": (0.6, 9.0, -0.4), "blocked": (0.1, 4.0, -1.5)}


def main() -> None:
    random.seed(20260101)
    lines = ["pump,vibration,temperature,flow,state"]
    for pump in range(6):
        base = (random.gauss(1.0, 0.1), random.gauss(55, 3), random.gauss(4, 0.3))
        for _ in range(80):
            state = random.choices(list(STATES), weights=(6 + pump, 3, 1 + pump % 3))[0]
            vibration, temperature, flow = STATES[state]
            lines.append(
                f"p{pump},{base[0] + vibration + random.gauss(0, 0.12):.3f},"
                f"{base[1] + temperature + random.gauss(0, 1.5):.2f},"
                f"{base[2] + flow + random.gauss(0, 0.15):.3f},{state}"
            )
    pathlib.Path(__file__).with_suffix(".csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
