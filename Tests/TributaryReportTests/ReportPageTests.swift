// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import TributaryCore

@testable import TributaryReport

/// What Tests/Oracles/report/read_page.py finds in a page.
private struct Found: Decodable {
    struct Picture: Decodable {
        var title: String
        var description: String
    }
    var complaints: [String]
    var pictures: [Picture]
    var cards: [String]
    var notes: [String]
    var tables: Int
    var text: String
    var attributes: [String]

    /// Expects words in the page's text, without writing all of it when they are missing.
    func expect(_ words: String, _ place: SourceLocation = #_sourceLocation) {
        let isThere = text.contains(words)
        #expect(isThere, "'\(words)' is not in the page", sourceLocation: place)
    }

    init(_ html: String) throws {
        let directory = try TemporaryDirectory()
        self = try Oracle.run(Found.self, "read_page.py", directory.write(html, as: "page.html"))
    }
}

@Suite struct ReportPageTests {
    @Test func aFullRunShowsEverything() throws {
        let found = try Found(ReportPage.html(Example.run()))
        #expect(found.complaints == [])
        #expect(
            found.cards == [
                "Accuracy by round", "Accuracy over virtual time", "Loss by round", "Loss over virtual time",
                "Bytes up, from a tier to its parents", "Bytes down, to a tier from its parents", "Energy by tier",
                "Participation", "Drop-outs and refusals by reason", "Accuracy on single devices, round 30",
                "What the devices below each node hold", "The tree", "Faults that were played", "Rounds", "Settings",
            ])
        #expect(found.pictures.count == 11)
        // Every plot has its table; the label map is one itself; faults, rounds and settings are tables.
        #expect(found.tables == 11 + 2 + 3)
        #expect(found.notes == [])
        for fact in [
            "smart-factory", "complete", "seed 18446744073709551615", "77.14 %", "30, 1 failed", "1,000", "5 min",
            "12.5 s", "51.2 k", "731 MB", "2026-11-25 02:25 UTC", "round.below_quorum", "north is cut off",
            "device: client.lost", "refused: update.not_finite", "333 x device", "tiers.cloud.deadline",
        ] { found.expect(fact) }
    }

    @Test func descriptionsTellTheEndsOfEveryCurve() throws {
        let found = try Found(ReportPage.html(Example.run()))
        let accuracy = try #require(found.pictures.first { $0.title == "Accuracy by round" })
        #expect(accuracy.description.contains("held-out examples: 15.0 % at 1, 77.1 % at 30"))
        #expect(accuracy.description.contains("on the devices: 30.0 % at 3, 68.6 % at 30"))
        let up = try #require(found.pictures.first { $0.title.hasPrefix("Bytes up") })
        #expect(up.description.contains("logarithmic"))
        #expect(up.description.contains("region: 30 kB at 1, 30 kB at 30"))
    }

    @Test func aRunThatWasCutShortSaysSo() throws {
        var run = Example.run(rounds: 7)
        run.isComplete = false
        let found = try Found(ReportPage.html(run))
        #expect(found.notes.count == 1)
        #expect(found.notes.first?.contains("cut short: it ended after 7 of 30 rounds") == true)
        found.expect("cut short")
        let saysComplete = found.text.contains("complete")
        #expect(!saysComplete)
    }

    @Test func hostileTextsStayTexts() throws {
        for text in Example.hostileTexts {
            var run = Example.run(federation: text)
            run.settings = [.init(text, text)]
            run.tiers[2].name = text
            run.nodes[1].name = text
            run.rounds[2].failure = text
            run.rounds[0].bytesUp = [text: 5]
            run.rounds[0].dropped = [text: [text: 1]]
            run.labels = .init(nodes: [text], labels: [text], counts: [[3]])
            run.faults = [.init(text: text, fromSeconds: 1, untilSeconds: 2)]
            run.directory = text
            let html = ReportPage.html(run)
            let found = try Found(html)
            #expect(found.complaints == [], "\(text)")
            #expect(!html.contains("<script") && !html.contains("<img"))
            // A parser gives the text back, unless it holds what no page may hold.
            guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0xFFFF }) else { continue }
            let words = text.split(separator: " ").joined(separator: " ")
            if !words.isEmpty { found.expect(words) }
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func anyRecordMakesAWellFormedPage(seed: UInt64) throws {
        let run = Example.random(seed: seed)
        let pages = [
            ReportPage.html(run), RunComparison([.init(name: "a", run: run), .init(name: "b", run: run)]).html,
        ]
        for page in pages { #expect(try Found(page).complaints == []) }
    }

    @Test func emptyAndSingleRoundsAreNoTrouble() throws {
        var run = RunRecord(command: "up", federation: "x", seed: 1, version: "0", devices: 0, aggregators: 0)
        try Found(ReportPage.html(run)).expect("No round was finished")
        run.rounds = [.init(round: 1)]
        #expect(try Found(ReportPage.html(run)).complaints == [])
        run.rounds[0].accuracy = .nan
        run.rounds[0].loss = .infinity
        run.rounds[0].virtualEnd = .nan
        #expect(try Found(ReportPage.html(run)).complaints == [])
    }

    @Test func longRunsStaySmall() throws {
        let html = ReportPage.html(Example.run(rounds: 5_000))
        #expect(html.utf8.count < 2_000_000)
        try Found(html).expect("400 of 5000 rows")
    }

    // MARK: The tree

    @Test func aLargeTreeIsDrawnDownToTheTierThatFits() throws {
        var run = Example.run()
        run.tiers.insert(.init(name: "gateway", mode: .passThrough, nodeCount: 57), at: 2)
        let parents = ["north", "south", "west"]
        run.nodes += (0..<57).map {
            .init(name: "gateway-\($0)", parent: parents[$0 % 3], tier: "gateway", clientCount: 17)
        }
        #expect(!TreePicture(run).markup(id: "p").html.contains("gateway-0"))
        #expect(TreePicture(run).markup(id: "p").html.contains("... 333 x device"))
        run.tiers[2].nodeCount = 56
        run.nodes.removeLast()
        #expect(TreePicture(run).markup(id: "p").html.contains("gateway-0"))
        #expect(TreePicture(run).markup(id: "p").html.contains("17 x device"))
    }

    @Test func aTreeThatIsNoneIsDrawnAllTheSame() throws {
        var run = Example.run()
        run.nodes[0].parent = "west"
        run.nodes.append(run.nodes[1])
        #expect(try Found(ReportPage.html(run)).complaints == [])
    }
}

