// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryCore
import TributaryFiles
import TributaryReport
import TributaryRuntime
import TributaryTopology

/// `tributary model evaluate`: a saved model on the examples that a topology holds out.
struct ModelEvaluate: Verb {
    static let commandPath = "model evaluate"
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Judge a saved model on the held-out examples of a topology.",
        discussion: """
            These are the data set's own test set, or the examples that 'hold-out' keeps back, which no device ever \
            sees. Which ones those are depends on the seed: the run's, which the model's file states. Where data \
            drift, they are as they were in the round that the file states.
            """)

    @OptionGroup var argument: ModelArgument

    @Argument(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "Hold out by this seed instead of the run's.")
    var seed: UInt64?

    @OptionGroup var output: OutputOptions

    func execute(_ output: CommandOutput) throws {
        let file = try SafetensorsFile(path: argument.model)
        let round = file.metadata["round"].flatMap { UInt32($0) } ?? 0
        let seed = seed ?? file.metadata["seed"].flatMap { UInt64($0) }
        let federation = try Federation(path: topology, keys: "", overrides: .init(seed: seed))
        let (evaluation, layout) = try federation.judge()
        guard let evaluation else {
            throw CommandError(
                "model.nothing_held_out", "this topology holds no examples out",
                hint: "add 'hold-out: 0.2' to 'data'", at: topology, exit: .configuration)
        }
        let values = try file.values(layout)
        let (accuracy, loss, count) = try evaluation.result(of: values.span, round: round)
        output.finish(
            .mapping([
                .init("file", .text(argument.model)), .init("topology", .text(topology)),
                .init("seed", .number(federation.topology.seed)), .init("examples", .number(count)),
                .init("accuracy", .number(accuracy)), .init("loss", .number(loss)),
            ]),
            text:
                "accuracy \(NumberText.fixed(accuracy, 4)), loss \(NumberText.fixed(loss, 4)) "
                + "on \(count) held-out examples\n"
        )
    }
}
