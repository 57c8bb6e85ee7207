// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryKernels
internal import TributaryAggregation
internal import TributaryCore
internal import TributaryRing

/// The fold of 16 updates of 4 M float32 on one core, against this core's read bandwidth over the same bytes.
///
/// What is timed is what an aggregator does: an accumulator folds a batch, every value checked on the way. Reads and
/// folds alternate, and each counts with its best repetition.
package enum FoldBenchmark {
    private static let updateCount = 16
    private static let parameterCount = 4 << 20

    /// Measures the fold and the plain reads in turn.
    ///
    /// - Parameter repetitions: how often each is timed, at least 1; the first round warms up and does not count.
    /// - Returns: bytes of updates folded a second, and the bytes read a second as the limit.
    /// - Throws: when there is no memory, or the ring refuses its parameters.
    package static func run(repetitions: Int = 12) throws -> BenchmarkResult {
        precondition(repetitions >= 1)
        let plan = GroupPlan(
            name: "body", parameterCount: UInt64(parameterCount),
            ring: try RingParameters(deltaBound: 8, weightMax: 1 << 20, cohortMax: 1 << 12), encoding: .float32,
            normaliser: .weight)
        let updateByteCount = parameterCount * 4
        let bodies = UnsafeMutableRawBufferPointer.allocate(byteCount: updateCount * updateByteCount, alignment: 4096)
        defer { bodies.deallocate() }
        fill(bodies.bindMemory(to: Float.self))
        let batch = (0..<updateCount).map { index in
            let body = bodies[index * updateByteCount..<(index + 1) * updateByteCount]
            let group = Update.Group(
                weight: UInt64(100 + index), encoding: .float32, byteCount: UInt64(updateByteCount))
            return Contribution(groups: [group], metrics: [], body: UnsafeRawBufferPointer(rebasing: body))
        }
        var accumulator = try Accumulator(groups: [plan])
        let times = try measure(&accumulator, batch, UnsafeRawBufferPointer(bodies), repetitions: repetitions)
        let byteCount = Double(bodies.count)
        let reads = times.reads.map { "\(Int(byteCount / $0 / 1e6)) MB/s" }
        return BenchmarkResult(
            name: "fold", value: byteCount / times.fold, unit: "B/s",
            limit: byteCount / (times.reads.min() ?? .infinity),
            details: [
                ("updates", "\(updateCount)"),
                ("parameters", "\(parameterCount)"),
                ("kernel", "\(RingKernelVariant.best)"),
                ("repetitions", "\(repetitions), best of each"),
                ("plain reads", reads.joined(separator: ", ")),
            ])
    }

    /// The best time of a fold, and of each plain read, in seconds.
    private struct Times {
        var fold = Double.infinity
        var reads = [Double](repeating: .infinity, count: Int(TRIBUTARY_READ_VERSIONS))
    }

    private static func measure(
        _ accumulator: inout Accumulator, _ batch: [Contribution], _ bytes: UnsafeRawBufferPointer, repetitions: Int
    ) throws -> Times {
        var times = Times()
        let clock = ContinuousClock()
        var digest: UInt64 = 0
        for repetition in 0...repetitions {
            for version in times.reads.indices {
                let time = clock.measure {
                    if let start = bytes.baseAddress {
                        digest ^= tributary_ring_read(Int32(version), start, bytes.count)
                    }
                }
                if repetition > 0 { times.reads[version] = min(times.reads[version], time.seconds) }
            }
            var errors: [AggregationError?] = []
            let time = clock.measure { errors = accumulator.fold(batch) }
            if let error = errors.compactMap(\.self).first { throw error }
            if repetition > 0 { times.fold = min(times.fold, time.seconds) }
        }
        // The reads' sums are used, so that no compiler drops them.
        withExtendedLifetime(digest) {}
        return times
    }

    /// Fills with reproducible values in -0.5..<0.5.
    private static func fill(_ values: UnsafeMutableBufferPointer<Float>) {
        var state: UInt32 = 1
        for index in values.indices {
            state = state &* 1_664_525 &+ 1_013_904_223
            values[index] = Float(Int32(bitPattern: state) >> 8) * 0x1p-24
        }
    }
}
