// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Plain tables for terminals.
package enum TextTable {
    /// A sentence broken at spaces into lines of at most 80 columns; lines after the first are indented.
    package static func wrapped(_ text: String, indent: Int) -> String {
        var lines: [String] = []
        var line = String(text.prefix { $0 == " " })
        for word in text.split(separator: " ") {
            if line.count + 1 + word.count > 80, !line.allSatisfy({ $0 == " " }) {
                lines.append(line)
                line = String(repeating: " ", count: indent)
            }
            line += (line.isEmpty || line.last == " " ? "" : " ") + word
        }
        return (lines + [line]).map { $0 + "\n" }.joined()
    }

    /// Columns padded to their widest cell and set two spaces apart; columns of numbers stand right.
    package static func text(titles: [String], rows: [[String]]) -> String {
        let table = [titles] + rows
        let widths = titles.indices.map { column in
            table.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        let isNumeric = titles.indices.map { column in
            rows.allSatisfy { column < $0.count && ($0[column] == "-" || $0[column].first?.isNumber == true) }
        }
        return table.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
                return isNumeric[column] ? padding + cell : cell + padding
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}

extension Double {
    /// The number as an amount of bytes for people, with decimal units.
    var byteText: String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        var rest = self
        var unit = 0
        while rest >= 999.5, unit < units.count - 1 {
            rest /= 1000
            unit += 1
        }
        guard rest.isFinite, rest < 1e6 else { return "-" }
        if unit == 0 || rest >= 99.5 { return "\(Int(rest.rounded())) \(units[unit])" }
        let tenths = Int((rest * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
