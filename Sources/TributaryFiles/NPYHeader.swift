// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// NumPy's array format: NEP 1, "A Simple File Format for NumPy Arrays": \x93NUMPY, a version, the length of the header
// and a Python dictionary with 'descr', 'fortran_order' and 'shape'.

/// Arrays of a NumPy archive.
enum NPZFile {
    /// A header of 64 KiB holds any shape; NumPy itself pads to 64 bytes.
    private static let headerByteCountMax: UInt64 = 64 * 1024

    /// Finds an array in an archive and reads its header.
    ///
    /// - Throws: `FilesError.malformed` when there is no such array, or its type or size is not right.
    static func open(_ archive: ZipArchive, array name: String) throws(FilesError) -> ArrayFile {
        let found = archive.members.filter { $0.name == "\(name).npy" }
        guard let member = found.first, found.count == 1 else {
            let names = archive.members.prefix(8).map {
                $0.name.hasSuffix(".npy") ? String($0.name.dropLast(4)) : $0.name
            }
            throw .malformed(
                path: archive.path, at: "",
                problem: found.isEmpty
                    ? "has no array '\(name)'; it has \(names.joined(separator: ", "))"
                    : "has several arrays '\(name)'; save the archive again")
        }
        let place = "\(archive.path)(\(member.name))"
        let reader = try member.open(in: archive.path)
        let start = try reader.bytes(8)
        guard start[0..<6].elementsEqual([0x93] + Array("NUMPY".utf8)), (1...3).contains(start[6]) else {
            throw .malformed(path: place, at: "", problem: "is not a NumPy array; save it with numpy.savez")
        }
        let lengthBytes = try reader.bytes(start[6] == 1 ? 2 : 4)
        let length = lengthBytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= headerByteCountMax else {
            throw .tooLarge(what: "\(place): header", actual: length, limit: headerByteCountMax)
        }
        var parser = NPYHeaderParser(try reader.bytes(Int(length)), path: place)
        let header = try parser.parse()
        let dataOffset = UInt64(8 + lengthBytes.count) + length
        guard dataOffset + header.byteCount == member.byteCount else {
            throw .malformed(
                path: place, at: "header",
                problem: "states \(header.byteCount) bytes of elements where \(member.byteCount) - \(dataOffset) follow"
            )
        }
        return ArrayFile(path: archive.path, container: .npz(member), header: header, dataOffset: dataOffset)
    }
}

/// The Python dictionary at the beginning of a NumPy array: only the three known keys and their plain values.
private struct NPYHeaderParser {
    private let text: [UInt8]
    private let path: String
    private var position = 0

    init(_ text: [UInt8], path: String) {
        self.text = text
        self.path = path
    }

    mutating func parse() throws(FilesError) -> ArrayHeader {
        var description: String?
        var isColumnMajor: Bool?
        var shape: [Int]?
        try expect("{")
        while !take("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where description == nil: description = try string()
            case "fortran_order" where isColumnMajor == nil: isColumnMajor = try boolean()
            case "shape" where shape == nil: shape = try tuple()
            default: throw refuse("has an unknown or repeated key")
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        skipSpace()
        guard position == text.count, let description, let isColumnMajor, let shape else {
            throw refuse("is not a dictionary of descr, fortran_order and shape")
        }
        let type = try elementType(description)
        return try ArrayHeader(
            type: type.0, isBigEndian: type.isBigEndian, isColumnMajor: isColumnMajor, shape: shape, path: path)
    }

    private func elementType(_ text: String) throws(FilesError) -> (ElementType, isBigEndian: Bool) {
        let types: [String: ElementType] = [
            "u1": .unsigned8, "b1": .unsigned8, "i1": .signed8, "u2": .unsigned16, "i2": .signed16,
            "u4": .unsigned32, "i4": .signed32, "u8": .unsigned64, "i8": .signed64, "f4": .float32, "f8": .float64,
        ]
        guard let order = text.first, "<>|".contains(order), let type = types[String(text.dropFirst())],
            order != "|" || type.byteCount == 1
        else {
            throw refuse("has elements of the type '\(text.prefix(16))'; convert them with .astype('float32')")
        }
        return (type, order == ">")
    }

    private func refuse(_ problem: String) -> FilesError {
        .malformed(path: path, at: "header, byte \(position)", problem: problem)
    }

    private mutating func skipSpace() {
        while position < text.count, [0x20, 0x0a, 0x09, 0x0d].contains(text[position]) { position += 1 }
    }

    private mutating func take(_ literal: StaticString) -> Bool {
        skipSpace()
        let wanted = UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        guard text[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func expect(_ literal: StaticString) throws(FilesError) {
        guard take(literal) else { throw refuse("lacks '\(literal)'; save the array again with numpy.savez") }
    }

    private mutating func string() throws(FilesError) -> String {
        skipSpace()
        guard position < text.count, text[position] == 0x27 || text[position] == 0x22 else {
            throw refuse("has no plain text where one belongs; arrays of records or objects are not read")
        }
        let quote = text[position]
        let rest = text[(position + 1)...]
        guard let end = rest.firstIndex(of: quote) else { throw refuse("has a text without an end") }
        defer { position = end + 1 }
        return String(decoding: text[(position + 1)..<end], as: UTF8.self)
    }

    private mutating func boolean() throws(FilesError) -> Bool {
        if take("True") { return true }
        try expect("False")
        return false
    }

    private mutating func tuple() throws(FilesError) -> [Int] {
        var numbers: [Int] = []
        try expect("(")
        while !take(")") {
            numbers.append(try integer())
            guard numbers.count <= 32 else { throw refuse("has more than 32 dimensions") }
            if !take(",") {
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func integer() throws(FilesError) -> Int {
        skipSpace()
        let digits = text[position...].prefix { (0x30...0x39).contains($0) }
        guard let number = Int(String(decoding: digits, as: UTF8.self)) else {
            throw refuse("has no whole number below 2^63 where one belongs")
        }
        position += digits.count
        return number
    }
}
