// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// An array in an IDX file or a NumPy archive whose first extent counts examples; read in rows, never whole.
struct ArrayFile: Sendable {
    /// Class numbers beyond this are not labels but something else in the wrong column.
    static let classCountMax = 65_536

    enum Container: Sendable {
        case idx
        case npz(ZipMember)
    }

    let path: String
    let container: Container
    let header: ArrayHeader
    /// Where the elements begin in the decompressed bytes.
    let dataOffset: UInt64

    private var decoder: ElementDecoder { ElementDecoder(type: header.type, isBigEndian: header.isBigEndian) }

    /// The file, and the member where there is one, for errors.
    var place: String {
        switch container {
        case .idx: path
        case .npz(let member): "\(path)(\(member.name))"
        }
    }

    /// Features of the rows asked for: `[rows.count, rowElementCount]`, row-major.
    ///
    /// `rows`: ascending, each in `0..<rowCount`.
    func features(rows: [UInt32]) throws(FilesError) -> [Float] {
        let reader = try open()
        // A file can only hold what its size allows, which was checked when it was opened.
        var features = [Float](repeating: 0, count: rows.count * header.rowElementCount)
        var span = features.mutableSpan
        try span.withUnsafeMutableBufferPointer { output throws(FilesError) in
            if header.isColumnMajor && header.rowElementCount > 1 {
                try readColumns(reader, rows: rows, into: output)
            } else {
                try readRows(reader, rows: rows, into: output)
            }
        }
        try finish(reader)
        return features
    }

    /// All labels: whole numbers in `0..<classCountMax`, `[rowCount]`.
    func labels() throws(FilesError) -> [Int32] {
        guard header.rowElementCount == 1 else {
            throw .malformed(
                path: place, at: "header", problem: "has the shape \(header.shape) where labels are one number each")
        }
        let reader = try open()
        var labels: [Int32] = []
        labels.reserveCapacity(header.rowCount)
        let size = header.type.byteCount
        try withBlock(byteCount: min(header.rowCount, 64 * 1024) * size) { block throws(FilesError) in
            while labels.count < header.rowCount {
                let count = min(block.count / size, header.rowCount - labels.count)
                try reader.readExactly(into: UnsafeMutableRawBufferPointer(rebasing: block[..<(count * size)]))
                for index in 0..<count {
                    guard let label = decoder.decodeInteger(UnsafeRawBufferPointer(block), at: index),
                        (0..<Int64(Self.classCountMax)).contains(label)
                    else {
                        throw .malformed(
                            path: place, at: "label \(labels.count)",
                            problem: "is not a whole number in 0..<\(Self.classCountMax); number the classes from 0")
                    }
                    labels.append(Int32(label))
                }
            }
        }
        try finish(reader)
        return labels
    }

    private func readRows(
        _ reader: ByteReader, rows: [UInt32], into output: UnsafeMutableBufferPointer<Float>
    ) throws(FilesError) {
        let width = header.rowElementCount
        try withBlock(byteCount: header.rowByteCount) { block throws(FilesError) in
            var next: UInt64 = 0
            for (number, row) in rows.enumerated() {
                try reader.skip((UInt64(row) - next) * UInt64(header.rowByteCount))
                try reader.readExactly(into: block)
                next = UInt64(row) + 1
                let target = UnsafeMutableBufferPointer(rebasing: output[(number * width)..<((number + 1) * width)])
                if let bad = decoder.decodeFeatures(UnsafeRawBufferPointer(block), into: target) {
                    throw notFinite(row: row, feature: bad)
                }
            }
        }
    }

    private func readColumns(
        _ reader: ByteReader, rows: [UInt32], into output: UnsafeMutableBufferPointer<Float>
    ) throws(FilesError) {
        let width = header.rowElementCount
        let positions = header.rowMajorPositions
        let size = header.type.byteCount
        try withBlock(byteCount: size) { block throws(FilesError) in
            var value: Float = 0
            for column in 0..<width {
                let position = positions?[column] ?? column
                var next: UInt64 = 0
                for (number, row) in rows.enumerated() {
                    try reader.skip((UInt64(row) - next) * UInt64(size))
                    try reader.readExactly(into: block)
                    next = UInt64(row) + 1
                    let bad = withUnsafeMutablePointer(to: &value) { pointer in
                        decoder.decodeFeatures(
                            UnsafeRawBufferPointer(block), into: UnsafeMutableBufferPointer(start: pointer, count: 1))
                    }
                    if bad != nil { throw notFinite(row: row, feature: position) }
                    output[number * width + position] = value
                }
                try reader.skip((UInt64(header.rowCount) - next) * UInt64(size))
            }
        }
    }

    /// Opens the bytes and goes to the first element.
    private func open() throws(FilesError) -> ByteReader {
        let reader =
            switch container {
            case .idx: try ByteReader(path: path)
            case .npz(let member): try member.open(in: path)
            }
        try reader.skip(dataOffset)
        return reader
    }

    /// Reads a compressed stream to its end, so that its checksum is compared, and refuses surplus bytes.
    private func finish(_ reader: ByteReader) throws(FilesError) {
        let end = dataOffset + header.byteCount
        guard reader.isCompressed || reader.position == end else { return }
        try reader.skip(end - reader.position)
        try reader.expectEnd()
        if case .npz(let member) = container { try member.check(reader) }
    }

    private func notFinite(row: UInt32, feature: Int) -> FilesError {
        .malformed(
            path: place, at: "example \(row), feature \(feature)",
            problem: "is not a finite float32; remove or replace it")
    }

    private func withBlock(
        byteCount: Int, _ body: (UnsafeMutableRawBufferPointer) throws(FilesError) -> Void
    ) throws(FilesError) {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        defer { block.deallocate() }
        try body(block)
    }
}
