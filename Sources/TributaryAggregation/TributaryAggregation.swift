// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Aggregation: updates and partial sums into one sum, and the sum into the next model.
//
// The accumulator folds updates into the ring (`Accumulator+Fold`), adds and takes out partial sums
// (`Accumulator+Sum`), and steps the model by a server optimizer (`Accumulator+Step`). What it refuses leaves no trace.
//
// Pure: bytes and values that are passed in. No files, sockets, clocks or randomness.
