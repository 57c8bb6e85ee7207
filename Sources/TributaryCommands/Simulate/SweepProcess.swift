// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import TributaryReport

/// A point of a grid while it runs as a process of its own.
struct SweepProcess {
    /// One line of a simulation's standard output, as far as a grid looks at it.
    private struct Line: Decodable {
        struct Failure: Decodable {
            var code: String
            var message: String
            var at: String?
        }
        var event: String?
        var round: UInt32?
        var error: Failure?
    }

    /// The point's place in the grid, from 0.
    let index: Int
    let process: NodeProcess
    let log: String
    /// The last round that has ended.
    private(set) var round: UInt32 = 0
    private var failure: SweepPoint.Failure?

    init(index: Int, directory: String, arguments: [String]) throws {
        self.index = index
        log = "\(directory)/log"
        process = try NodeProcess(name: directory, arguments: arguments, log: log)
    }

    /// Reads what the process has said.
    mutating func takeLines() {
        for text in process.takeLines() {
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else { continue }
            if line.event == "round", let round = line.round { self.round = round }
            if let error = line.error {
                failure = .init(code: error.code, message: error.at.map { "\($0): \(error.message)" } ?? error.message)
            }
        }
    }

    /// Why it ended before its time; `nil` when it ended well.
    var reason: SweepPoint.Failure? {
        guard let status = process.status, status != 0 else { return nil }
        if let failure { return failure }
        let signal = status & 0x7F
        guard signal == 0 else {
            let hint = signal == SIGKILL ? "; is there enough memory for so many at a time?" : ""
            return .init(code: "simulate.killed", message: "the process was ended by signal \(signal)\(hint)")
        }
        return .init(
            code: "simulate.failed", message: "the process ended with code \(status >> 8 & 0xFF); its log is \(log)")
    }
}
