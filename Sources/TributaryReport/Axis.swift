// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// How the numbers along an axis are written.
enum AxisUnit: Hashable {
    case plain
    case share
    case bytes
    case joules
    case seconds
    /// Whole numbers, written out.
    case count

    func text(_ value: Double) -> String {
        switch self {
        case .plain: NumberText.short(value)
        case .share: NumberText.percent(value)
        case .bytes: NumberText.bytes(value)
        case .joules: NumberText.joules(value)
        case .seconds: NumberText.seconds(value)
        case .count: NumberText.count(UInt64(exactly: value.rounded()) ?? (value > 0 ? .max : 0))
        }
    }

    /// The ticks of a scale: as few decimals as tell them apart.
    func tickTexts(_ ticks: [Double]) -> [String] {
        switch self {
        case .share:
            let isWhole = ticks.allSatisfy { abs($0 * 100 - ($0 * 100).rounded()) < 1e-6 }
            return ticks.map { NumberText.percent($0, isWhole ? 0 : 1) }
        case .plain, .bytes, .joules, .seconds, .count: return ticks.map { text($0) }
        }
    }
}

/// The frame of a plot: a viewBox, its margins, both axes; everything inside is drawn in the plot's own pixels.
struct Frame {
    static let width = 480.0
    static let height = 270.0
    private static let left = 62.0
    private static let right = 468.0
    private static let top = 12.0
    private static let bottom = 226.0

    let x: Scale
    let y: Scale
    let xUnit: AxisUnit
    let yUnit: AxisUnit
    let xTitle: String

    func horizontal(_ value: Double) -> Double? {
        x.position(value).map { Self.left + $0 * (Self.right - Self.left) }
    }
    func vertical(_ value: Double) -> Double? { y.position(value).map { Self.bottom - $0 * (Self.bottom - Self.top) } }

    /// A point of the plot; `nil` for what has no place in it.
    func point(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
        guard let x = horizontal(x), let y = vertical(y) else { return nil }
        return (x, y)
    }

    /// Grid, ticks and the horizontal axis' title.
    var axes: Markup {
        var parts: [Markup] = []
        for (tick, text) in zip(y.ticks, yUnit.tickTexts(y.ticks)) {
            guard let at = vertical(tick) else { continue }
            parts.append(Self.line("grid", Self.left, at, Self.right, at))
            parts.append(Self.text("tick", Self.left - 8, at + 4, anchor: "end", text))
        }
        for (tick, text) in zip(x.ticks, xUnit.tickTexts(x.ticks)) {
            guard let at = horizontal(tick) else { continue }
            parts.append(Self.line("axis", at, Self.bottom, at, Self.bottom + 4))
            parts.append(Self.text("tick", at, Self.bottom + 19, anchor: "middle", text))
        }
        parts.append(Self.line("axis", Self.left, Self.bottom, Self.right, Self.bottom))
        parts.append(
            Self.text("axis-title", (Self.left + Self.right) / 2, Self.bottom + 38, anchor: "middle", xTitle))
        return .join(parts)
    }

    /// A vertical stripe over the whole plot; a moment is a thin one.
    func stripe(from: Double, to: Double?, _ tip: String) -> Markup {
        // What lies wholly beside the plot would stick to its edge.
        guard from <= x.high, to ?? from >= x.low, let start = horizontal(from) else { return .empty }
        let end = to.flatMap { horizontal($0) } ?? start
        let title = Markup.element("title", text: tip)
        return .element(
            "rect",
            [
                "class": "fault", "x": Self.number(start), "y": Self.number(Self.top),
                "width": Self.number(max(end - start, 1.5)), "height": Self.number(Self.bottom - Self.top),
            ], [title])
    }

    /// A cross on the horizontal axis.
    func cross(at value: Double, _ tip: String) -> Markup {
        guard let x = horizontal(value) else { return .empty }
        let y = Self.bottom
        let d = "M\(Self.number(x - 4)) \(Self.number(y - 4))l8 8m0 -8l-8 8"
        return .element("path", ["class": "failed", "d": d], [.element("title", text: tip)])
    }

    /// A coordinate with one decimal.
    static func number(_ value: Double) -> String { NumberText.fixed(value, 1) }

    static func line(_ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Markup {
        .element(
            "line", ["class": name, "x1": number(x1), "y1": number(y1), "x2": number(x2), "y2": number(y2)], [])
    }

    static func text(_ name: String, _ x: Double, _ y: Double, anchor: String, _ text: String) -> Markup {
        .element("text", ["class": name, "x": number(x), "y": number(y), "text-anchor": anchor], text: text)
    }
}

extension Markup {
    /// A picture with a name and a description for those who cannot see it; `id` is unique on its page.
    static func picture(
        id: String, title: String, description: String, width: Double, height: Double, _ content: [Markup]
    ) -> Markup {
        let names: [Markup] = [
            .element("title", ["id": "\(id)-title"], text: title),
            .element("desc", ["id": "\(id)-desc"], text: description),
        ]
        return .element(
            "svg",
            [
                "viewBox": "0 0 \(Frame.number(width)) \(Frame.number(height))", "role": "img",
                "aria-labelledby": "\(id)-title \(id)-desc",
            ], names + content)
    }
}
