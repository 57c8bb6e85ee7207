// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// The page that shows one run to people: its facts, its curves, its tree, and a table beside every plot.
package struct ReportPage {
    private let run: RunRecord
    private var page = Page()
    private var cards: [Markup] = []

    private init(_ run: RunRecord) { self.run = run }

    /// A whole page of HTML that needs nothing but itself.
    package static func html(_ run: RunRecord) -> String {
        var report = ReportPage(run)
        report.addCards()
        let content: [Markup] = [
            report.header, report.page.tiles(report.facts),
            .element("div", ["class": "grid"], report.cards), report.footer,
        ]
        return Page.document(title: "\(run.federation) - \(run.command) report", content)
    }

    private mutating func addCards() {
        guard !run.rounds.isEmpty else {
            cards.append(page.card("Rounds", .element("p", text: "No round was finished."), width: .row))
            addTree()
            return addSettings()
        }
        addCurves()
        addTraffic()
        addEnergy()
        addParticipation()
        addFairness()
        addLabels()
        addTree()
        addFaults()
        addRounds()
        addSettings()
    }

    // MARK: The head

    private var header: Markup {
        let state = Markup.element(
            "span", ["class": run.isComplete ? "state" : "state cut"], text: run.isComplete ? "complete" : "cut short")
        var about = ["tributary \(run.command) \(run.version)", "seed \(run.seed)"]
        if let started = run.startedAt { about.append("started \(NumberText.date(started))") }
        var parts: [Markup] = [
            .element("h1", [:], [.text(run.federation), state]),
            .element("p", ["class": "about"], text: about.joined(separator: " \u{B7} ")),
        ]
        if !run.isComplete {
            parts.append(.element("p", ["class": "warning", "role": "note"], text: cutShort))
        }
        return .element("header", [:], parts)
    }

    private var cutShort: String {
        let planned = run.settings.first { $0.key == "rounds" }.map { " of \($0.value)" } ?? ""
        return "This run was cut short: it ended after \(run.rounds.count)\(planned) rounds, before it was done. "
            + "The figures below are those of the rounds that there are."
    }

    private var facts: [(name: String, value: String)] {
        let final = run.final
        var facts = [
            ("final accuracy", NumberText.percent(final.accuracy, 2)), ("final loss", NumberText.fixed(final.loss, 4)),
            ("rounds", roundsText), ("devices", NumberText.count(run.devices)),
            ("aggregators", NumberText.count(run.aggregators)),
        ]
        if let virtual = run.virtualSeconds { facts.append(("virtual time", NumberText.seconds(virtual))) }
        facts.append(("wall time", NumberText.seconds(run.wallSeconds)))
        facts.append(("traffic", NumberText.bytes(run.totalBytes)))
        if run.clientRoundsPerSecond > 0 {
            facts.append(("client rounds / s", NumberText.short(run.clientRoundsPerSecond)))
        }
        if run.peakResidentBytes > 0 { facts.append(("peak memory", NumberText.bytes(run.peakResidentBytes))) }
        facts.append(("model SHA-256", final.modelSHA256.map { String($0.prefix(12)) } ?? "-"))
        return facts
    }

    private var roundsText: String {
        let failed = run.rounds.filter { $0.failure != nil }.count
        let count = NumberText.count(UInt64(run.rounds.count))
        return failed == 0 ? count : "\(count), \(failed) failed"
    }

    private var footer: Markup {
        .element(
            "footer", text: "Written by tributary \(run.version). This page loads nothing and can be kept or sent.")
    }

    // MARK: Curves

    private mutating func addCurves() {
        for (title, unit, curves) in [
            ("Accuracy", AxisUnit.share, run.accuracyCurves), ("Loss", AxisUnit.plain, run.lossCurves),
        ] {
            addCurve(title, unit, curves, over: .rounds)
            if run.hasTimeAxis { addCurve(title, unit, curves, over: .time) }
        }
    }

    private enum Over { case rounds, time }

    private mutating func addCurve(_ title: String, _ unit: AxisUnit, _ curves: [RunRecord.Curve], over: Over) {
        let times = run.roundEnds
        let isTime = over == .time
        let axis = isTime ? run.timeAxisTitle : "round"
        func x(_ index: Int) -> Double { isTime ? times[index] : Double(run.rounds[index].round) }
        let series = curves.enumerated().map { style, curve in
            LinePlot.Series(
                name: curve.name, style: style,
                points: curve.values.enumerated().map { (x: x($0.offset), y: $0.element) })
        }
        var plot = LinePlot(
            title: isTime ? "\(title) over \(axis)" : "\(title) by round", xTitle: axis,
            xUnit: isTime ? .seconds : .count, yUnit: unit, series: series
        )
        guard !plot.isEmpty else { return }
        plot.bounds = unit == .share ? 0...1 : nil
        plot.stripes = isTime ? run.faults.map { .init(text: $0.text, from: $0.fromSeconds, to: $0.untilSeconds) } : []
        plot.crosses = run.rounds.indices.compactMap { index in
            run.rounds[index].failure.map { (x: x(index), text: "round \(run.rounds[index].round) failed: \($0)") }
        }
        let rows = run.rounds.indices.map { index in
            [isTime ? NumberText.seconds(x(index)) : "\(run.rounds[index].round)"]
                + curves.map {
                    unit == .share ? NumberText.percent($0.values[index], 2) : NumberText.fixed($0.values[index], 4)
                }
        }
        add(plot, table: Page.Table(titles: [axis] + curves.map(\.name), rows: rows))
    }

    private mutating func add(_ plot: LinePlot, note: String = "", table: Page.Table) {
        guard !plot.isEmpty else { return }
        cards.append(page.card(plot.title, plot.markup(id: page.nextID()), note: note, table: table))
    }

    // MARK: Traffic, energy, participation

    private mutating func addTraffic() {
        for (title, counts) in [
            ("Bytes up, from a tier to its parents", run.rounds.map(\.bytesUp)),
            ("Bytes down, to a tier from its parents", run.rounds.map(\.bytesDown)),
        ] {
            let tiers = run.tierNames(in: counts.flatMap(\.keys))
            let totals = tiers.map { tier in
                "\(tier) \(NumberText.bytes(counts.reduce(0) { $0 + Double($1[tier] ?? 0) }))"
            }
            addTierPlot(
                title, unit: .bytes,
                tiers.map { tier in (tier, counts.map { round in round[tier].map { Double($0) } }) },
                note: "In all: \(totals.joined(separator: ", ")).")
        }
    }

    private mutating func addEnergy() {
        let spent = run.rounds.map(\.energyJoules)
        let tiers = run.tierNames(in: spent.flatMap(\.keys))
        guard !tiers.isEmpty else { return }
        var series: [LinePlot.Series] = []
        var columns: [(String, [Double?])] = []
        for (style, tier) in tiers.enumerated() {
            let parts = [("compute", spent.map { $0[tier]?.compute }), ("radio", spent.map { $0[tier]?.radio })]
            for (name, values) in parts where values.contains(where: { $0 ?? 0 > 0 }) {
                columns.append(("\(tier), \(name)", values))
                series.append(
                    .init(
                        name: "\(tier), \(name)", style: style, isSecond: name == "radio", points: run.points(values)))
            }
        }
        let total = spent.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.compute + $1.radio } }
        let plot = LinePlot(
            title: "Energy by tier", xTitle: "round", xUnit: .count, yUnit: .joules, series: series, startsAtZero: true)
        add(plot, note: "In all: \(NumberText.joules(total)).", table: roundTable(columns, .joules))
    }

    private mutating func addParticipation() {
        let asked = run.rounds.map(\.participation)
        let tiers = run.tierNames(in: asked.flatMap(\.keys))
        let shares = tiers.map { tier in
            (
                tier,
                asked.map { round -> Double? in
                    round[tier].flatMap { $0.chosen > 0 ? Double($0.reported) / Double($0.chosen) : nil }
                }
            )
        }
        var plot = LinePlot(
            title: "Participation", xTitle: "round", xUnit: .count, yUnit: .share,
            series: shares.enumerated().map { .init(name: $1.0, style: $0, points: run.points($1.1)) },
            startsAtZero: true)
        plot.bounds = 0...1
        plot.mayOverlap = true
        let rows = run.rounds.map { round in
            ["\(round.round)"]
                + tiers.map { tier in
                    round.participation[tier].map {
                        "\(NumberText.count($0.reported)) of \(NumberText.count($0.chosen))"
                    }
                        ?? "-"
                }
        }
        add(
            plot, note: "Of a tier's nodes that were asked, the share that answered in time.",
            table: .init(titles: ["round"] + tiers, rows: rows))
        addReasons()
    }

    private mutating func addReasons() {
        var rows = run.dropOuts.map { (name: "\($0.tier): \($0.reason)", count: $0.count, style: 1) }
        rows += run.refusals.map { (name: "refused: \($0.reason)", count: $0.count, style: 3) }
        guard !rows.isEmpty else { return }
        let plot = BarPlot(
            title: "Drop-outs and refusals by reason", unit: .count,
            bars: rows.prefix(12).map { .init(name: $0.name, parts: [($0.style, Double($0.count))]) })
        cards.append(
            page.card(
                plot.title, plot.markup(id: page.nextID()), note: "Over the whole run; the codes are in the reference.",
                table: .init(titles: ["reason", "times"], rows: rows.map { [$0.name, NumberText.count($0.count)] })))
    }

    private mutating func addTierPlot(
        _ title: String, unit: AxisUnit, _ columns: [(String, [Double?])], note: String
    ) {
        let plot = LinePlot(
            title: title, xTitle: "round", xUnit: .count, yUnit: unit,
            series: columns.enumerated().map { .init(name: $1.0, style: $0, points: run.points($1.1)) },
            startsAtZero: true)
        add(plot, note: note, table: roundTable(columns, unit))
    }

    private func roundTable(_ columns: [(String, [Double?])], _ unit: AxisUnit) -> Page.Table {
        Page.Table(
            titles: ["round"] + columns.map(\.0),
            rows: run.rounds.indices.map { index in
                ["\(run.rounds[index].round)"] + columns.map { $0.1[index].map { unit.text($0) } ?? "-" }
            })
    }
}

