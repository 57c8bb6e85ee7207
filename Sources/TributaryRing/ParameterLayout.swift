// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// One named tensor of a model: where it lies in the flat parameter vector and which group it belongs to.
package struct ParameterTensor: Hashable, Sendable {
    /// The tensor's name, unique in its layout, for example `dense1.weight`.
    package let name: String
    /// The group the tensor belongs to, for example `body`.
    package let group: String
    /// The tensor's extents, row-major; empty for a scalar.
    package let shape: [Int]

    package init(name: String, group: String, shape: [Int]) {
        self.name = name
        self.group = group
        self.shape = shape
    }

    /// The number of parameters in the tensor; `Int.max` when no memory could hold them.
    package var parameterCount: Int {
        shape.reduce(1) { count, extent in
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            return overflow ? .max : product
        }
    }
}

/// A contiguous run of parameters that share weight, ring, encoding and normaliser.
package struct ParameterGroup: Hashable, Sendable {
    /// The group's name, unique in its layout.
    package let name: String
    /// The parameters of the group in the flat vector.
    package let range: Range<Int>

    package init(name: String, range: Range<Int>) {
        self.name = name
        self.range = range
    }
}

/// The map from named tensors to a flat vector of `Float32` parameters: tensors in order, groups contiguous.
package struct ParameterLayout: Hashable, Sendable {
    /// The tensors in the order in which they lie in the flat vector.
    package let tensors: [ParameterTensor]
    /// The groups in the order in which they lie in the flat vector; their ranges tile `0..<parameterCount`.
    package let groups: [ParameterGroup]
    /// The length of the flat vector.
    package let parameterCount: Int

    /// Lays tensors out one after another; tensors of one group must follow each other.
    ///
    /// - Throws: `RingError.layout` when a name repeats, an extent is not positive, a group is scattered or the model
    ///   is larger than an address space.
    package init(tensors: [ParameterTensor]) throws(RingError) {
        var groups: [ParameterGroup] = []
        var names: Set<String> = []
        var offset = 0
        for tensor in tensors {
            guard names.insert(tensor.name).inserted else {
                throw .layout("tensor '\(tensor.name)' appears twice; give each tensor its own name")
            }
            guard tensor.shape.allSatisfy({ $0 > 0 }) else {
                throw .layout("tensor '\(tensor.name)' has shape \(tensor.shape); every extent must be at least 1")
            }
            let (end, overflow) = offset.addingReportingOverflow(tensor.parameterCount)
            guard !overflow, end <= Self.parameterCountMax else {
                throw .layout("tensor '\(tensor.name)' of shape \(tensor.shape) is too large; use smaller extents")
            }
            let range = offset..<end
            if let last = groups.last, last.name == tensor.group {
                let merged = last.range.lowerBound..<range.upperBound
                groups[groups.count - 1] = ParameterGroup(name: last.name, range: merged)
            } else if groups.contains(where: { $0.name == tensor.group }) {
                throw .layout("group '\(tensor.group)' is scattered; list its tensors one after another")
            } else {
                groups.append(ParameterGroup(name: tensor.group, range: range))
            }
            offset = range.upperBound
        }
        self.tensors = tensors
        self.groups = groups
        self.parameterCount = offset
    }

    /// So many parameters' sums, at 8 bytes each, have a size that fits an `Int`.
    private static let parameterCountMax = Int.max / 8

    /// The size of a model in this layout, as dense little-endian float32.
    package var byteCount: Int { parameterCount * 4 }
}