@Suite struct RunComparisonTests {
    private func entries(_ change: (inout RunRecord) -> Void) -> [RunComparison.Entry] {
        var other = Example.run()
        change(&other)
        return [.init(name: "one", run: Example.run()), .init(name: "two", run: other)]
    }

    @Test func onlyWhatDiffersIsADifference() {
        #expect(RunComparison(entries { _ in }).differences.isEmpty)
        let comparison = RunComparison(
            entries { run in
                run.seed = 3
                run.settings[1].value = "cnn"
                run.settings.append(.init("stop.at", "0.9"))
            })
        #expect(comparison.differences.map(\.key) == ["seed", "model.kind", "stop.at"])
        #expect(
            comparison.differences.map(\.values) == [["18446744073709551615", "3"], ["mlp", "cnn"], ["-", "0.9"]])
    }

    @Test func namesAreUnique() {
        let run = Example.run()
        let names = RunComparison(["a", "a", "b", "a"].map { .init(name: $0, run: run) }).entries.map(\.name)
        #expect(names == ["a", "a (2)", "b", "a (3)"])
    }

    @Test func aPageLaysCurvesOverEachOther() throws {
        let comparison = RunComparison(
            entries { run in
                run.rounds.removeLast(10)
                run.isComplete = false
            })
        let found = try Found(comparison.html)
        #expect(found.complaints == [])
        #expect(
            found.cards == [
                "What the runs came to", "What differs in their settings", "Accuracy by round", "Loss by round",
                "Accuracy over virtual time", "Accuracy over traffic", "Accuracy over energy",
                "Devices that reported", "Share of devices at or below an accuracy",
            ])
        let curves = try #require(found.pictures.first { $0.title == "Accuracy by round" })
        #expect(curves.description.contains("one: 15.0 % at 1, 77.1 % at 30; two: 15.0 % at 1, 72.0 % at 20"))
        // Each round costs 12.5 + 3.25 + 0.5 joules.
        let energy = try #require(found.pictures.first { $0.title == "Accuracy over energy" })
        #expect(
            energy.description.contains(
                "one: 15.0 % at 16.25 J, 77.1 % at 487.5 J; two: 15.0 % at 16.25 J, 72.0 % at 325 J"))
        #expect(comparison.finals.map { $0[8] } == ["487.5 J", "325 J"])
        var free = Example.run()
        for index in free.rounds.indices { free.rounds[index].energyJoules = [:] }
        let without = RunComparison([.init(name: "a", run: free), .init(name: "b", run: free)])
        #expect(without.finals.map { $0[8] } == ["-", "-"])
        #expect(try !Found(without.html).cards.contains("Accuracy over energy"))
        #expect(found.notes == ["Cut short, so its figures are not those of a whole run: two."])
        let same = try Found(RunComparison(entries { _ in }).html)
        same.expect("the same model, bit for bit")
        same.expect("The runs have the same settings")
    }
}
