// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Curves over a common axis: told apart by colour, by dashes and by the shape of their points.
struct LinePlot {
    /// One curve; points without a value are left out.
    struct Series {
        var name: String
        /// Which colour and shape of the page it has.
        var style: Int
        /// Whether it belongs to the curve of the same style: drawn with dashes.
        var isSecond = false
        var points: [(x: Double, y: Double?)]
    }

    /// A time at which something was wrong.
    struct Stripe {
        var text: String
        var from: Double
        var to: Double?
    }

    var title: String
    var xTitle: String
    var xUnit: AxisUnit
    var yUnit: AxisUnit
    var series: [Series]
    var stripes: [Stripe] = []
    /// Failed rounds: where on the horizontal axis, and why.
    var crosses: [(x: Double, text: String)] = []
    var startsAtZero = false
    /// Whether curves often lie on each other.
    var mayOverlap = false
    var bounds: ClosedRange<Double>?

    /// Beyond so many points a curve is a line with a few marks, and its steps are merged.
    private static let markCountMax = 25
    private static let tipCountMax = 200
    private static let pointCountMax = 600

    var isEmpty: Bool { series.allSatisfy { $0.points.allSatisfy { $0.y == nil } } }

    /// The legend and the picture.
    func markup(id: String) -> Markup {
        let values = series.flatMap { $0.points.compactMap(\.y) }
        let xs = series.flatMap { $0.points.map(\.x) }
        let y =
            startsAtZero && (yUnit == .bytes || yUnit == .joules) && Self.isWide(values)
            ? Scale.logarithmic(values) : .linear(values, startsAtZero: startsAtZero, bounds: bounds)
        let frame = Frame(
            x: .tight(xs, unit: xUnit), y: y, xUnit: xUnit, yUnit: yUnit, xTitle: xTitle)
        var content = stripes.map { frame.stripe(from: $0.from, to: $0.to, $0.text) }
        content.append(frame.axes)
        content += series.map { curve($0, frame) }
        content += crosses.map { frame.cross(at: $0.x, $0.text) }
        let picture = Markup.picture(
            id: id, title: title, description: description(isLogarithmic: y.isLogarithmic), width: Frame.width,
            height: Frame.height, content)
        return .join([legend, picture])
    }

    /// Whether a linear axis would press most of the values flat.
    private static func isWide(_ values: [Double]) -> Bool {
        let positive = values.filter { $0 > 0 }
        guard let low = positive.min(), let high = positive.max() else { return false }
        return high / low > 60
    }

    private func description(isLogarithmic: Bool) -> String {
        let curves = series.compactMap { series -> String? in
            guard let first = series.points.first(where: { $0.y != nil }),
                let last = series.points.last(where: { $0.y != nil }), let from = first.y, let to = last.y
            else { return nil }
            return "\(series.name): \(yUnit.text(from)) at \(xUnit.text(first.x)), \(yUnit.text(to)) at "
                + "\(xUnit.text(last.x))"
        }
        let axis = isLogarithmic ? ", logarithmic vertical axis" : ""
        return "Curves over \(xTitle)\(axis). \(curves.joined(separator: "; "))."
    }

    private var legend: Markup {
        guard series.count > 1 || !stripes.isEmpty || !crosses.isEmpty else { return .empty }
        var items = series.map { series in
            Markup.element("li", [:], [Swatch.line(series.style, isSecond: series.isSecond), .text(series.name)])
        }
        if !stripes.isEmpty {
            items.append(.element("li", [:], [Swatch.fault, .text(stripes.count == 1 ? stripes[0].text : "faults")]))
        }
        if !crosses.isEmpty { items.append(.element("li", [:], [Swatch.cross, .text("failed round")])) }
        return .element("ul", ["class": "legend"], items)
    }

    private func curve(_ series: Series, _ frame: Frame) -> Markup {
        let points = Self.thinned(series.points)
        // A round that was not measured is no gap: what it would have been is between its neighbours.
        let places = points.compactMap { point in point.y.flatMap { frame.point(point.x, $0) } }
        let path = places.map { "\(Frame.number($0.x)) \(Frame.number($0.y))" }.joined(separator: "L")
        // Through the gaps of a later curve an earlier one on the same path can be seen.
        let overlap = mayOverlap && series.style > 0 ? " over" : ""
        let name = "line s\(series.style % Swatch.count)\(series.isSecond ? " second" : "")\(overlap)"
        return .join(
            [.element("path", ["class": name, "d": "M\(path.isEmpty ? "0 0" : path)"], [])] + marks(series, frame))
    }

