// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

/// Deltas before they are encoded: `delta = local - base`, scaled onto the bound where it exceeds it.
package enum Delta {
    /// Writes `local - base` over `local`, elementwise in float32.
    ///
    /// A float32 vector in memory is its own encoding `UpdateEncoding.float32`.
    ///
    /// - Throws: `CodecError.length` when the vectors' lengths differ.
    package static func subtract(
        _ base: UnsafeBufferPointer<Float>, from local: UnsafeMutableBufferPointer<Float>
    ) throws(CodecError) {
        guard base.count == local.count else { throw .length(expected: base.count, actual: local.count) }
        for index in local.indices { local[index] -= base[index] }
    }

    /// Scales every group that exceeds its bound onto it, as a whole: `on-excess: scale`.
    ///
    /// - Parameters:
    ///   - delta: the groups' values one after another, as the plan lists them.
    ///   - groups: the plan's groups, whose sizes add up to the delta's.
    /// - Returns: for each group the factor in `0...1`; 1 where nothing changed.
    /// - Throws: `CodecError.notFinite` for infinity or not-a-number, before anything is changed; `CodecError.length`.
    package static func scaleOntoBounds(
        _ delta: UnsafeMutableBufferPointer<Float>, groups: [GroupPlan]
    ) throws(CodecError) -> [Float] {
        let ranges = try ranges(of: groups, count: delta.count)
        var factors: [Float] = []
        for (group, range) in zip(groups, ranges) {
            let values = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: delta[range]))
            if case .notFinite(let index) = DenseValues.firstFault(in: values, bound: .greatestFiniteMagnitude) {
                throw .notFinite(group: group.name, index: index)
            }
            let largest = DenseValues.largestMagnitude(in: values)
            factors.append(largest <= group.ring.deltaBound ? 1 : group.ring.deltaBound / largest)
        }
        for (index, range) in ranges.enumerated() where factors[index] < 1 {
            let bound = groups[index].ring.deltaBound
            let factor = factors[index]
            for position in range {
                // The product can round beyond the bound by one unit in the last place.
                delta[position] = min(max(delta[position] * factor, -bound), bound)
            }
        }
        return factors
    }

    /// Where each group's values lie.
    private static func ranges(of groups: [GroupPlan], count: Int) throws(CodecError) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var offset = 0
        for group in groups {
            guard group.parameterCount <= UInt64(count - offset) else {
                throw .length(expected: Int(clamping: group.parameterCount), actual: count)
            }
            let end = offset + Int(group.parameterCount)
            ranges.append(offset..<end)
            offset = end
        }
        guard offset == count else { throw .length(expected: offset, actual: count) }
        return ranges
    }
}
