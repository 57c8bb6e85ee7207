// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The type of an array's elements, as IDX and NumPy files have them.
enum ElementType: Hashable, Sendable {
    case unsigned8, signed8, unsigned16, signed16, unsigned32, signed32, unsigned64, signed64, float32, float64

    var byteCount: Int {
        switch self {
        case .unsigned8, .signed8: 1
        case .unsigned16, .signed16: 2
        case .unsigned32, .signed32, .float32: 4
        case .unsigned64, .signed64, .float64: 8
        }
    }
}

/// What an array file says about its elements: type, byte order, layout and extents; checked against overflow.
struct ArrayHeader: Hashable, Sendable {
    /// Elements of one example: 16 M, far above any that a device could train on.
    static let rowElementCountMax = 1 << 24
    /// Examples: their numbers are `UInt32`, and labels of all are held.
    static let rowCountMax = Int(Int32.max)
    static let dimensionCountMax = 8

    let type: ElementType
    let isBigEndian: Bool
    /// Whether the first extent varies fastest (NumPy's `fortran_order`).
    let isColumnMajor: Bool
    let shape: [Int]
    let rowElementCount: Int

    /// Checks the extents; `nil` with a problem's text otherwise.
    init(
        type: ElementType, isBigEndian: Bool, isColumnMajor: Bool, shape: [Int], path: String
    ) throws(FilesError) {
        func refuse(_ problem: String) -> FilesError { .malformed(path: path, at: "header", problem: problem) }
        guard let rowCount = shape.first, shape.count <= Self.dimensionCountMax else {
            throw refuse("has \(shape.count) dimensions; 1 to \(Self.dimensionCountMax) are read")
        }
        guard shape.allSatisfy({ $0 > 0 }) else { throw refuse("has the shape \(shape): there are no examples") }
        guard rowCount <= Self.rowCountMax else {
            throw refuse("has \(rowCount) examples; at most \(Self.rowCountMax) are read")
        }
        var elements = 1
        for extent in shape.dropFirst() {
            let (product, overflow) = elements.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= Self.rowElementCountMax else {
                throw refuse("has the shape \(shape); at most \(Self.rowElementCountMax) values an example are read")
            }
            elements = product
        }
        self.type = type
        self.isBigEndian = isBigEndian
        self.isColumnMajor = isColumnMajor
        self.shape = shape
        rowElementCount = elements
    }

    var rowCount: Int { shape.first ?? 0 }
    var rowByteCount: Int { rowElementCount * type.byteCount }
    /// At most 2^31 x 2^24 x 2^3 bytes, so it does not overflow.
    var byteCount: UInt64 { UInt64(rowCount) * UInt64(rowByteCount) }

    /// The extents of one example as the trainer sees them: images without channels get one channel.
    var featureShape: [Int] {
        switch shape.count {
        case 1: [1]
        case 3: [1, shape[1], shape[2]]
        case 2, 4: Array(shape.dropFirst())
        default: [rowElementCount]
        }
    }

    /// Element numbers in file order mapped to row-major order within an example; `nil` when they are the same.
    var rowMajorPositions: [Int]? {
        let extents = Array(shape.dropFirst())
        guard isColumnMajor, extents.count > 1 else { return nil }
        return (0..<rowElementCount).map { number in
            var rest = number
            var position = 0
            var stride = rowElementCount
            for extent in extents {
                stride /= extent
                position += rest % extent * stride
                rest /= extent
            }
            return position
        }
    }
}
