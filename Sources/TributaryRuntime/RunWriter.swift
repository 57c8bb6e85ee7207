// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryFiles
import TributaryReport
import TributaryTopology

/// Keeps a run on disk for whoever looks at it later: `run.json`, `metrics.jsonl`, TensorBoard events and a report.
///
/// `metrics.jsonl` grows while the run goes on; everything else is replaced whole, so that nothing is ever half there.
/// Not shared between threads.
package final class RunWriter {
    /// Where the files of a run lie, relative to its directory.
    package enum Name {
        /// The whole record.
        package static let record = "run.json"
        /// An event a line, a round a line.
        package static let metrics = "metrics.jsonl"
        /// The page for people.
        package static let report = "report.html"
        /// The directory of TensorBoard's event file.
        package static let tensorBoard = "tensorboard"
    }

    package let directory: String
    private var metrics: LineFile

    /// Begins to keep a run in a directory, which is created; what an earlier run left there is replaced.
    ///
    /// - Throws: `FilesError` when the directory or the file cannot be made.
    package init(directory: String) throws(FilesError) {
        self.directory = directory
        metrics = try LineFile(path: "\(directory)/\(Name.metrics)")
    }

    /// Writes what is known before the first round, so that a run that is killed can still be told about.
    ///
    /// - Throws: `FilesError` when the disk is full or fails.
    package func begin(_ record: RunRecord) throws(FilesError) { try write(record) }

    /// Appends a round to `metrics.jsonl`.
    ///
    /// - Throws: `FilesError` when the disk is full or fails.
    package func round(_ round: RunRecord.Round) throws(FilesError) { try metrics.append(Self.line(round)) }

    /// Writes everything: the record, the metrics once more from it, TensorBoard events and the report.
    ///
    /// - Throws: `FilesError` when the disk is full or fails; files written before that are whole.
    package func finish(_ record: RunRecord) throws(FilesError) {
        try write(record)
        let closing = PlainValue.mapping([.init("event", .text("finished"))] + record.closingFields).json()
        let lines = record.rounds.map { Self.line($0) } + [closing]
        try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: "\(directory)/\(Name.metrics)")
        try AtomicFile.write(
            TensorBoardEvents.bytes(record),
            to: "\(directory)/\(Name.tensorBoard)/\(TensorBoardEvents.fileName(record))")
        try AtomicFile.write(Array(ReportPage.html(record).utf8), to: "\(directory)/\(Name.report)")
    }

    private func write(_ record: RunRecord) throws(FilesError) {
        let text = record.document.json(indent: 1) + "\n"
        try AtomicFile.write(Array(text.utf8), to: "\(directory)/\(Name.record)")
    }

    private static func line(_ round: RunRecord.Round) -> String {
        PlainValue.mapping([.init("event", .text("round"))] + round.fields).json()
    }
}
