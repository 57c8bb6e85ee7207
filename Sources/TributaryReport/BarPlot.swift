// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Amounts as horizontal bars, one below the other, each with its name and its number.
struct BarPlot {
    /// One bar; its parts lie one after the other.
    struct Bar {
        var name: String
        /// Which colour each part has, and how much it is.
        var parts: [(style: Int, value: Double)]
        var total: Double { parts.reduce(0) { $0 + $1.value } }
    }

    var title: String
    var unit: AxisUnit
    var bars: [Bar]
    /// Names of the parts' styles, when there are several.
    var legend: [(style: Int, name: String)] = []

    private static let rowHeight = 40.0

    func markup(id: String) -> Markup {
        let most = bars.map(\.total).filter(\.isFinite).max() ?? 0
        let full = Frame.width - 96
        var content: [Markup] = []
        for (row, bar) in bars.enumerated() {
            let top = Double(row) * Self.rowHeight
            content.append(Frame.text("bar-name", 0, top + 14, anchor: "start", bar.name))
            var x = 0.0
            for part in bar.parts {
                let width = most > 0 ? part.value / most * full : 0
                content.append(
                    .element(
                        "rect",
                        [
                            "class": "bar s\(part.style % Swatch.count)", "x": Frame.number(x),
                            "y": Frame.number(top + 20), "width": Frame.number(max(width, part.value > 0 ? 1 : 0)),
                            "height": "13",
                        ], []))
                x += width
            }
            content.append(Frame.text("bar-value", x + 8, top + 31, anchor: "start", unit.text(bar.total)))
        }
        let said = bars.map { "\($0.name): \(unit.text($0.total))" }.joined(separator: "; ")
        let picture = Markup.picture(
            id: id, title: title, description: said + ".", width: Frame.width,
            height: max(Double(bars.count), 1) * Self.rowHeight, content)
        return .join([key, picture])
    }

    private var key: Markup {
        guard legend.count > 1 else { return .empty }
        return .element(
            "ul", ["class": "legend"],
            legend.map { .element("li", [:], [Swatch.fill($0.style), .text($0.name)]) })
    }
}
