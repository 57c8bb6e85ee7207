// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A SHA-256 digest: the address of an object (model, update, sum, name list).
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// The number of bytes in a digest.
    package static let byteCount = 32

    private let words: InlineArray<4, UInt64>

    /// Reads 32 bytes; `nil` when `bytes` has another length.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Digest.byteCount else { return nil }
        var words = InlineArray<4, UInt64>(repeating: 0)
        for (position, byte) in bytes.enumerated() {
            words[position / 8] |= UInt64(byte) << UInt64(8 * (position % 8))
        }
        self.words = words
    }

    /// Reads 32 bytes; `nil` when `bytes` has another length.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Digest.byteCount else { return nil }
        words = InlineArray { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)) }
    }

    /// The digest of four words, the first eight bytes in the first word's little-endian form.
    package init(words first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        words = [first, second, third, fourth]
    }

    /// Reads 64 hexadecimal digits; `nil` for anything else.
    package init?(hexadecimal text: String) {
        let digits = text.utf8.map { byte -> UInt8? in
            switch byte {
            case 48...57: byte - 48
            case 97...102: byte - 87
            default: nil
            }
        }
        guard digits.count == 64, !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        self.init((0..<32).map { values[2 * $0] << 4 | values[2 * $0 + 1] })
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        (0..<Digest.byteCount).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(8 * ($0 % 8))) }
    }

    /// Writes the 32 bytes to the beginning of `buffer`, which must hold them.
    package func write(to buffer: UnsafeMutableRawBufferPointer) {
        for position in 0..<4 {
            buffer.storeBytes(of: words[position].littleEndian, toByteOffset: 8 * position, as: UInt64.self)
        }
    }

    /// 64 lower-case hexadecimal digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The first 12 hexadecimal digits, for people.
    package var short: String { String(description.prefix(12)) }

    package static func == (left: Digest, right: Digest) -> Bool {
        left.words[0] == right.words[0] && left.words[1] == right.words[1]
            && left.words[2] == right.words[2] && left.words[3] == right.words[3]
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(words[0]) }
}
