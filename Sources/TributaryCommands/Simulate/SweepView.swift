// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryCore
import TributaryReport

/// Shows a grid of runs to people: a line for each point that ends, and on a terminal a status line below.
struct SweepView {
    /// The shortest time between two status lines.
    private static let pause = Duration.milliseconds(200)

    private let isTerminal = Terminal.isInteractive(STDERR_FILENO)
    private let names: [String: String]
    private let pointCount: Int
    private let start = Bus.now()
    private var nextStatus = Bus.now()
    private var hasStatus = false

    init(_ summary: SweepSummary) {
        names = Dictionary(
            summary.names(areShort: true).map { ($0.path, $0.name) }, uniquingKeysWith: { first, _ in first })
        pointCount = summary.points.count
    }

    /// A point in few words.
    func label(_ point: SweepPoint) -> String { point.label(names) }

    /// Tells of a point that has ended.
    mutating func show(_ point: SweepPoint) {
        clearStatus()
        var text = "point \(point.number)/\(pointCount)  \(label(point))  "
        if let failure = point.failure {
            text += "\(point.state.rawValue): \(failure.message)"
        } else if point.state == .stopped {
            text += "stopped after \(NumberText.count(UInt64(point.roundCount ?? 0), of: "round"))"
        } else {
            text +=
                "accuracy \(NumberText.percent(point.accuracy, 2))  loss \(NumberText.fixed(point.loss, 4))  "
                + "\(point.roundCount ?? 0) rounds in \(NumberText.seconds(point.wallSeconds))"
        }
        Terminal.write(text + "\n", to: STDERR_FILENO)
    }

    /// Shows how far the grid has come; `parts` are the shares done of the points that run, by number.
    mutating func look(doneCount: Int, parts: [(number: Int, share: Double)], isEnding: Bool) {
        guard isTerminal, !parts.isEmpty, Bus.now() >= nextStatus else { return }
        nextStatus = Bus.now() + Self.pause
        let done = Double(doneCount) + parts.reduce(0) { $0 + $1.share }
        let seconds = (Bus.now() - start).seconds
        let left = done > 0 ? NumberText.seconds(seconds / done * (Double(pointCount) - done)) : "-"
        let running = parts.prefix(8).map { "\($0.number) (\(NumberText.percent($0.share, 0)))" }
        var text = "\(doneCount)/\(pointCount) points  " + (isEnding ? "ending " : "left \(left)  running ")
        text += running.joined(separator: ", ") + (parts.count > 8 ? ", ..." : "")
        let width = Terminal.width(STDERR_FILENO) ?? 80
        Terminal.write("\r\u{1B}[K\(text.prefix(max(1, width - 1)))", to: STDERR_FILENO)
        hasStatus = true
    }

    mutating func clearStatus() {
        guard hasStatus else { return }
        Terminal.write("\r\u{1B}[K", to: STDERR_FILENO)
        hasStatus = false
    }
}
