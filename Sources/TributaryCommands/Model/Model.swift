// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryFiles
import TributaryTopology

/// `tributary model`: looks at saved models.
struct Model: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show, evaluate and compare saved models.",
        discussion: """
            A model is a .safetensors file: the root of a tree saves one after each round, and PyPI's safetensors \
            reads and writes the same.
            """,
        subcommands: [ModelShow.self, ModelEvaluate.self, ModelCompare.self])
}

/// The option of those verbs that read one model.
struct ModelArgument: ParsableArguments {
    @Argument(help: "The model, a .safetensors file.", completion: .file(extensions: ["safetensors"]))
    var model: String
}

extension SafetensorsFile.Tensor {
    /// Extents for people: `784 x 128`, or `scalar`.
    var shapeText: String { shape.isEmpty ? "scalar" : shape.map { "\($0)" }.joined(separator: " x ") }

    /// Extents as JSON.
    var shapeDocument: PlainValue { .list(shape.map { .number($0) }) }
}
