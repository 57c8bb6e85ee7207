// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The link between a node and its parent, the same for every message on it.
package struct LinkSettings: Hashable, Sendable {
    /// From the node to its parent in bit/s, at least 1; infinite where a file gives none.
    package var bandwidthUp: Double
    /// From the parent to the node in bit/s, at least 1; infinite where a file gives none.
    package var bandwidthDown: Double
    /// The time that a message travels one way, at least 0.
    package var latency: Duration
    /// The mean (and standard deviation) of an exponentially distributed delay on top of the latency, at least 0.
    package var jitter: Duration
    /// The probability that a message is lost, in [0, 1).
    package var loss: Double

    /// A perfect link: no limit, no delay, no loss.
    package static let `default` = LinkSettings()

    package init(
        bandwidthUp: Double = .infinity, bandwidthDown: Double = .infinity, latency: Duration = .zero,
        jitter: Duration = .zero, loss: Double = 0
    ) {
        self.bandwidthUp = bandwidthUp
        self.bandwidthDown = bandwidthDown
        self.latency = latency
        self.jitter = jitter
        self.loss = loss
    }
}
