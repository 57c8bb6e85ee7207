# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes philox.json: blocks of NumPy's Philox4x64-10 for chosen counters and keys.

    python3 philox.py

NumPy increments the counter before it draws a block, so the counter given to it is one less.
"""

import json
import pathlib

import numpy as np

MASK = (1 << 64) - 1
CASES = [
    ([0, 0, 0, 0], [0, 0]),
    ([MASK] * 4, [MASK] * 2),
    ([0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89],
     [0x452821E638D01377, 0xBE5466CF34E90C6C]),
    ([1, 0, 0, 0], [7, 1]),
    ([0, 1, 0, 0], [7, 2]),
    ([5, 0, 3 << 32 | 1, 17], [7, 2]),
]


def words(values):
    return [str(int(value)) for value in values]


def block(counter, key):
    before = (sum(word << (64 * i) for i, word in enumerate(counter)) - 1) % (1 << 256)
    return np.random.Philox(counter=before, key=np.array(key, dtype=np.uint64)).random_raw(4)


def stream(seed, purpose, high, client, count):
    """The first words for counters (0, 0, high, client), (1, 0, high, client), ..."""
    values = [word for n in range((count + 3) // 4) for word in block([n, 0, high, client], [seed, purpose])]
    return words(values[:count])


result = {
    "blocks": [{"counter": words(c), "key": words(k), "result": words(block(c, k))} for c, k in CASES],
    # seed 7, purpose 2 (shuffle), round 3, edge round 1, client 17
    "stream": stream(7, 2, 3 << 32 | 1, 17, 10),
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
