// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// How many devices have which accuracy, with the worst tenth, the mean and the best tenth marked.
struct Histogram {
    static let binCount = 20
    let fairness: RunRecord.Fairness

    /// The share of the devices in each of `binCount` equal ranges of 0...1.
    var shares: [Double] {
        var counts = [Int](repeating: 0, count: Self.binCount)
        for value in fairness.values where value.isFinite {
            counts[min(max(Int(min(max(value, 0), 1) * Double(Self.binCount)), 0), Self.binCount - 1)] += 1
        }
        let total = Double(max(1, fairness.values.count))
        return counts.map { Double($0) / total }
    }

    func markup(id: String) -> Markup {
        let shares = shares
        let frame = Frame(
            x: Scale(low: 0, high: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1]), y: .linear(shares, startsAtZero: true),
            xUnit: .share, yUnit: .share, xTitle: "accuracy on a device's own examples")
        var content = [frame.axes]
        let width = 1 / Double(Self.binCount)
        for (bin, share) in shares.enumerated() where share > 0 {
            let low = Double(bin) * width
            guard let start = frame.point(low, share), let end = frame.point(low + width, 0) else { continue }
            let tip =
                "\(NumberText.percent(low, 0)) to \(NumberText.percent(low + width, 0)): "
                + "\(NumberText.percent(share)) of the devices"
            content.append(
                .element(
                    "rect",
                    [
                        "class": "bar s0", "x": Frame.number(start.x + 1), "y": Frame.number(start.y),
                        "width": Frame.number(end.x - start.x - 2), "height": Frame.number(end.y - start.y),
                    ], [.element("title", text: tip)]))
        }
        for (name, value) in figures {
            guard let top = frame.point(value, frame.y.high), let bottom = frame.point(value, 0) else { continue }
            let tip = Markup.element("title", text: "\(name): \(NumberText.percent(value))")
            content.append(
                .element(
                    "path",
                    [
                        "class": "level",
                        "d": "M\(Frame.number(top.x)) \(Frame.number(top.y))V\(Frame.number(bottom.y))",
                    ], [tip]))
        }
        return .picture(
            id: id, title: "Accuracy on single devices", description: description, width: Frame.width,
            height: Frame.height, content)
    }

    private var figures: [(name: String, value: Double)] {
        [
            ("worst tenth", fairness.worstDecileMean), ("mean", fairness.mean),
            ("best tenth", fairness.bestDecileMean),
        ]
    }

    private var description: String {
        let said = figures.map { "\($0.name) \(NumberText.percent($0.value))" }.joined(separator: ", ")
        return "Distribution over \(fairness.sampleCount) devices after round \(fairness.round): \(said)."
    }
}
