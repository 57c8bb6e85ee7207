// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// TributaryPlanning: what a topology will cost, and what its parts mean for each other.
//
// Checks that need the model and the data beside the tree (a network that does not fit the images, classes that do not
// exist, deadlines that links do not allow), and the arithmetic that people ask for before they start: derived
// deadlines, ring exponents, and a whole capacity plan: bytes, time, memory, disk, descriptors and energy.
//
// The room is pure: no files, clocks or randomness. It imports Topology, Learning (for the shapes of models), Ring,
// Core and, for the sizes of frames, Wire: a plan counts the bytes that the wire's own functions give.
