// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryFiles
import TributarySimulation

/// A trace of waking times: a CSV file with the header `device,from,to`; device numbers, and seconds.
enum TraceFile {
    private static let byteCountMax = 1 << 30

    /// Reads a trace for so many devices.
    ///
    /// - Throws: `FilesError.text` with the line of the first mistake.
    static func read(_ path: String, deviceCount: UInt64) throws -> AvailabilityTraces {
        guard Directory.exists(path) else {
            throw FilesError.missing(path: path, remedy: "correct 'path' of simulate.availability")
        }
        let bytes = try SmallFile.read(path, byteCountMax: byteCountMax)
        var traces = AvailabilityTraces()
        for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line, as: UTF8.self).trimmed
            if index == 0 {
                guard text == "device,from,to" else { throw refuse(path, 1, "must begin with 'device,from,to'") }
                continue
            }
            if text.isEmpty { continue }
            let fields = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmed }
            guard fields.count == 3, let device = UInt64(fields[0]), let from = Double(fields[1]),
                let until = Double(fields[2])
            else { throw refuse(path, index + 1, "needs a device number and two times in seconds") }
            do throws(SimulationError) {
                try traces.append(ClientIndex(device), from: from, until: until, line: index + 1)
            } catch {
                throw refuse(path, index + 1, error.problem)
            }
        }
        do throws(SimulationError) {
            try traces.check(deviceCount: deviceCount)
        } catch {
            throw FilesError.malformed(path: path, at: "", problem: error.problem)
        }
        return traces
    }

    private static func refuse(_ path: String, _ line: Int, _ problem: String) -> FilesError {
        .text(path: path, line: line, column: 1, problem: problem)
    }
}

extension String {
    /// The text without spaces and carriage returns at its ends.
    fileprivate var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}

extension SimulationError {
    /// The description without its place.
    fileprivate var problem: String {
        if case .trace(_, let text) = self { return text }
        return description
    }
}
