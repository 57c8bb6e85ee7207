// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The bound of every queue, frame, cohort, retry and string that comes from outside, each with its reason.
package enum Limits {
    /// A chunk towards devices: small enough that thousands of peers cannot fill memory before they are known.
    package static let deviceChunkByteCount = 64 * 1024
    /// A chunk between aggregators: fewer frames for large sums.
    package static let aggregatorChunkByteCount = 256 * 1024
    /// What an envelope may need beside a chunk; the largest frame is a chunk and this.
    package static let envelopeByteCount = 16 * 1024
    /// A frame on a join bind, from anybody: a token's secret, a name, a key and a signature.
    package static let joinByteCount = 1024
    /// Connections to a join bind at a time; one more is cut at once.
    package static let joinConnectionCountMax = 256
    /// How long a connection to a join bind may stand.
    package static let joinTime = Duration.seconds(10)
    /// Fields in one message, before it is unpacked; the largest honest message has under a hundred per group.
    package static let fieldCountMax = 4096
    /// Heap that unpacking one message may take, as a multiple of the largest frame.
    package static let unpackBudgetFactor = 4
    /// Names of nodes, runs, tensors and groups.
    package static let nameByteCountMax = 64
    /// Texts of refusals: a sentence or two for a person.
    package static let textByteCountMax = 512
    /// Groups of one model: each has a ring and an entry of its own in every update and sum.
    package static let groupCountMax = 64
    /// Tensors of one layout: deep models have hundreds.
    package static let tensorCountMax = 1024
    /// Metrics of one update, each a pair of counters.
    package static let metricCountMax = 32
    /// Extents of one tensor.
    package static let extentCountMax = 8
    /// Encodings that a child offers.
    package static let encodingCountMax = 16
    /// Sources of one model.
    package static let sourceCountMax = 16
    /// Bytes that one receiver asks a peer for ahead of what arrived: keeps the link busy, bounds memory per transfer.
    package static let transferWindowByteCount = 1024 * 1024
    /// Bytes under way to a node over all its transfers.
    package static let inFlightByteCountMax = 64 * 1024 * 1024
    /// Transfers that a node receives at a time; further offers wait their turn.
    package static let transferCountMax = 64
    /// The largest object: 4 GiB, a model of a thousand million float32 parameters.
    package static let objectByteCountMax: UInt64 = 4 << 30
    /// Contributions to one sum: bounds the name list (16 bytes a name) and the ring's total.
    package static let cohortMax: UInt64 = 1 << 22
    /// Clients below one node: sums of counts stay exact.
    package static let clientCountMax: UInt64 = 1 << 40
    /// How many times more clients are asked than waited for: products with counts stay exact.
    package static let overSelectMax = 1000.0
    /// Names that one grant may exclude: 128 KiB, so that they fit a frame between aggregators.
    package static let excludedNameCountMax = 8192
    /// The longest time that a message may speak of: added to any clock's moment it cannot overflow.
    package static let durationMax = Duration.seconds(366 * 86_400)
    /// Children of one node that may be connected at a time.
    package static let childCountMax = 20_000
    /// Depth of a tree, root and devices included.
    package static let tierCountMax = 16
    /// Rounds of one run.
    package static let roundCountMax: UInt32 = 1_000_000
}
