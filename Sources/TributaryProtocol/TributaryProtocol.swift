// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The protocol: rounds, membership and the coordinator as pure machines.
//
// Each machine is a value: an event and the moment it happens go in, actions come out. Nothing here knows a socket, a
// file, a clock or a source of randomness, so the same code runs a deployment in real time and a fleet in virtual time.
// May import Core, Ring, Topology, Codec and Aggregation; never Wire, Bus, Learning or files.
