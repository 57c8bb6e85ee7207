// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryCore
import TributaryFiles
import TributaryTopology

/// `tributary model show`: what a saved model holds.
struct ModelShow: Verb {
    static let commandPath = "model show"
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a saved model: where it comes from, its tensors, its SHA-256.",
        discussion: """
            The SHA-256 is that of the values alone, by which nodes know the model; when the file states one, the \
            two are compared.
            """)

    @OptionGroup var argument: ModelArgument
    @OptionGroup var output: OutputOptions

    func execute(_ output: CommandOutput) throws {
        let file = try SafetensorsFile(path: argument.model)
        let digest = try file.digest().description
        let stated = file.metadata["sha256"]
        guard stated == nil || stated == digest else {
            throw CommandError(
                "model.damaged", "the values have the SHA-256 \(digest), but the file states \(stated ?? "")",
                hint: "the file was changed or damaged since it was saved: get it again", at: argument.model)
        }
        let metadata = file.metadata.sorted { $0.key < $1.key }
        output.finish(
            .mapping([
                .init("file", .text(argument.model)), .init("sha256", .text(digest)),
                .init("sha256_stated", .flag(stated != nil)), .init("parameters", .number(file.parameterCount)),
                .init("bytes", .number(file.parameterCount * 4)),
                .init("metadata", .mapping(metadata.map { .init($0.key, .text($0.value)) })),
                .init("tensors", .list(file.tensors.map(Self.document))),
            ]),
            text: text(file, digest, isStated: stated != nil))
    }

    private static func document(_ tensor: SafetensorsFile.Tensor) -> PlainValue {
        .mapping([
            .init("name", .text(tensor.name)), .init("shape", tensor.shapeDocument), .init("type", .text("float32")),
            .init("parameters", .number(tensor.valueCount)),
        ])
    }

    private func text(_ file: SafetensorsFile, _ digest: String, isStated: Bool) -> String {
        var lines = "\(argument.model): \(file.parameterCount) parameters, "
        lines += "\(Double(file.parameterCount * 4).byteText) of float32\n"
        lines += "sha256      \(digest)\(isStated ? ", as the file states" : "")\n"
        for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) where key != "sha256" {
            lines += key + String(repeating: " ", count: max(1, 12 - key.count)) + value + "\n"
        }
        let rows = file.tensors.map { [$0.name, $0.shapeText, "\($0.valueCount)"] }
        return lines + "\n" + TextTable.text(titles: ["tensor", "shape", "parameters"], rows: rows)
    }
}
