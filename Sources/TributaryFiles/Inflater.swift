// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// One zlib decompression stream; the memory it takes does not depend on its input.
final class Inflater {
    /// How the compressed bytes are framed.
    enum Framing {
        /// RFC 1952, with header, length and checksum.
        case gzip
        /// RFC 1951 alone, as in ZIP archives.
        case raw

        fileprivate var windowBits: CInt {
            switch self {
            case .gzip: 15 + 16
            case .raw: -15
            }
        }
    }

    /// What one step consumed and produced, and whether the stream ended with it; `nil` for bytes that are no stream.
    struct Step {
        var consumed: Int
        var produced: Int
        var hasEnded: Bool
    }

    /// DEFLATE cannot expand by more than this, so a larger size stated in a file is a lie.
    static let expansionMax: UInt64 = 1032

    // zlib keeps the address of its stream, so the stream has one of its own.
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ framing: Framing) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = inflateInit2_(
            stream, framing.windowBits, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib cannot start: out of memory, or another version than at build time")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Decompresses as much as input and output allow.
    func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Step? {
        let inputCount = UInt32(clamping: input.count)
        let outputCount = UInt32(clamping: output.count)
        // zlib reads through this pointer only; its type lacks the `const`.
        let start = input.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
        stream.pointee.next_in = start?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = inputCount
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = outputCount
        let code = inflate(stream, Z_NO_FLUSH)
        // Z_BUF_ERROR only says that more input is needed.
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { return nil }
        return Step(
            consumed: Int(inputCount - stream.pointee.avail_in),
            produced: Int(outputCount - stream.pointee.avail_out),
            hasEnded: code == Z_STREAM_END)
    }

    /// Starts over for the next member of a file of several.
    func reset() { inflateReset(stream) }

    /// Continues a CRC-32, as gzip and ZIP use it.
    static func checksum(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32) -> UInt32 {
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return UInt32(truncatingIfNeeded: crc32_z(UInt(checksum), start, bytes.count))
    }
}
