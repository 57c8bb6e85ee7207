// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// TributaryTopology: what a topology file means, as values.
//
// `Topology` is what a person writes: a policy for each tier and the nodes that differ from theirs. `Tree` is what
// follows from it: which aggregator has which parent, children and clients. `AggregatorPolicy` and `ClientPolicy` are
// what one node's machine needs to know. Devices are arithmetic on client indices, so that a hundred million of them
// cost nothing here.
//
// The room is pure: no files, YAML, clocks or randomness. It imports Core and Ring only.
