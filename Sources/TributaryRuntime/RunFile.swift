// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import TributaryCore
package import TributaryFiles

/// Reads what `RunWriter` left of a run, and says what is wrong with a file that is damaged or something else.
package enum RunFile {
    /// A hundred thousand rounds, with everything that a round may tell, stay below it.
    private static let byteCountMax = 512 << 20

    /// Reads a run from its directory, from a `run.json`, or from what a verb printed with `--format json`.
    ///
    /// Of a run that did not come to its end, `metrics.jsonl` beside the record adds the rounds that it misses.
    /// - Throws: `FilesError` with the file, the place in it, and what to do.
    package static func read(_ path: String) throws(FilesError) -> RunRecord {
        let isDirectory = isDirectory(path)
        let file = isDirectory ? "\(path)/\(RunWriter.Name.record)" : path
        guard Directory.exists(file) else {
            throw .missing(path: file, remedy: "name a directory that 'up' or 'simulate' made, or a run.json")
        }
        var record = try decode(SmallFile.read(file, byteCountMax: byteCountMax), path: file)
        let metrics = "\(path)/\(RunWriter.Name.metrics)"
        if isDirectory, !record.isComplete, Directory.exists(metrics) {
            let known = Set(record.rounds.map(\.round))
            record.rounds += try rounds(SmallFile.read(metrics, byteCountMax: byteCountMax), path: metrics)
                .filter { !known.contains($0.round) }
            record.rounds.sort { $0.round < $1.round }
        }
        return record
    }

    /// Where a run's other files lie: the path itself, or the directory of the file that it names.
    package static func directory(of path: String) -> String {
        isDirectory(path) ? path : Directory.parent(of: path)
    }

    private static func isDirectory(_ path: String) -> Bool { (try? Directory.names(in: path)) != nil }

    /// Reads a record from the bytes of a file; `path` is for errors.
    ///
    /// - Throws: `FilesError.malformed` with the place in the file.
    package static func decode(_ bytes: [UInt8], path: String) throws(FilesError) -> RunRecord {
        let decoder = JSONDecoder()
        let record: RunRecord
        do {
            let head = try decoder.decode(Head.self, from: Data(bytes))
            let format = head.data?.format ?? head.format
            guard let format else {
                throw FilesError.malformed(
                    path: path, at: "", problem: "JSON, but no run record: it has no 'format'; name a run.json")
            }
            guard format <= RunRecord.formatVersion else {
                throw FilesError.malformed(
                    path: path, at: "format",
                    problem: "\(format) is newer than \(RunRecord.formatVersion), which this version knows; "
                        + "use the tributary that wrote it, or a newer one")
            }
            record =
                head.data == nil
                ? try decoder.decode(RunRecord.self, from: Data(bytes))
                : try decoder.decode(Envelope.self, from: Data(bytes)).data
        } catch let error as FilesError {
            throw error
        } catch let error as DecodingError {
            throw damage(error, in: bytes, path: path)
        } catch {
            throw .malformed(path: path, at: "", problem: "\(error)")
        }
        try check(record, path: path)
        return record
    }

    /// Reads the rounds of a `metrics.jsonl`; a last line without its end is left out.
    ///
    /// - Throws: `FilesError.text` with the line.
    package static func rounds(_ bytes: [UInt8], path: String) throws(FilesError) -> [RunRecord.Round] {
        let decoder = JSONDecoder()
        var rounds: [RunRecord.Round] = []
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        for (index, line) in lines.dropLast().enumerated() where !line.isEmpty {
            do {
                let data = Data(line)
                guard try decoder.decode(Event.self, from: data).event == "round" else { continue }
                rounds.append(try decoder.decode(RunRecord.Round.self, from: data))
            } catch let error as DecodingError {
                throw onLine(index + 1, damage(error, in: Array(line), path: path))
            } catch {
                throw .text(path: path, line: index + 1, column: 1, problem: "\(error)")
            }
        }
        return rounds
    }

    /// A flaw of one line, told of the file that the line stands in.
    private static func onLine(_ line: Int, _ error: FilesError) -> FilesError {
        switch error {
        case .text(let path, _, let column, let problem):
            .text(path: path, line: line, column: column, problem: problem)
        case .malformed(let path, let at, let problem):
            .text(path: path, line: line, column: 1, problem: at.isEmpty ? problem : "\(at): \(problem)")
        default: error
        }
    }

    private struct Event: Decodable { var event: String }
    private struct Head: Decodable {
        struct Inner: Decodable { var format: UInt32? }
        var format: UInt32?
        var data: Inner?
    }
    private struct Envelope: Decodable { var data: RunRecord }

    /// What a decoder cannot know of a record.
    private static func check(_ record: RunRecord, path: String) throws(FilesError) {
        if let map = record.labels,
            map.counts.count != map.nodes.count || map.counts.contains(where: { $0.count != map.labels.count })
        {
            throw .malformed(
                path: path, at: "labels.counts",
                problem: "not one row a node and one column a label; "
                    + "\(remedy)")
        }
        for (index, pair) in zip(record.rounds, record.rounds.dropFirst()).enumerated()
        where pair.0.round >= pair.1.round {
            throw .malformed(
                path: path, at: "rounds[\(index + 1)].round",
                problem: "\(pair.1.round) after \(pair.0.round); rounds ascend; \(remedy)")
        }
    }

    private static let remedy = "the file is damaged; take it from a copy, or run again"

    /// Says what a decoder complained about; `bytes` are the file's, or a line's of it.
    private static func damage(_ error: DecodingError, in bytes: [UInt8], path: String) -> FilesError {
        if let flaw = JSONFlaw.first(in: bytes) {
            return .text(
                path: path, line: flaw.line, column: flaw.column, problem: "no JSON: \(flaw.problem); \(remedy)")
        }
        let context: DecodingError.Context
        let problem: String
        switch error {
        case .keyNotFound(let key, let place):
            (context, problem) = (place, "'\(key.stringValue)' is missing")
        case .typeMismatch(let type, let place):
            (context, problem) = (place, "not what belongs here, which is \(word(for: type))")
        case .valueNotFound(let type, let place):
            (context, problem) = (place, "null, where \(word(for: type)) belongs")
        case .dataCorrupted(let place) where place.codingPath.isEmpty:
            // The decoder does not say where.
            (context, problem) = (place, "a whole number is negative, has a fraction, or is too large")
        case .dataCorrupted(let place):
            (context, problem) = (place, "a word that is none of those which may stand here")
        @unknown default:
            return .malformed(path: path, at: "", problem: "\(error)")
        }
        var at = ""
        for key in context.codingPath {
            if let index = key.intValue { at += "[\(index)]" } else { at += (at.isEmpty ? "" : ".") + key.stringValue }
        }
        if at.hasPrefix("data.") { at.removeFirst(5) }
        return .malformed(path: path, at: at, problem: "\(problem); \(remedy)")
    }

    private static func word(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Bool.Type: "true or false"
        case is Double.Type: "a number"
        case is UInt64.Type, is UInt32.Type: "a whole number"
        case is any Collection.Type: "a list or an object"
        default: "an object"
        }
    }
}
