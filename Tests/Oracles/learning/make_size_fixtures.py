#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes sizes.json: partition sizes by flwr-datasets' own Linear-, Square- and ExponentialPartitioner.

Only their size law runs, so the heavy `datasets` package is replaced by an empty module.

    pip install numpy && pip install --no-deps flwr-datasets==0.6.1 && python3 make_size_fixtures.py > sizes.json
"""
import importlib.util
import json
import pathlib
import sys
import types

folder = pathlib.Path(importlib.util.find_spec("flwr_datasets").submodule_search_locations[0]) / "partitioner"


class Rows:
    """Stands for a data set of which only the length counts."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count


def load(name):
    spec = importlib.util.spec_from_file_location(f"flwr_datasets.partitioner.{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


sys.modules["datasets"] = types.SimpleNamespace(Dataset=Rows)
for package in ("flwr_datasets", "flwr_datasets.partitioner"):
    sys.modules[package] = types.ModuleType(package)
load("partitioner")
load("id_to_size_fnc_partitioner")
laws = {
    "linear": load("linear_partitioner").LinearPartitioner,
    "square": load("square_partitioner").SquarePartitioner,
    "exponential": load("exponential_partitioner").ExponentialPartitioner,
}
cases = []
for law, kind in laws.items():
    for examples, count in [(60_000, 20), (1_000, 7), (60_000, 10), (999, 3)]:
        if law == "exponential" and count == 20:
            continue  # its first sizes would be 0, which flwr-datasets refuses
        partitioner = kind(num_partitions=count)
        partitioner._dataset = Rows(examples)
        partitioner._determine_partition_id_to_size()
        sizes = [int(size) for size in partitioner.partition_id_to_size.values()]
        cases.append(dict(law=law, examples=examples, sizes=sizes))
json.dump(cases, sys.stdout, separators=(",", ":"))
print()
