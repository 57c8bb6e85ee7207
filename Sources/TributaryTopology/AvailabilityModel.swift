// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// When a device is reachable.
package enum AvailabilityModel: Hashable, Sendable {
    /// At any time.
    case always
    /// With the probability `mean + amplitude x cos(2 pi (local time - peak) / 24 h)`, a wave over the day.
    ///
    /// `mean` lies in (0, 1], `amplitude` in `0...min(mean, 1 - mean)`, `peak` is a local time of day in [0, 24 h).
    /// A device draws its zone evenly from `zones`, offsets from UTC in hours, -12...14; a run starts at midnight UTC.
    case diurnal(mean: Double, amplitude: Double, peak: Duration, zones: [Int])
    /// Comes and goes; the mean times up and down are positive, the times exponentially distributed.
    case markov(up: Duration, down: Duration)
    /// As a CSV file says: a header `device,from,to`, then seconds since the start; relative to the topology file.
    case trace(path: String)

    /// The amplitude where a file gives none: the largest that keeps the probability in 0...1.
    package static func amplitudeDefault(mean: Double) -> Double {
        // Twelve decimals, so that 1 - 0.7 is written 0.3.
        (max(0, min(mean, 1 - mean)) * 1e12).rounded() / 1e12
    }
    /// The peak where a file gives none: two at night, when phones idle on chargers.
    ///
    /// Bonawitz and others 2019, "Towards Federated Learning at Scale: System Design",
    /// https://arxiv.org/abs/1902.01046, saw most of them at night.
    package static let peakDefault = Duration.seconds(2 * 3600)

    /// The offsets from UTC that exist, in whole hours.
    package static let zoneRange = -12...14

    /// The name of the kind in files.
    package var kindName: String {
        switch self {
        case .always: "always"
        case .diurnal: "diurnal"
        case .markov: "markov"
        case .trace: "trace"
        }
    }
}
