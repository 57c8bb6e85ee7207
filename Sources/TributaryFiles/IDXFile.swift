// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// The IDX format of the MNIST files: `00 00 type dimensions`, big-endian extents, big-endian elements, row-major.
enum IDXFile {
    /// Reads a header and checks that the file's size fits it.
    ///
    /// - Throws: `FilesError.malformed` for anything that is not an IDX file or has another length than it says.
    static func open(_ path: String) throws(FilesError) -> ArrayFile {
        let reader = try ByteReader(path: path)
        let magic = try reader.bytes(4)
        guard magic[0] == 0, magic[1] == 0 else {
            throw reader.malformed("does not start like an IDX file (00 00); give the path of an IDX file")
        }
        guard let type = elementType(magic[2]) else {
            throw reader.malformed("has elements of the unknown IDX type \(magic[2]); 8, 9, 11 to 14 are known")
        }
        let dimensionCount = Int(magic[3])
        guard (1...ArrayHeader.dimensionCountMax).contains(dimensionCount) else {
            throw reader.malformed("has \(dimensionCount) dimensions; 1 to \(ArrayHeader.dimensionCountMax) are read")
        }
        let bytes = try reader.bytes(4 * dimensionCount)
        let shape = (0..<dimensionCount).map { dimension in
            bytes[(4 * dimension)..<(4 * dimension + 4)].reduce(0) { $0 << 8 | Int($1) }
        }
        let header = try ArrayHeader(
            type: type, isBigEndian: true, isColumnMajor: false, shape: shape, path: path)
        let dataOffset = UInt64(4 + 4 * dimensionCount)
        try checkSize(dataOffset + header.byteCount, of: reader)
        return ArrayFile(path: path, container: .idx, header: header, dataOffset: dataOffset)
    }

    private static func elementType(_ code: UInt8) -> ElementType? {
        switch code {
        case 0x08: .unsigned8
        case 0x09: .signed8
        case 0x0B: .signed16
        case 0x0C: .signed32
        case 0x0D: .float32
        case 0x0E: .float64
        default: nil
        }
    }

    private static func checkSize(_ stated: UInt64, of reader: ByteReader) throws(FilesError) {
        let stored = reader.storedByteCount
        if reader.isCompressed {
            let (limit, overflow) = stored.multipliedReportingOverflow(by: Inflater.expansionMax)
            guard overflow || stated <= limit else {
                throw reader.malformed("states \(stated) bytes, more than its \(stored) compressed bytes can hold")
            }
        } else if stated != stored {
            throw reader.malformed(
                "has \(stored) bytes where its header states \(stated); the file is damaged or incomplete: get it again"
            )
        }
    }
}