// MARK: - Devices, tree, settings

extension ReportPage {
    private mutating func addFairness() {
        guard let fairness = run.fairness else { return }
        let histogram = Histogram(fairness: fairness)
        let figures = [
            ["devices asked", NumberText.count(fairness.sampleCount)], ["mean", NumberText.percent(fairness.mean, 2)],
            ["worst tenth", NumberText.percent(fairness.worstDecileMean, 2)],
            ["best tenth", NumberText.percent(fairness.bestDecileMean, 2)],
            ["standard deviation", NumberText.percent(fairness.standardDeviation, 2)],
            ["Jain's index (1 is even)", NumberText.fixed(fairness.jainIndex, 4)],
        ]
        let bins = histogram.shares.enumerated().map { bin, share in
            let width = 100 / Histogram.binCount
            return ["\(bin * width) to \((bin + 1) * width) %", NumberText.percent(share)]
        }
        let note =
            "Worst tenth \(NumberText.percent(fairness.worstDecileMean)), "
            + "mean \(NumberText.percent(fairness.mean)), "
            + "best tenth \(NumberText.percent(fairness.bestDecileMean)) (dotted, from left to right); Jain's index "
            + "\(NumberText.fixed(fairness.jainIndex, 3)); \(NumberText.count(fairness.sampleCount)) devices."
        cards.append(
            page.card(
                "Accuracy on single devices, round \(fairness.round)", histogram.markup(id: page.nextID()), note: note,
                table: .init(titles: ["figure", "value"], rows: figures + bins)))
    }

