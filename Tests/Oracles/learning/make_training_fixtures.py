#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes training.json: a few local steps of each optimizer and model, in float64, by other people's code.

Linear models and MLPs are trained by scikit-learn's MLPClassifier (its forward and backward pass, its SGD with
momentum and its Adam); FedProx, which scikit-learn lacks, uses scikit-learn's gradient and the formula of Li et al.
2020. The CNN's forward pass is scipy.signal.correlate2d, its gradient central differences. All batches are the whole
shard, so no order of examples enters.

    pip install scikit-learn==1.9.1 && python3 make_training_fixtures.py > training.json
"""
import json
import sys

import numpy as np
from scipy.signal import correlate2d
from sklearn.neural_network import MLPClassifier

EXAMPLES, CLASSES = 12, 3


def classifier(hidden, x, y, optimizer, weights):
    """A classifier that starts from the given (weights, biases) of each layer."""
    options = dict(hidden_layer_sizes=hidden, activation="relu", alpha=0, batch_size=EXAMPLES, shuffle=False)
    if optimizer["kind"] == "adam":
        options |= dict(solver="adam", learning_rate_init=optimizer["rate"], beta_1=optimizer["beta1"],
                        beta_2=optimizer["beta2"], epsilon=optimizer["epsilon"])
    else:
        options |= dict(solver="sgd", learning_rate_init=optimizer["rate"], momentum=optimizer["momentum"],
                        nesterovs_momentum=False)
    model = MLPClassifier(**options)
    model.partial_fit(x, y, classes=list(range(CLASSES)))
    for layer, (w, b) in enumerate(weights):
        model.coefs_[layer][...] = w
        model.intercepts_[layer][...] = b
    del model._optimizer  # the next step makes a fresh one
    return model


def flat(model):
    parts = []
    for w, b in zip(model.coefs_, model.intercepts_):
        parts += [w.ravel(), b.ravel()]
    return np.concatenate(parts)


def unflat(vector, like):
    parts, start = [], 0
    for w, b in like:
        parts.append((vector[start:start + w.size].reshape(w.shape), vector[start + w.size:start + w.size + b.size]))
        start += w.size + b.size
    return parts


def dense_case(name, hidden, optimizer, steps, rng, proximal=0.0):
    x = rng.normal(size=(EXAMPLES, 6)).astype(np.float32).astype(np.float64)
    y = np.arange(EXAMPLES) % CLASSES
    sizes = [6, *hidden, CLASSES]
    start = [(rng.normal(size=(i, o)).astype(np.float32).astype(np.float64) * 0.5,
              rng.normal(size=o).astype(np.float32).astype(np.float64) * 0.125) for i, o in zip(sizes, sizes[1:])]
    if proximal == 0:
        model = classifier(hidden, x, y, optimizer, start)
        base = flat(model)
        for _ in range(steps):
            model.partial_fit(x, y)
        result = flat(model)
    else:
        unit = dict(kind="sgd", rate=1.0, momentum=0.0)
        base = np.concatenate([part.ravel() for pair in start for part in pair])
        w, v = base.copy(), np.zeros_like(base)
        for _ in range(steps):
            probe = classifier(hidden, x, y, unit, unflat(w, start))
            probe.partial_fit(x, y)
            gradient = w - flat(probe) + proximal * (w - base)
            v = optimizer["momentum"] * v + gradient
            w = w - optimizer["rate"] * v
        result = w
    return case(name, dict(kind="mlp", hidden=list(hidden)) if hidden else dict(kind="linear"), [6], x, y, optimizer,
                proximal, steps, base, result)


def case(name, model, shape, x, y, optimizer, proximal, steps, base, result):
    return dict(name=name, model=model, shape=shape, classes=CLASSES, features=x.ravel().tolist(), labels=y.tolist(),
                optimizer=optimizer, proximal=proximal, steps=steps, base=base.tolist(),
                result=[float(f"{value:.9g}") for value in result])


def cnn_case(rng, steps=2, rate=0.25):
    channels, height, width, filters, kernel = 2, 5, 4, 3, 3
    pooled = filters * (height // 2) * (width // 2)
    shapes = [(kernel, kernel, channels, filters), (filters,), (pooled, CLASSES), (CLASSES,)]
    x = rng.normal(size=(EXAMPLES, channels, height, width)).astype(np.float32).astype(np.float64)
    y = np.arange(EXAMPLES) % CLASSES
    base = np.concatenate([rng.normal(size=s).astype(np.float32).astype(np.float64).ravel() * 0.25 for s in shapes])

    def loss(vector):
        parts, start = [], 0
        for s in shapes:
            parts.append(vector[start:start + int(np.prod(s))].reshape(s))
            start += int(np.prod(s))
        conv_w, conv_b, out_w, out_b = parts
        total = 0.0
        for image, label in zip(x, y):
            maps = [conv_b[f] + sum(correlate2d(image[c], conv_w[:, :, c, f], mode="same") for c in range(channels))
                    for f in range(filters)]
            act = np.maximum(np.stack(maps, axis=-1), 0)[:height // 2 * 2, :width // 2 * 2]
            pool = act.reshape(height // 2, 2, width // 2, 2, filters).max(axis=(1, 3))
            logits = pool.ravel() @ out_w + out_b
            top = logits.max()
            total += top + np.log(np.exp(logits - top).sum()) - logits[label]
        return total / EXAMPLES

    w, h = base.copy(), 1e-6
    for _ in range(steps):
        gradient = np.array([(loss(w + h * e) - loss(w - h * e)) / (2 * h) for e in np.eye(w.size)])
        w = w - rate * gradient
    model = dict(kind="cnn", blocks=[[filters, kernel]], hidden=[])
    return case("cnn", model, [channels, height, width], x, y, dict(kind="sgd", rate=rate, momentum=0.0), 0.0, steps,
                base, w)


def main():
    rng = np.random.default_rng(20260101)
    sgd = dict(kind="sgd", rate=0.125, momentum=0.0)
    heavy = dict(kind="sgd", rate=0.0625, momentum=0.875)
    adam = dict(kind="adam", rate=0.03125, beta1=0.875, beta2=0.96875, epsilon=1e-8)
    cases = [
        dense_case("linear-sgd", (), sgd, 5, rng),
        dense_case("mlp-sgd", (7,), sgd, 5, rng),
        dense_case("mlp-momentum", (7, 4), heavy, 6, rng),
        dense_case("mlp-adam", (7,), adam, 6, rng),
        dense_case("mlp-proximal", (7,), heavy, 6, rng, proximal=0.5),
        cnn_case(rng),
    ]
    json.dump(cases, sys.stdout, separators=(",", ":"))
    print()


main()
