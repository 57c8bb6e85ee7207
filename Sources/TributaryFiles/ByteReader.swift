// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The bytes of a file, or of a part of it, in order, decompressed on the way through one buffer.
final class ByteReader {
    enum Compression {
        case none
        case gzip
        case deflate
    }

    private static let blockByteCount = 256 * 1024

    let path: String
    private let file: FileHandle
    private let inflater: Inflater?
    private let isGzip: Bool
    /// The next byte of the file and the end of the part that is read.
    private var offset: UInt64
    private let end: UInt64
    /// Bytes of the file that were read and not yet used: `block[start..<stop]`.
    private let block: UnsafeMutableRawBufferPointer
    private var start = 0
    private var stop = 0
    private var hasEnded = false
    /// Bytes handed out or skipped so far.
    private(set) var position: UInt64 = 0
    /// The CRC-32 of what was handed out; meaningless once bytes were skipped without being read.
    private(set) var checksum: UInt32 = 0
    private(set) var hasSeeked = false

    /// Reads a part of a file.
    init(_ file: consuming FileHandle, part: Range<UInt64>, compression: Compression) {
        path = file.path
        self.file = file
        offset = part.lowerBound
        end = part.upperBound
        isGzip = compression == .gzip
        inflater =
            switch compression {
            case .none: nil
            case .gzip: Inflater(.gzip)
            case .deflate: Inflater(.raw)
            }
        block = .allocate(byteCount: Self.blockByteCount, alignment: 64)
    }

    /// Reads a whole file; one that starts like gzip is decompressed, whatever its name.
    convenience init(path: String) throws(FilesError) {
        let file = try FileHandle.reading(path)
        let byteCount = try file.byteCount()
        let isGzip = try Self.isGzip(file)
        self.init(file, part: 0..<byteCount, compression: isGzip ? .gzip : .none)
    }

    deinit { block.deallocate() }

    private static func isGzip(_ file: borrowing FileHandle) throws(FilesError) -> Bool {
        var magic: [UInt8] = []
        try file.forEachBlock(upTo: 2, blockByteCount: 2) { bytes in magic.append(contentsOf: bytes) }
        return magic == [0x1f, 0x8b]
    }

    /// Whether the bytes are decompressed on the way.
    var isCompressed: Bool { inflater != nil }

    /// The size of what is read, on the disk.
    var storedByteCount: UInt64 { end }

    /// Reads up to a buffer's worth; 0 means the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FilesError) -> Int {
        guard buffer.count > 0 else { return 0 }
        var count = 0
        while count == 0 && !hasEnded {
            if start == stop { try refill() }
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            count += inflater == nil ? take(into: rest) : try inflate(into: rest)
        }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if !hasSeeked { checksum = Inflater.checksum(bytes, after: checksum) }
        position += UInt64(count)
        return count
    }

    /// Reads a whole buffer's worth.
    ///
    /// - Throws: `FilesError.malformed` when the bytes end before.
    func readExactly(into buffer: UnsafeMutableRawBufferPointer) throws(FilesError) {
        var done = 0
        while done < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
            guard count > 0 else { throw truncated() }
            done += count
        }
    }

    /// Reads a few bytes into an array.
    func bytes(_ count: Int) throws(FilesError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        try span.withUnsafeMutableBytes { buffer throws(FilesError) in try readExactly(into: buffer) }
        return bytes
    }

    /// Leaves bytes out; those of an uncompressed file are not even read.
    func skip(_ byteCount: UInt64) throws(FilesError) {
        guard byteCount > 0 else { return }
        guard inflater == nil else { return try readAndForget(byteCount) }
        hasSeeked = true
        let buffered = min(byteCount, UInt64(stop - start))
        start += Int(buffered)
        let rest = byteCount - buffered
        guard rest <= end - offset else { throw truncated() }
        offset += rest
        position += byteCount
    }

    /// Makes sure that nothing follows; reads what a compressed stream has after its last byte.
    func expectEnd() throws(FilesError) {
        let surplus = try withScratch { buffer throws(FilesError) in try read(into: buffer) }
        guard surplus == 0 else {
            throw malformed("has bytes after the \(position - UInt64(surplus)) that its header states")
        }
    }

    /// The error for bytes that are not what the format says.
    func malformed(_ problem: String) -> FilesError {
        .malformed(path: path, at: "", problem: problem)
    }

    private func truncated() -> FilesError {
        malformed("ends too early; the file is incomplete: get it again")
    }

    private func readAndForget(_ byteCount: UInt64) throws(FilesError) {
        try withScratch { buffer throws(FilesError) in
            var rest = byteCount
            while rest > 0 {
                let wanted = Int(min(rest, UInt64(buffer.count)))
                try readExactly(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
                rest -= UInt64(wanted)
            }
        }
    }

    private func withScratch<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws(FilesError) -> Result
    ) throws(FilesError) -> Result {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 64)
        defer { scratch.deallocate() }
        return try body(scratch)
    }

    private func refill() throws(FilesError) {
        let wanted = Int(min(UInt64(block.count), end - offset))
        let count =
            wanted == 0
            ? 0 : try file.read(into: UnsafeMutableRawBufferPointer(rebasing: block[..<wanted]), at: offset)
        start = 0
        stop = count
        offset += UInt64(count)
        if count == 0 {
            guard inflater == nil else { throw truncated() }
            guard offset == end else { throw truncated() }
            hasEnded = true
        }
    }

    private func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, stop - start)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: block[start..<(start + count)]))
        start += count
        return count
    }

    private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(FilesError) -> Int {
        let input = UnsafeRawBufferPointer(rebasing: block[start..<stop])
        guard let inflater, let step = inflater.step(input, into: buffer) else {
            throw malformed("has damaged compressed data; get the file again")
        }
        start += step.consumed
        if step.hasEnded {
            let isLast = start == stop && offset == end
            if isLast {
                hasEnded = true
            } else if isGzip {
                inflater.reset()
            } else {
                throw malformed("has bytes after a member's compressed data")
            }
        }
        return step.produced
    }
}
