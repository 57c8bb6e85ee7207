// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryCore
import TributaryFiles
import TributaryReport
import TributaryRuntime
import TributaryTopology

/// `tributary report RUN`: the page that shows a run.
struct Report: Verb {
    static let configuration = CommandConfiguration(
        abstract: "Write the report of a run: one HTML file that needs nothing else.",
        discussion: """
            RUN is a run's directory, its run.json, or what `up` or `simulate` printed with --format json. Of a run \
            that was cut short, the report shows what there is and says so.
            """)

    @Argument(help: "A run's directory or its run.json.", completion: .file())
    var run: String

    @Option(
        name: [.customShort("o"), .customLong("output")], help: "The file to write; report.html beside the run.json.",
        completion: .file(extensions: ["html"]))
    var file: String?

    @OptionGroup var output: OutputOptions

    func execute(_ output: CommandOutput) throws {
        let record = try RunFile.read(run)
        let path = file ?? RunFile.directory(of: run) + "/" + RunWriter.Name.report
        try AtomicFile.write(Array(ReportPage.html(record).utf8), to: path)
        let data = PlainValue.mapping([
            .init("report", .text(path)), .init("federation", .text(record.federation)),
            .init("rounds", .number(record.rounds.count)), .init("complete", .flag(record.isComplete)),
        ])
        output.finish(data, text: path + "\n")
    }
}
