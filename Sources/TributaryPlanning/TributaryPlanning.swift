// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// TributaryPlanning: what a topology will cost, and what its parts mean for each other.
//
// Checks that need the model and the data beside the tree (a network that does not fit the images, classes that do not
// exist), and the arithmetic that people ask for before they start: derived deadlines, ring exponents, bytes per round
// and tier.
//
// The room is pure: no files, clocks or randomness. It imports Topology, Learning (for the shapes of models), Ring and
// Core.
