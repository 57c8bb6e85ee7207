// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryCore
import TributaryReport

/// Shows a run to people: a line for each round, and on a terminal a status line below that is written over.
struct RunView {
    private let isTerminal: Bool
    private var lastStatus = ""
    private let start = Bus.now()
    private var announcedGathering = false
    private var restartCount = 0

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    mutating func show(_ tracker: RunTracker, _ row: RunRecord.Round?) {
        if let row {
            clearStatus()
            if row.round == 1 { Terminal.write(Self.header + "\n", to: STDERR_FILENO) }
            Terminal.write(Self.text(of: row) + "\n", to: STDERR_FILENO)
        }
        if tracker.now.restartCount > restartCount {
            restartCount = tracker.now.restartCount
            clearStatus()
            let text = "'\(tracker.now.restarted)' was killed and runs again (restart \(restartCount))\n"
            Terminal.write(text, to: STDERR_FILENO)
        }
        guard isTerminal else { return }
        let status = statusText(tracker.now)
        guard status != lastStatus else { return }
        lastStatus = status
        Terminal.write("\r\u{1B}[K\(status)", to: STDERR_FILENO)
    }

    /// Removes the status line, before something else is printed.
    mutating func clearStatus() {
        guard isTerminal, !lastStatus.isEmpty else { return }
        Terminal.write("\r\u{1B}[K", to: STDERR_FILENO)
        lastStatus = ""
    }

    private func statusText(_ now: RunTracker.Now) -> String {
        let seconds = Int((Bus.now() - start).seconds)
        guard !now.isGathering || now.round > 0 else {
            return "waiting for devices: \(now.connected) of \(now.expected) connected  \(seconds) s"
        }
        let width = 24
        let filled = now.roundCount == 0 ? 0 : Int(now.round) * width / Int(now.roundCount)
        let restarts = now.restartCount == 0 ? "" : "  \(now.restartCount) restarted"
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        return "[\(bar)] round \(now.round)/\(now.roundCount)  \(now.reported)/\(now.chosen) devices  \(seconds) s"
            + restarts
    }

    static let header = "round  accuracy    loss  devices  up by tier, down by tier"

    static func text(of row: RunRecord.Round) -> String {
        let judged =
            row.failure.map { "failed: \($0)" }
            ?? "\(fixed(row.accuracy, 4, width: 8))  \(fixed(row.loss, 4, width: 6))"
        let up = row.bytesUp.sorted { $0.key < $1.key }.map { "\($0.key) \(NumberText.bytes($0.value))" }
        let down = row.bytesDown.sorted { $0.key < $1.key }.map { "\($0.key) \(NumberText.bytes($0.value))" }
        let seconds = fixed(row.wallSeconds, 1, width: 4)
        return "\(padded("\(row.round)", 5))  \(judged)  \(padded("\(row.reported)/\(row.selected)", 7))  "
            + "up \(up.joined(separator: ", "))  down \(down.joined(separator: ", "))  \(seconds) s"
    }

    /// A number with so many decimals, set right in `width` columns.
    private static func fixed(_ value: Double?, _ decimals: Int, width: Int) -> String {
        padded(NumberText.fixed(value, decimals), width)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
