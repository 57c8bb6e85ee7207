// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The vocabulary: identifiers, rounds, plans, updates, sums, limits, reason codes, telemetry events, and the small
// protocols through which a machine asks for what it cannot do itself (train, store, draw randomness). One word, one
// meaning; every other room speaks these.
//
// Pure: values and arithmetic over TributaryRing. No files, sockets, clocks, randomness of its own, no Foundation.
