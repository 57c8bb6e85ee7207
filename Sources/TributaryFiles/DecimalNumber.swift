// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Decimal numbers in text, read as float64 (correctly rounded) as NumPy and pandas read them.
enum DecimalNumber {
    /// Powers of ten that float64 holds exactly.
    private static let exactPowers: [Double] = (0...22).map { exponent in
        (0..<exponent).reduce(1.0) { product, _ in product * 10 }
    }

    /// The number in a field, with spaces around it allowed; `nil` for text, an empty field, NaN or infinity.
    static func parse(_ field: ArraySlice<UInt8>) -> Double? {
        let text = trim(field)
        guard text.count <= 64 else { return nil }
        return parseShort(text) ?? parseAny(text)
    }

    private static func trim(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = field
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }

    /// Digits and a point whose value is one exact division (Clinger, "How to Read Floating Point Numbers
    /// Accurately", 1990): below 2^53 over a power of ten up to 10^22.
    private static func parseShort(_ text: ArraySlice<UInt8>) -> Double? {
        var mantissa: UInt64 = 0
        var digitCount = 0
        var fractionCount = 0
        var hasPoint = false
        let isNegative = text.first == 0x2d
        for byte in isNegative ? text.dropFirst() : text {
            switch byte {
            case 0x30...0x39:
                mantissa = mantissa &* 10 &+ UInt64(byte - 0x30)
                digitCount += 1
                if hasPoint { fractionCount += 1 }
            case 0x2e where !hasPoint: hasPoint = true
            default: return nil
            }
        }
        guard (1...18).contains(digitCount), mantissa < 1 << 53 else { return nil }
        let value = Double(mantissa) / exactPowers[fractionCount]
        return isNegative ? -value : value
    }

    private static func parseAny(_ text: ArraySlice<UInt8>) -> Double? {
        // Only what is a decimal number: Double also reads hexadecimal, "inf" and "nan".
        let isDecimal = text.allSatisfy { byte in
            (0x30...0x39).contains(byte) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains(byte)
        }
        guard isDecimal, let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }
}
