// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

extension TopologyFile {
    /// A commented topology to start from: Topologies/factory.yaml without its head.
    package static let example = """
        # Cameras in two plants learn to sort garments. Each plant has an aggregator of its own.
        # Pictures never leave a camera.
        tributary: v1
        federation: smart-factory
        seed: 7

        model:
          kind: mlp
          hidden: [128]

        data:
          kind: fashion-mnist
          partition:              # every camera sees its own mixture of garments
            kind: dirichlet
            alpha: 0.3

        rounds: 20

        tiers:
          - name: cloud
            optimizer:            # the step from the cameras' mean update to the next model
              kind: fedavgm
              learning-rate: 1
              momentum: 0.7
            quorum: 0.8           # a round counts when 80 % of the cameras have reported
            deadline: 60s         # the one deadline; the plants' follow from it

          - name: plant
            nodes: [plant-north, plant-south]
            quorum: 0.8

          - name: camera
            per-parent: 10
            train:
              local-epochs: 5
              batch: 32
              optimizer:
                kind: sgd
                learning-rate: 0.1

        """
}