    private mutating func addLabels() {
        guard let map = run.labels, !map.nodes.isEmpty, !map.labels.isEmpty else { return }
        let columns: [Markup] = (["node"] + map.labels + ["examples"]).map {
            .element("th", ["scope": "col"], text: $0)
        }
        let rows = zip(map.nodes, map.counts).map { node, counts in
            let total = counts.reduce(0) { $0 &+ $1 }
            let cells = counts.map { count -> Markup in
                let share = total > 0 ? Double(count) / Double(total) : 0
                let strength = share > 0.75 ? "strong firm" : share > 0.62 ? "firm" : "weak"
                return .element(
                    "td",
                    [
                        "class": strength,
                        "style": "--share:\(NumberText.fixed(share, 3))",
                        "title": "\(NumberText.count(count)) examples",
                    ], text: count == 0 ? "\u{B7}" : NumberText.percent(share, 0))
            }
            return Markup.element(
                "tr", [:],
                [.element("th", ["scope": "row", "class": "word"], text: node)] + cells
                    + [.element("th", ["class": "number"], text: NumberText.count(total))])
        }
        let table = Markup.element(
            "table", ["class": "heat"],
            [.element("thead", [:], [.element("tr", [:], columns)]), .element("tbody", [:], rows)])
        let exact = zip(map.nodes, map.counts).map { [$0] + $1.map { NumberText.count($0) } }
        cards.append(
            page.card(
                "What the devices below each node hold",
                .element("div", ["class": "scroll whole", "tabindex": "0"], [table]),
                note: "The share of each label among a node's examples: the stronger, the more.",
                table: .init(titles: ["node"] + map.labels, rows: exact), width: run.fairness == nil ? .row : .two))
    }

