// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
internal import TributaryRing

/// The check of an update's float32 body while its bytes arrive, in order and in pieces of any size.
///
/// Every value must be finite and within its group's bound, and the bytes must be exactly those of the plan's groups.
/// Memory is constant.
package struct DenseBodyCheck: Sendable {
    private struct Section {
        let group: String
        let bound: Float
        /// Bytes of the body up to the section's end.
        let end: UInt64
        let start: UInt64
    }

    /// The bytes that a whole body has.
    package let byteCount: UInt64
    private let sections: [Section]
    private var section = 0
    private var received: UInt64 = 0
    /// The first bytes of a value that the last piece cut.
    private var carry: [UInt8] = []

    /// Prepares the check of one body for the groups of a plan.
    ///
    /// - Throws: `CodecError.tooLarge` when the groups' sizes overflow.
    package init(groups: [GroupPlan]) throws(CodecError) {
        var sections: [Section] = []
        var offset: UInt64 = 0
        for group in groups where group.parameterCount > 0 {
            guard let size = UpdateEncoding.float32.byteCountMax(parameterCount: group.parameterCount) else {
                throw .tooLarge(group: group.name)
            }
            let (end, overflow) = offset.addingReportingOverflow(size)
            guard !overflow else { throw .tooLarge(group: group.name) }
            sections.append(Section(group: group.name, bound: group.ring.deltaBound, end: end, start: offset))
            offset = end
        }
        self.sections = sections
        byteCount = offset
    }

    /// Checks the next bytes of the body.
    ///
    /// - Throws: `CodecError` for the first bad value, or when the bytes exceed the body's size.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        let held = received + UInt64(carry.count)
        guard UInt64(bytes.count) <= byteCount - held else {
            throw .size(expected: byteCount, actual: held &+ UInt64(bytes.count))
        }
        var rest = bytes[...]
        if !carry.isEmpty {
            let missing = min(4 - carry.count, rest.count)
            carry.append(contentsOf: rest.prefix(missing))
            rest = rest.dropFirst(missing)
            guard carry.count == 4 else { return }
            let value = carry
            carry.removeAll(keepingCapacity: true)
            if let fault = value.withUnsafeBytes({ take($0) }) { throw fault }
        }
        let whole = rest.count - rest.count % 4
        if let fault = take(UnsafeRawBufferPointer(rebasing: rest.prefix(whole))) { throw fault }
        carry.append(contentsOf: rest.dropFirst(whole))
    }

    /// Ends the check.
    ///
    /// - Throws: `CodecError.size` when bytes are missing.
    package func finish() throws(CodecError) {
        guard received == byteCount else {
            throw .size(expected: byteCount, actual: received + UInt64(carry.count))
        }
    }

    /// Checks whole values; returns the first fault.
    private mutating func take(_ bytes: UnsafeRawBufferPointer) -> CodecError? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let current = sections[section]
            let width = Int(min(UInt64(rest.count), current.end - received))
            let values = UnsafeRawBufferPointer(rebasing: rest.prefix(width))
            let first = Int((received - current.start) / 4)
            switch DenseValues.firstFault(in: values, bound: current.bound) {
            case nil: break
            case .notFinite(let index): return .notFinite(group: current.group, index: first + index)
            case .outOfBound(let index): return .outOfBound(group: current.group, index: first + index)
            case .some: preconditionFailure("a check of values found something else than a bad value")
            }
            received += UInt64(width)
            rest = rest.dropFirst(width)
            if received == current.end { section += 1 }
        }
        return nil
    }
}

extension CodecError {
    /// The reason for which a sender is told no.
    package var reason: ReasonCode {
        switch self {
        case .size: .wrongSize
        case .notFinite: .notFinite
        case .outOfBound: .outOfBound
        case .length: .wrongShape
        case .tooLarge: .oversized
        }
    }
}
