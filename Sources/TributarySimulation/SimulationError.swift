// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Why a fleet cannot be simulated.
package enum SimulationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A trace of waking times is wrong; `line` is the file's, when one is to blame.
    case trace(line: Int?, String)
    /// The fleet would need more memory than there is.
    case memory(neededByteCount: UInt64, availableByteCount: UInt64, cause: String)
    /// Virtual time has no next event, and the run is not over.
    case stalled(round: UInt32, seconds: Double)

    package var description: String {
        switch self {
        case .trace(let line?, let text): "line \(line): \(text)"
        case .trace(nil, let text): text
        case .memory(let needed, let available, let cause):
            "the simulation would need about \(needed >> 20) MiB of memory and \(available >> 20) MiB are free; "
                + "most of it is \(cause); use a smaller cohort or model, or --force to try"
        case .stalled(let round, let seconds):
            "nothing is left to happen at \(seconds) s of virtual time, in round \(round): too few devices ever wake, "
                + "or a fault keeps the root from its children for good; check 'availability' and 'faults'"
        }
    }
}
