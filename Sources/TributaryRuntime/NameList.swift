// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryFiles

/// Contribution names as an object: sorted, 16 bytes each, high word first, both big-endian.
enum NameList {
    static func write(_ names: [ContributionName], to store: ObjectStore) throws -> ObjectReference {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(names.count * ContributionName.byteCount)
        for name in names {
            for word in [name.high, name.low] {
                for shift in stride(from: 56, through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
                }
            }
        }
        return try store.put(bytes)
    }

    /// `nil` when the object is not there or holds no whole number of names.
    static func read(_ object: ObjectReference, from store: ObjectStore) -> [ContributionName]? {
        guard let file = try? store.mapped(object.digest), file.byteCount % ContributionName.byteCount == 0 else {
            return nil
        }
        return file.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: ContributionName.byteCount).map { start in
                func word(_ offset: Int) -> UInt64 {
                    (0..<8).reduce(0) { $0 << 8 | UInt64(bytes[start + offset + $1]) }
                }
                return ContributionName(high: word(0), low: word(8))
            }
        }
    }
}