    /// Marks at every point of a short curve, at some of a long one, always at its last; all but very long curves have
    /// the value of every point as a tip.
    private func marks(_ series: Series, _ frame: Frame) -> [Markup] {
        let points = series.points.compactMap { point in point.y.map { (x: point.x, y: $0) } }
        let step = points.count <= Self.markCountMax ? 1 : (points.count + 9) / 10
        return points.indices.compactMap { index in
            let isMarked = (points.count - 1 - index).isMultiple(of: step)
            guard isMarked || points.count <= Self.tipCountMax,
                let place = frame.point(points[index].x, points[index].y)
            else { return nil }
            let tip = "\(series.name), \(xTitle) \(xUnit.text(points[index].x)): \(yUnit.text(points[index].y))"
            guard isMarked else { return Swatch.tip(place.x, place.y, tip) }
            return Swatch.mark(
                series.style, place.x, place.y, radius: points.count > 14 && step == 1 ? 2.8 : 3.6, tip: tip)
        }
    }

    /// Of a long curve, evenly spaced points and its ends.
    private static func thinned(_ points: [(x: Double, y: Double?)]) -> [(x: Double, y: Double?)] {
        guard points.count > pointCountMax else { return points }
        return (0..<pointCountMax).map { points[$0 * (points.count - 1) / (pointCountMax - 1)] }
    }
}

/// The marks by which a curve is known: a colour and a shape for each style, dashes for its second kind.
enum Swatch {
    /// After so many, styles begin again.
    static let count = 6

    /// A sample of a curve, for a legend.
    static func line(_ style: Int, isSecond: Bool) -> Markup {
        let line = Markup.element(
            "path", ["class": "line s\(style % count)\(isSecond ? " second" : "")", "d": "M1 7H27"], [])
        return sample([line, mark(style, 14, 7, radius: 3.6, tip: nil)])
    }

    static var fault: Markup {
        sample([.element("rect", ["class": "fault", "x": "7", "y": "0", "width": "14", "height": "14"], [])])
    }

    static var cross: Markup { sample([.element("path", ["class": "failed", "d": "M10 3l8 8m0 -8l-8 8"], [])]) }

    /// A filled square, for bars.
    static func fill(_ style: Int) -> Markup {
        sample([
            .element("rect", ["class": "bar s\(style % count)", "x": "7", "y": "0", "width": "14", "height": "14"], [])
        ])
    }

    private static func sample(_ content: [Markup]) -> Markup {
        .element("svg", ["class": "swatch", "viewBox": "0 0 28 14", "aria-hidden": "true"], content)
    }

    /// Nothing to see, but a value to point at.
    static func tip(_ x: Double, _ y: Double, _ text: String) -> Markup {
        .element(
            "circle", ["class": "tip", "cx": Frame.number(x), "cy": Frame.number(y), "r": "5"],
            [.element("title", text: text)])
    }

    static func mark(_ style: Int, _ x: Double, _ y: Double, radius: Double, tip: String?) -> Markup {
        func n(_ value: Double) -> String { Frame.number(value) }
        let r = radius
        let d =
            switch style % count {
            case 0: "M\(n(x - r)) \(n(y))a\(n(r)) \(n(r)) 0 1 0 \(n(2 * r)) 0a\(n(r)) \(n(r)) 0 1 0 \(n(-2 * r)) 0z"
            case 1: "M\(n(x - r)) \(n(y - r))h\(n(2 * r))v\(n(2 * r))h\(n(-2 * r))z"
            case 2: "M\(n(x)) \(n(y - r * 1.2))l\(n(r * 1.2)) \(n(r * 2.1))h\(n(-r * 2.4))z"
            case 3:
                "M\(n(x)) \(n(y - r * 1.35))l\(n(r * 1.35)) \(n(r * 1.35))l\(n(-r * 1.35)) \(n(r * 1.35))"
                    + "l\(n(-r * 1.35)) \(n(-r * 1.35))z"
            case 4: "M\(n(x)) \(n(y + r * 1.2))l\(n(r * 1.2)) \(n(-r * 2.1))h\(n(-r * 2.4))z"
            default: "M\(n(x - r)) \(n(y - r / 2.5))h\(n(2 * r))v\(n(r * 0.8))h\(n(-2 * r))z"
            }
        return .element(
            "path", ["class": "mark s\(style % count)", "d": d], tip.map { [.element("title", text: $0)] } ?? [])
    }
}
