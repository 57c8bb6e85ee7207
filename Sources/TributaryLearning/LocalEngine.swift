// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CTributaryKernels
import TributaryCore

/// The memory and the arithmetic of one job's steps; jobs follow one another on one thread.
///
/// All engines give the same bits for the same job.
protocol LocalEngine: AnyObject {
    /// Makes room for steps of at most `rows` examples; keeps what is there when it suffices.
    func prepare(rows: Int, settings: TrainSettings) throws(LearningError)

    /// Begins a job: parameters become `base: [parameterCount]`, the optimizer's state starts anew.
    func begin(base: UnsafePointer<Float>)

    /// Takes one step over some rows of the data set, and returns the loss before it.
    ///
    /// Behind the rows lie `ahead` more that the next step will probably take. After a loss that is not finite the
    /// parameters are unspecified.
    func step(_ rows: UnsafeBufferPointer<UInt32>, ahead: Int, of dataset: Examples) -> tributary_learn_loss

    /// Writes `local`, or `local - base` when a base is given; returns whether every parameter is finite.
    ///
    /// `result` may be `base`'s memory only when no base is given.
    func finish(minus base: UnsafePointer<Float>?, result: UnsafeMutablePointer<Float>) -> Bool
}

/// Floats on a cache line's border, freed with their owner; the contents are zero at first.
final class AlignedFloats {
    let start: UnsafeMutablePointer<Float>
    let count: Int
    private let memory: UnsafeMutableRawPointer

    init(count: Int) {
        memory = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        start = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        start.initialize(repeating: 0, count: count)
        self.count = count
    }

    deinit { memory.deallocate() }
}

/// Hands out an arena piece by piece.
struct ArenaCursor {
    /// The largest arena: 2^32 floats, 16 GiB.
    private static let countMax = 1 << 32

    private(set) var position = 0

    /// Takes `values` floats for each of so many rows, and returns where they begin.
    ///
    /// - Throws: `LearningError.settings` when the arena would become too large.
    mutating func take(_ values: Int, times rows: Int = 1) throws(LearningError) -> Int {
        let (length, overflow) = values.multipliedReportingOverflow(by: rows)
        guard !overflow, length <= Self.countMax - position else {
            throw .settings("a batch of \(rows) examples does not fit the trainer's memory; use a smaller batch")
        }
        defer { position += length }
        return position
    }
}
