// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// A process's share of a fleet: number `index` of `count` shares of its devices, counted from 0.
///
/// The shares are neighbouring ranges of client indices over all parents of the topology. Every device is in exactly
/// one of the `count` shares, and no share has more than one device more than another.
package struct FleetShard: Hashable, Sendable, CustomStringConvertible {
    /// More processes than any cluster starts for one run.
    package static let countMax: UInt64 = 1 << 20

    package let index: UInt64
    package let count: UInt64

    /// - Throws: `FleetShardError.range` unless `0 <= index < count <= countMax`.
    package init(index: UInt64, count: UInt64) throws(FleetShardError) {
        guard count <= Self.countMax, index < count else {
            throw .range(text: "\(index)/\(count)", index: index, count: count)
        }
        self.index = index
        self.count = count
    }

    /// Reads `INDEX/COUNT`, for example `0/3`.
    ///
    /// - Throws: `FleetShardError`.
    package init(_ text: String) throws(FleetShardError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = UInt64(digits: parts[0]), let count = UInt64(digits: parts[1]) else {
            throw .malformed(text: text)
        }
        try self.init(index: index, count: count)
    }

    package var description: String { "\(index)/\(count)" }

    /// The client indices of this share; empty when there are more shares than devices and none is left for it.
    package func clients(of deviceCount: UInt64) -> Range<UInt64> {
        start(of: index, deviceCount: deviceCount)..<start(of: index + 1, deviceCount: deviceCount)
    }

    private func start(of index: UInt64, deviceCount: UInt64) -> UInt64 {
        let (size, rest) = deviceCount.quotientAndRemainder(dividingBy: count)
        return index * size + min(index, rest)
    }

    /// The turn in which this share's device number `position` connects, when all shares take turns.
    func turn(of position: Int) -> Int { position * Int(count) + Int(index) }
}

/// Why a process does not know its share of a fleet.
package enum FleetShardError: Error, Equatable, CustomStringConvertible {
    /// Not `INDEX/COUNT`.
    case malformed(text: String)
    case range(text: String, index: UInt64, count: UInt64)
    /// A scheduler's variable that is there needs another, which is missing or not a number.
    case variable(name: String, value: String?, beside: String)
    /// The tasks of a Slurm array are not evenly spaced, so a task's number does not tell its place.
    case unevenArray(first: UInt64, last: UInt64, step: UInt64, count: UInt64)

    package var description: String {
        switch self {
        case .malformed(let text):
            "'\(text)' is no share; write INDEX/COUNT with an INDEX from 0 to COUNT - 1, for example 0/3"
        case .range(let text, _, 0): "there is no share \(text): COUNT must be at least 1"
        case .range(let text, _, let count) where count > FleetShard.countMax:
            "there is no share \(text): COUNT may be at most \(FleetShard.countMax)"
        case .range(let text, _, let count):
            "there is no share \(text): INDEX counts from 0, so with \(count) shares it is 0 to \(count - 1)"
        case .variable(let name, nil, let other): "\(other) is set but \(name) is not; set it, or give --shard"
        case .variable(let name, let value?, _): "\(name) is '\(value)', which is no number; give --shard"
        case .unevenArray(let first, let last, let step, let count):
            "\(count) array tasks from \(first) to \(last) in steps of \(step) are not evenly spaced; "
                + "submit a range, for example --array=0-\(max(count, 1) - 1), or give --shard"
        }
    }
}

extension UInt64 {
    /// A number of nothing but digits.
    init?(digits text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let value = UInt64(text) else {
            return nil
        }
        self = value
    }
}
