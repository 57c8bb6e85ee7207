# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the topologies beside this file: every setting of HierFAVG's experiment, told apart by a few lines each."""

import pathlib

# kappa1 and kappa2: steps of a device before its edge averages, edge rounds before the cloud averages.
SETTINGS = [(60, 1), (30, 2), (15, 4), (6, 10)]
# Classes of a device and the accuracy to reach; both fixed on a trial with seed 100, which no run uses.
GROUPS = {"": (2, "0.80"), "one-class-": (1, "0.70")}
SPREADS = {
    "edge-iid": ("and every edge sees all ten (edge-IID)", ""),
    "edge-niid": (
        "and every edge sees 5 of ten (edge-non-IID)",
        "    sites:                        # the devices of an edge; a class is on 2 or 3 of the edges\n"
        "      devices: 10\n"
        "      classes: 5\n",
    ),
}

HEAD = """\
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
# yaml-language-server: $schema=../../topology.schema.json
#
# HierFAVG (Liu, Zhang, Song, Letaief: "Client-Edge-Cloud Hierarchical Federated Learning", 2020, arXiv 1905.06641).
# {classes} on a device, {spread}; {setting}.
# Written by make.py; Documentation/hierfavg.md says what is the paper's, what is assumed, and what comes out.
tributary: v1
federation: hierfavg-{name}
seed: 1

model:
  kind: mlp
  hidden: [27]                    # 21,475 parameters; the paper's network has 21,840

data:
  kind: fashion-mnist
  partition:
    kind: pathological
    classes-per-partition: {count}      # dealt in order, so that devices in a row hold all ten before one comes again
{partition}
rounds: 250
stop:                             # fixed before the runs were made
  metric: accuracy
  at: {target}

tiers:
  - name: cloud
"""

EDGES = """\
  - name: edge
    count: 5
    edge-rounds: {kappa2:<17}# kappa2
    optimizer: {{ kind: fedavg }}   # one mean of float32 goes up, as in the paper, also when kappa2 is 1
  - name: device
    per-parent: 10
"""

DEVICES = """\
  - name: device
    count: 50
"""

TRAIN = """\
    train:
      local-steps: {kappa1:<15}# kappa1
      batch: 48                   # 48 x 784 x 32 bit x 20 cycles at 1 GHz: 24.1 ms
      optimizer: {{ kind: sgd, learning-rate: 0.05 }}

simulate:
  compute: {{ kind: cpu, frequency: 1GHz, cycles-per-bit: 20 }}
  links:                          # 1 MHz x log2(1 + 0.5 W x 1e-8 / 1e-10 W) = 5.672 Mbit; only uploads take time
"""

EDGE_LINKS = """\
    device: { bandwidth: { up: 5.672Mbit, down: unlimited } }
    edge: { bandwidth: { up: 567.2kbit, down: unlimited } }     # ten times as long
  energy:
    compute: { kind: capacitance, alpha: 2.0e-28, frequency: 1GHz }
    transmit: 0.5W
    receive: 0W
"""

DEVICE_LINKS = """\
    device: { bandwidth: { up: 567.2kbit, down: unlimited } }   # ten times as long as to an edge
  energy:
    compute: { kind: capacitance, alpha: 2.0e-28, frequency: 1GHz }
    transmit: 50mW                # the radio sends at the same rate as to an edge: 0.5 W in a tenth of the time
    receive: 0W
"""


def texts():
    """The text of every file by its name."""
    found = {}
    for group, (count, target) in GROUPS.items():
        for spread, (words, partition) in SPREADS.items():
            for kappa1, kappa2 in [(60, None), *SETTINGS]:
                name = f"{group}{spread}-{kappa1}-{kappa2}" if kappa2 else f"{group}{spread}-flat"
                head = HEAD.format(
                    name=name,
                    classes="2 classes" if count == 2 else "1 class",
                    count=count,
                    spread=words,
                    setting=f"kappa1 {kappa1}, kappa2 {kappa2}" if kappa2 else "without edges, 60 steps a round",
                    partition=partition,
                    target=target,
                )
                nodes = EDGES.format(kappa2=kappa2) if kappa2 else DEVICES
                found[name] = head + nodes + TRAIN.format(kappa1=kappa1) + (EDGE_LINKS if kappa2 else DEVICE_LINKS)
    return found


def main():
    for name, text in texts().items():
        (pathlib.Path(__file__).parent / f"{name}.yaml").write_text(text)


if __name__ == "__main__":
    main()
