// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

/// Several runs side by side: what each came to, and in which settings they differ.
package struct RunComparison {
    /// A run and the name under which it appears.
    package struct Entry {
        package var name: String
        package var run: RunRecord

        package init(name: String, run: RunRecord) {
            self.name = name
            self.run = run
        }
    }

    /// More curves cannot be told apart.
    package static let runCountMax = 12

    package let entries: [Entry]

    /// Compares runs in the given order; names that appear twice are numbered.
    package init(_ entries: [Entry]) {
        var seen: [String: Int] = [:]
        self.entries = entries.map { entry in
            seen[entry.name, default: 0] += 1
            let number = seen[entry.name] ?? 1
            return number == 1 ? entry : Entry(name: "\(entry.name) (\(number))", run: entry.run)
        }
    }

    /// Titles of `finals`.
    package static let titles = [
        "run", "state", "seed", "rounds", "accuracy", "best", "loss", "traffic", "energy", "virtual time",
        "wall time", "model",
    ]

    /// A row of texts for each run.
    package var finals: [[String]] {
        entries.map { entry in
            let run = entry.run
            let final = run.final
            return [
                entry.name, run.isComplete ? "complete" : "cut short", "\(run.seed)", "\(run.rounds.count)",
                NumberText.percent(final.accuracy, 2),
                NumberText.percent(run.rounds.compactMap(\.accuracy).max(), 2), NumberText.fixed(final.loss, 4),
                NumberText.bytes(run.totalBytes), NumberText.joules(run.spentJoules),
                NumberText.seconds(run.virtualSeconds), NumberText.seconds(run.wallSeconds),
                final.modelSHA256.map { String($0.prefix(12)) } ?? "-",
            ]
        }
    }

    /// Settings that are not the same in all runs, each with one value a run; a dash where a run has none.
    package var differences: [(key: String, values: [String])] {
        var keys: [String] = []
        var seen: Set<String> = []
        let tables = entries.map { entry in
            let settings = Self.settings(of: entry.run)
            for setting in settings where seen.insert(setting.key).inserted { keys.append(setting.key) }
            return Dictionary(settings.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
        return keys.map { key in (key: key, values: tables.map { $0[key] ?? "-" }) }
            .filter { Set($0.values).count > 1 }
    }

    private static func settings(of run: RunRecord) -> [RunRecord.Setting] {
        [
            .init("verb", run.command), .init("federation", run.federation), .init("seed", "\(run.seed)"),
            .init("devices", "\(run.devices)"), .init("aggregators", "\(run.aggregators)"),
            .init("version", run.version),
        ] + run.settings
    }

    /// The comparison as JSON.
    package var document: PlainValue {
        .mapping([
            .init(
                "runs",
                .list(
                    entries.map { entry in
                        let final = entry.run.final
                        return .mapping([
                            .init("name", .text(entry.name)), .init("complete", .flag(entry.run.isComplete)),
                            .init("seed", .number(entry.run.seed)), .init("rounds", .number(entry.run.rounds.count)),
                            .init("accuracy", final.accuracy.map { .number($0) } ?? .null),
                            .init("loss", final.loss.map { .number($0) } ?? .null),
                            .init("model_sha256", final.modelSHA256.map { .text($0) } ?? .null),
                        ])
                    })),
            .init(
                "differences",
                .list(
                    differences.map { row in
                        .mapping([
                            .init("key", .text(row.key)), .init("values", .list(row.values.map { .text($0) })),
                        ])
                    })),
        ])
    }
}
