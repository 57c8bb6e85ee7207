# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes server_optimizers.json: models of Flower's own strategies over a few rounds, in float64.

    pip install flwr==1.14.0 && python3 server_optimizers.py

Flower's FedAdam corrects the bias of its learning rate, which the paper (Reddi et al. 2021) does not; the correction is
divided out before each round. Its FedAdagrad fixes beta_1 to 0; here it is set to the paper's value.
"""

import json
import pathlib

import numpy as np
from flwr.common import Code, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.server.strategy import FedAdagrad, FedAdam, FedAvg, FedAvgM, FedYogi

ROUNDS, CLIENTS, PARAMETERS = 5, 3, 9
random = np.random.default_rng(2003)
base = random.normal(size=PARAMETERS).astype(np.float32)
# One parameter that nobody moves, and sizes from a thousandth to one.
sizes = np.logspace(-3, 0, PARAMETERS)
deltas = (random.normal(size=(ROUNDS, CLIENTS, PARAMETERS)) * sizes).astype(np.float32)
deltas[:, :, 4] = 0
weights = random.integers(1, 200, size=(ROUNDS, CLIENTS))


def run(strategy, before_round=lambda number: None):
    model, models = base.astype(np.float64), []
    for number in range(1, ROUNDS + 1):
        before_round(number)
        results = [
            (None, FitRes(Status(Code.OK, ""), ndarrays_to_parameters([model + delta]), int(weight), {}))
            for delta, weight in zip(deltas[number - 1], weights[number - 1])
        ]
        parameters, _ = strategy.aggregate_fit(number, results, [])
        model = parameters_to_ndarrays(parameters)[0]
        models.append(model.tolist())
    return models


def initial():
    return ndarrays_to_parameters([base.astype(np.float64)])


def fed_adam():
    strategy = FedAdam(initial_parameters=initial(), eta=0.03, beta_1=0.9, beta_2=0.99, tau=0.01)

    def undo_bias_correction(number):
        strategy.eta = 0.03 * (1 - 0.9 ** (number + 1.0)) / np.sqrt(1 - 0.99 ** (number + 1.0))

    return run(strategy, undo_bias_correction)


def fed_adagrad():
    strategy = FedAdagrad(initial_parameters=initial(), eta=0.05, tau=0.01)
    strategy.beta_1 = 0.5
    return run(strategy)


result = {
    "base": base.tolist(),
    "deltas": deltas.tolist(),
    "weights": weights.tolist(),
    "models": {
        "fedAvg": run(FedAvg()),
        "fedAvgM": run(FedAvgM(initial_parameters=initial(), server_learning_rate=0.7, server_momentum=0.9)),
        "fedAdam": fed_adam(),
        "fedYogi": run(FedYogi(initial_parameters=initial(), eta=0.03, beta_1=0.9, beta_2=0.99, tau=0.01)),
        "fedAdagrad": fed_adagrad(),
    },
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result, indent=1) + "\n")
