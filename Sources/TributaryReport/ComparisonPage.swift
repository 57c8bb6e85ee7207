// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

extension RunComparison {
    /// A whole page of HTML that needs nothing but itself: finals, differences, and curves one over the other.
    package var html: String {
        var page = Page()
        var cards = [
            page.card(
                "What the runs came to", page.table(.init(titles: Self.titles, rows: finals, wordColumns: 2)),
                note: sameModelNote, width: .row),
            differencesCard(page),
        ]
        for plot in plots where !plot.isEmpty {
            cards.append(page.card(plot.title, plot.markup(id: page.nextID()), table: table(of: plot)))
        }
        let names = entries.map(\.name).joined(separator: ", ")
        let header = Markup.element(
            "header", [:],
            [
                .element("h1", text: "\(entries.count) runs compared"),
                .element("p", ["class": "about"], text: names),
            ] + cutShort)
        let footer = Markup.element("footer", text: "This page loads nothing and can be kept or sent.")
        return Page.document(
            title: "\(entries.count) runs compared", [header, .element("div", ["class": "grid"], cards), footer])
    }

    private var cutShort: [Markup] {
        let names = entries.filter { !$0.run.isComplete }.map(\.name)
        guard !names.isEmpty else { return [] }
        let text = "Cut short, so its figures are not those of a whole run: \(names.joined(separator: ", "))."
        return [.element("p", ["class": "warning", "role": "note"], text: text)]
    }

    private var sameModelNote: String {
        let models = entries.map(\.run.final.modelSHA256)
        guard entries.count > 1, models[0] != nil, Set(models).count == 1 else { return "" }
        return "All runs ended with the same model, bit for bit."
    }

    private func differencesCard(_ page: Page) -> Markup {
        let rows = differences
        let content =
            rows.isEmpty
            ? Markup.element("p", text: "The runs have the same settings.")
            : page.table(
                .init(
                    titles: ["setting"] + entries.map(\.name), rows: rows.map { [$0.key] + $0.values },
                    wordColumns: entries.count + 1))
        return page.card("What differs in their settings", content, width: .row)
    }

    // MARK: Curves

    private var plots: [LinePlot] {
        var plots = [
            plot("Accuracy by round", "round", .count, .share, x: Self.rounds) { $0.rounds.map(\.accuracy) },
            plot("Loss by round", "round", .count, .plain, x: Self.rounds) { $0.rounds.map(\.loss) },
        ]
        // One axis has one clock.
        let clocks = Set(entries.map(\.run.timeAxisTitle))
        if clocks.count == 1, let clock = clocks.first {
            plots.append(
                plot("Accuracy over \(clock)", clock, .seconds, .share, x: { $0.roundEnds }) {
                    $0.rounds.map(\.accuracy)
                })
        }
        plots.append(
            plot("Accuracy over traffic", "bytes so far", .bytes, .share, x: Self.traffic) { $0.rounds.map(\.accuracy) }
        )
        if entries.contains(where: { $0.run.spentJoules != nil }) {
            plots.append(
                plot("Accuracy over energy", "joules so far", .joules, .share, x: Self.joules) { run in
                    run.rounds.map { $0.spentJoules == nil ? nil : $0.accuracy }
                })
        }
        plots.append(
            plot("Devices that reported", "round", .count, .share, x: Self.rounds) { run in
                run.rounds.map { $0.selected > 0 ? Double($0.reported) / Double($0.selected) : nil }
            })
        plots.append(fairness)
        return plots
    }

    private func plot(
        _ title: String, _ xTitle: String, _ xUnit: AxisUnit, _ yUnit: AxisUnit, x: (RunRecord) -> [Double],
        y: (RunRecord) -> [Double?]
    ) -> LinePlot {
        let series = entries.enumerated().map { position, entry in
            let points = zip(x(entry.run), y(entry.run)).map { (x: $0, y: $1) }
            return LinePlot.Series(
                name: entry.name, style: position, isSecond: position >= Swatch.count, points: points)
        }
        var plot = LinePlot(title: title, xTitle: xTitle, xUnit: xUnit, yUnit: yUnit, series: series)
        plot.bounds = yUnit == .share ? 0...1 : nil
        return plot
    }

    /// For each accuracy, the share of the devices that are served no better.
    private var fairness: LinePlot {
        let series = entries.enumerated().compactMap { position, entry -> LinePlot.Series? in
            guard let values = entry.run.fairness?.values, !values.isEmpty else { return nil }
            let points = values.enumerated().map { (x: $1, y: Double($0 + 1) / Double(values.count) as Double?) }
            return .init(name: entry.name, style: position, isSecond: position >= Swatch.count, points: points)
        }
        var plot = LinePlot(
            title: "Share of devices at or below an accuracy", xTitle: "accuracy on a device's own examples",
            xUnit: .share,
            yUnit: .share, series: series)
        plot.bounds = 0...1
        plot.startsAtZero = true
        return plot
    }

    private static func rounds(_ run: RunRecord) -> [Double] { run.rounds.map { Double($0.round) } }

    private static func traffic(_ run: RunRecord) -> [Double] {
        var sum = 0.0
        return run.rounds.map { round in
            sum += (Array(round.bytesUp.values) + Array(round.bytesDown.values)).reduce(0) { $0 + Double($1) }
            return sum
        }
    }

    private static func joules(_ run: RunRecord) -> [Double] {
        var sum = 0.0
        return run.rounds.map { round in
            sum += round.spentJoules ?? 0
            return sum
        }
    }

    /// The points of a plot: one row for each position on the axis, one column for each run.
    private func table(of plot: LinePlot) -> Page.Table {
        let columns = plot.series.map { series in
            Dictionary(series.points.compactMap { point in point.y.map { (point.x, $0) } }, uniquingKeysWith: { $1 })
        }
        let rows = Set(columns.flatMap(\.keys)).sorted().map { x in
            [plot.xUnit.text(x)] + columns.map { $0[x].map { plot.yUnit.text($0) } ?? "-" }
        }
        return Page.Table(titles: [plot.xTitle] + plot.series.map(\.name), rows: rows)
    }
}
