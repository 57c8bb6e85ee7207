#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""How many clients a second a bare NumPy loop trains: what a simulator has to beat.

Each client starts from the same parameters, takes one local epoch of SGD over its own shuffled examples (ReLU MLP with
one hidden layer, softmax cross-entropy, float32) and leaves its delta. Nothing else happens: no protocol, no
aggregation. Each case runs in child processes with one and with two BLAS threads; the better median counts.

    Tests/Benchmarks/simulate_numpy.py [--seconds S] [--repeats N] [CASE ...]

prints one JSON object: for each case its client-rounds per second, and under "detail" the medians, least and largest
of all repeats for each number of threads.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

# Name: (clients, inputs, hidden, classes, rows of a client, batch).
CASES = {
    "mlp-64-32-10/100": (100, 64, 32, 10, 64, 16),
    "mlp-64-32-10/1000": (1000, 64, 32, 10, 64, 16),
    "mlp-784-128-10/20": (20, 784, 128, 10, 600, 32),
}
THREADS = (1, 2)
# Settings of a machine's BLAS that can slow the one inside NumPy's wheel.
CLEARED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
RATE = 0.05


class Loop:
    """One case: its clients' examples, the base parameters, and buffers used again for every client."""

    def __init__(self, numpy, case):
        self.np = numpy
        self.clients, inputs, hidden, classes, self.rows, self.batch = case
        self.random = numpy.random.default_rng(1)
        self.features = self.random.standard_normal((self.clients, self.rows, inputs), dtype=numpy.float32)
        self.labels = self.random.integers(0, classes, (self.clients, self.rows))
        count = inputs * hidden + hidden + hidden * classes + classes
        self.base = (self.random.standard_normal(count, dtype=numpy.float32) * 0.1).astype(numpy.float32)
        self.local = numpy.empty_like(self.base)
        self.delta = numpy.empty_like(self.base)
        # The layers are views of the flat vector.
        cuts = numpy.cumsum([inputs * hidden, hidden, hidden * classes])
        w1, self.b1, w2, self.b2 = numpy.split(self.local, cuts)
        self.w1, self.w2 = w1.reshape(inputs, hidden), w2.reshape(hidden, classes)
        self.d1, self.d2 = numpy.empty_like(self.w1), numpy.empty_like(self.w2)
        self.arange = numpy.arange(self.batch)

    def step(self, x, labels):
        """One step: forward, backward, update; the learning rate is in the logits' gradient, so no pass is for it."""
        np = self.np
        hidden = x @ self.w1
        hidden += self.b1
        np.maximum(hidden, 0, out=hidden)
        logits = hidden @ self.w2
        logits += self.b2
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= np.add.reduce(logits, axis=1, keepdims=True)
        count = len(labels)
        logits[self.arange[:count], labels] -= 1
        logits *= np.float32(RATE / count)
        below = logits @ self.w2.T
        below *= hidden > 0
        self.w2 -= np.matmul(hidden.T, logits, out=self.d2)
        self.b2 -= np.add.reduce(logits, axis=0)
        self.w1 -= np.matmul(x.T, below, out=self.d1)
        self.b1 -= np.add.reduce(below, axis=0)

    def client(self, index):
        """One client's round: base in, delta out."""
        np = self.np
        np.copyto(self.local, self.base)
        features, labels = self.features[index], self.labels[index]
        order = self.random.permutation(self.rows)
        for start in range(0, self.rows, self.batch):
            chosen = order[start : start + self.batch]
            self.step(features[chosen], labels[chosen])
        np.subtract(self.local, self.base, out=self.delta)

    def rates(self, seconds, repeats):
        """Client-rounds per second of each repeat, after a warm-up."""
        for index in range(min(self.clients, 20)):
            self.client(index)
        rates = []
        for _ in range(repeats):
            done, begin = 0, time.perf_counter()
            while time.perf_counter() - begin < seconds:
                for index in range(self.clients):
                    self.client(index)
                done += self.clients
            rates.append(done / (time.perf_counter() - begin))
        return rates


def child(arguments):
    """Measures one case in this process."""
    import numpy  # pylint: disable=import-outside-toplevel

    loop = Loop(numpy, CASES[arguments.child])
    print(json.dumps(loop.rates(arguments.seconds, arguments.repeats)))


def measure(name, threads, arguments):
    """One case with so many BLAS threads, in a child process: its median, least and largest rate."""
    environment = {key: value for key, value in os.environ.items() if key not in CLEARED}
    environment["OPENBLAS_NUM_THREADS"] = environment["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, __file__, "--child", name]
    command += ["--seconds", str(arguments.seconds), "--repeats", str(arguments.repeats)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    rates = json.loads(done.stdout)
    return {"median": statistics.median(rates), "least": min(rates), "largest": max(rates)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one of {', '.join(CASES)}; default: all")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long one repeat takes at least")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--child", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return child(arguments)
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"there is no case {sorted(unknown)[0]}; take one of {', '.join(CASES)}")
    result, detail = {}, {}
    for name in arguments.cases or CASES:
        detail[name] = {str(threads): measure(name, threads, arguments) for threads in THREADS}
        result[name] = max(one["median"] for one in detail[name].values())
    print(json.dumps({**result, "detail": detail}, indent=2))
    return None


if __name__ == "__main__":
    sys.exit(main())