    private mutating func addTree() {
        let picture = TreePicture(run)
        guard !picture.isEmpty else { return }
        let rows = run.tiers.map { [$0.name, $0.mode.rawValue, NumberText.count($0.nodeCount)] }
        cards.append(
            page.card(
                "The tree", picture.markup(id: page.nextID()),
                note: "Filled: adds sums and passes them on. Ring: steps a model of its own.",
                table: .init(titles: ["tier", "mode", "nodes"], rows: rows, wordColumns: 2),
                width: picture.isTall || run.faults.isEmpty ? .row : .two))
    }

    private mutating func addFaults() {
        guard !run.faults.isEmpty else { return }
        let rows = run.faults.map {
            [$0.text, NumberText.seconds($0.fromSeconds), $0.untilSeconds.map { NumberText.seconds($0) } ?? "-"]
        }
        cards.append(
            page.card(
                "Faults that were played", page.table(.init(titles: ["fault", "from", "until"], rows: rows)),
                width: TreePicture(run).isTall ? .row : .one))
    }

    private mutating func addRounds() {
        let rows = run.rounds.map { round in
            [
                "\(round.round)", round.failure ?? "committed", NumberText.percent(round.accuracy, 2),
                NumberText.fixed(round.loss, 4), NumberText.count(round.selected), NumberText.count(round.reported),
                NumberText.bytes(round.bytesUp.values.reduce(0) { $0 + Double($1) }),
                NumberText.bytes(round.bytesDown.values.reduce(0) { $0 + Double($1) }),
                NumberText.seconds(round.virtualSeconds), NumberText.seconds(round.wallSeconds),
                round.modelSHA256.map { String($0.prefix(12)) } ?? "-",
            ]
        }
        let titles = [
            "round", "outcome", "accuracy", "loss", "chosen", "reported", "bytes up", "bytes down", "virtual time",
            "wall time", "model SHA-256",
        ]
        cards.append(
            page.card(
                "Rounds", page.fold("\(run.rounds.count) rounds", .init(titles: titles, rows: rows, wordColumns: 2)),
                width: .row))
    }

    private mutating func addSettings() {
        var rows = [["seed", "\(run.seed)"]] + run.settings.map { [$0.key, $0.value] }
        if let digest = run.topologySHA256 { rows.append(["topology SHA-256", digest]) }
        if let digest = run.final.modelSHA256 { rows.append(["final model SHA-256", digest]) }
        if let path = run.modelPath { rows.append(["model file", path]) }
        if let path = run.directory { rows.append(["run directory", path]) }
        cards.append(
            page.card(
                "Settings",
                page.fold("\(rows.count) settings", .init(titles: ["setting", "value"], rows: rows, wordColumns: 2)),
                width: .row))
    }
}
