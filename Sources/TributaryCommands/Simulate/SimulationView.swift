// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryCore
import TributaryReport
import TributarySimulation

/// Shows a simulation to people: a line for each round, and on a terminal a status line that is written over.
struct SimulationView {
    /// The shortest time between two status lines.
    private static let pause = Duration.milliseconds(100)

    private let isTerminal = Terminal.isInteractive(STDERR_FILENO)
    private let roundCount: UInt32
    private var hasHeader = false
    private var hasStatus = false
    private var nextStatus = Bus.now()

    init(roundCount: UInt32) { self.roundCount = roundCount }

    mutating func show(_ round: RunRecord.Round) {
        clearStatus()
        if !hasHeader { Terminal.write(RunView.header + "\n", to: STDERR_FILENO) }
        hasHeader = true
        Terminal.write(
            RunView.text(of: round) + "  at \(NumberText.seconds(round.virtualEnd))\n", to: STDERR_FILENO)
    }

    /// Shows how far the run has come.
    mutating func look(_ simulation: Simulation, seconds: Double) {
        guard isTerminal, Bus.now() >= nextStatus else { return }
        nextStatus = Bus.now() + Self.pause
        let progress = simulation.progress
        let part = progress.chosen == 0 ? 0 : Double(progress.reported) / Double(progress.chosen)
        let done = max(0, Double(progress.round) - 1 + min(1, part))
        let rate = seconds > 0 ? Double(simulation.clientRoundCount + progress.reported) / seconds : 0
        let left = done > 0 ? NumberText.seconds(seconds / done * (Double(roundCount) - done)) : "-"
        let text =
            "round \(progress.round)/\(roundCount)  \(progress.reported)/\(progress.chosen) devices  "
            + "\(NumberText.count(UInt64(rate))) client-rounds/s  "
            + "virtual \(NumberText.seconds(simulation.now.seconds))  left \(left)  "
            + NumberText.bytes(Machine.residentByteCount())
        Terminal.write("\r\u{1B}[K\(text)", to: STDERR_FILENO)
        hasStatus = true
    }

    mutating func clearStatus() {
        guard hasStatus else { return }
        Terminal.write("\r\u{1B}[K", to: STDERR_FILENO)
        hasStatus = false
    }
}
