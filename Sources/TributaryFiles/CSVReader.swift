// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Comma-separated values as RFC 4180 has them, and what programs really write: LF or CRLF, a byte order mark, quoted
// fields with commas, line ends and doubled quotes, blank lines.

/// The records of a CSV file in order, in a buffer that is used again for each.
struct CSVReader {
    /// One record: a hundred thousand numbers of 20 digits fit well.
    static let recordByteCountMax = 16 << 20
    static let fieldCountMax = 1 << 18
    /// A decompressed file of 1 TiB is a mistake or an attack.
    private static let byteCountMax: UInt64 = 1 << 40

    /// Where a field's bytes end in the record's buffer, and where it began in the file.
    struct Field {
        var end: Int
        var line: Int
        var column: Int
    }

    private enum Place {
        case fieldStart, plain, quoted, afterQuote, afterReturn
    }

    let path: String
    private let reader: ByteReader
    private var block = [UInt8](repeating: 0, count: 256 * 1024)
    private var blockStart = 0
    private var blockEnd = 0
    private var line = 1
    private var column = 1
    private(set) var content: [UInt8] = []
    private(set) var fields: [Field] = []
    private var fieldLine = 1
    private var fieldColumn = 1

    init(path: String) throws(FilesError) {
        self.path = path
        reader = try ByteReader(path: path)
        try refill()
        if block[..<blockEnd].starts(with: [0xef, 0xbb, 0xbf]) { blockStart = 3 }
        if block[..<blockEnd].starts(with: [0xff, 0xfe]) || block[..<blockEnd].starts(with: [0xfe, 0xff]) {
            throw .text(path: path, line: 1, column: 1, problem: "is UTF-16; save the file as UTF-8")
        }
    }

    /// The line on which the current record begins.
    var recordLine: Int { fields.first?.line ?? line }

    /// The bytes of a field of the current record, without its quotes.
    func field(_ number: Int) -> ArraySlice<UInt8> {
        content[(number == 0 ? 0 : fields[number - 1].end)..<fields[number].end]
    }

    /// The error for a field of the current record.
    func refuse(field number: Int, _ problem: String) -> FilesError {
        .text(path: path, line: fields[number].line, column: fields[number].column, problem: problem)
    }

    /// Reads the next record that is not a blank line; `false` at the end.
    ///
    /// - Throws: `FilesError.text` for quotes in the wrong place, a carriage return alone, a record too long.
    mutating func next() throws(FilesError) -> Bool {
        repeat {
            content.removeAll(keepingCapacity: true)
            fields.removeAll(keepingCapacity: true)
            guard try readRecord() else { return false }
        } while fields.count == 1 && content.isEmpty
        return true
    }

    private mutating func readRecord() throws(FilesError) -> Bool {
        var place = Place.fieldStart
        (fieldLine, fieldColumn) = (line, column)
        while true {
            if blockStart == blockEnd {
                try refill()
                if blockEnd == 0 { return try endOfFile(at: place) }
            }
            if place == .plain { takePlain() }
            guard blockStart < blockEnd else { continue }
            let byte = block[blockStart]
            if try step(byte, &place) { return true }
            guard content.count <= Self.recordByteCountMax else {
                throw refuse("the record is longer than \(Self.recordByteCountMax) bytes; is a quote missing?")
            }
        }
    }

    /// Takes one byte; `true` when the record ends with it.
    private mutating func step(_ byte: UInt8, _ place: inout Place) throws(FilesError) -> Bool {
        blockStart += 1
        column += 1
        switch (place, byte) {
        case (.quoted, 0x22): place = .afterQuote
        case (.quoted, _):
            content.append(byte)
            if byte == 0x0a { startLine() }
        case (.afterReturn, 0x0a), (_, 0x0a):
            try endField()
            startLine()
            return true
        case (.afterReturn, _):
            throw refuse("a carriage return stands alone; end lines by LF or CRLF")
        case (_, 0x0d): place = .afterReturn
        case (_, 0x2c):
            try endField()
            (fieldLine, fieldColumn) = (line, column)
            place = .fieldStart
        case (.fieldStart, 0x22): place = .quoted
        case (.afterQuote, 0x22):
            content.append(byte)
            place = .quoted
        case (.afterQuote, _):
            throw refuse("text follows a closing quote; double the quotes inside a quoted field")
        case (.plain, 0x22):
            throw refuse("a quote stands inside a field; put the whole field in quotes and double those inside")
        case (.fieldStart, _), (.plain, _):
            content.append(byte)
            place = .plain
        }
        return false
    }

    /// Takes bytes of an unquoted field up to the next one that means something.
    private mutating func takePlain() {
        let rest = block[blockStart..<blockEnd]
        let end = rest.firstIndex { $0 == 0x2c || $0 == 0x0a || $0 == 0x0d || $0 == 0x22 } ?? blockEnd
        content.append(contentsOf: block[blockStart..<end])
        column += end - blockStart
        blockStart = end
    }

    private mutating func endOfFile(at place: Place) throws(FilesError) -> Bool {
        guard place != .quoted else {
            throw .text(path: path, line: fieldLine, column: fieldColumn, problem: "a quoted field has no end")
        }
        if place == .fieldStart && fields.isEmpty { return false }
        try endField()
        return true
    }

    private mutating func endField() throws(FilesError) {
        guard fields.count < Self.fieldCountMax else {
            throw refuse("the record has more than \(Self.fieldCountMax) fields")
        }
        fields.append(Field(end: content.count, line: fieldLine, column: fieldColumn))
    }

    private mutating func startLine() {
        line += 1
        column = 1
    }

    private func refuse(_ problem: String) -> FilesError {
        .text(path: path, line: line, column: column - 1, problem: problem)
    }

    private mutating func refill() throws(FilesError) {
        guard reader.position < Self.byteCountMax else {
            throw .tooLarge(what: path, actual: reader.position, limit: Self.byteCountMax)
        }
        let reader = reader
        var span = block.mutableSpan
        let count = try span.withUnsafeMutableBytes { buffer throws(FilesError) in try reader.read(into: buffer) }
        (blockStart, blockEnd) = (0, count)
    }
}
