// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TributaryFiles
import TributaryTopology

/// `tributary model compare`: how far two saved models lie apart.
struct ModelCompare: Verb {
    static let commandPath = "model compare"
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two saved models, value by value.",
        discussion: """
            Equal means bit for bit. With --tolerance the exit code is 1 when any two values lie further apart; \
            0 asks for equal models.
            """)

    @Argument(help: "A model, a .safetensors file.", completion: .file(extensions: ["safetensors"]))
    var first: String

    @Argument(help: "Another model with the same tensors.", completion: .file(extensions: ["safetensors"]))
    var second: String

    @Option(help: "The largest difference that is still well.")
    var tolerance: Double?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let tolerance, !(tolerance >= 0) { throw ValidationError("the tolerance is a number of at least 0") }
    }

    /// How far two tensors lie apart.
    private struct Difference {
        var name: String
        var shape: String
        var valueCount: UInt64
        /// Values whose bits differ.
        var differingCount: UInt64 = 0
        /// The largest absolute difference; infinite where one value alone is not a number.
        var largest = 0.0
    }

    func execute(_ output: CommandOutput) throws {
        let (left, right) = (try SafetensorsFile(path: first), try SafetensorsFile(path: second))
        let others = try pairs(left, right)
        let all = try left.tensors.map { try difference($0, others[$0.name] ?? $0, left, right) }
        let worst = all.max { $0.largest < $1.largest }
        let largest = worst?.largest ?? 0
        let differingCount = all.reduce(0) { $0 + $1.differingCount }
        if let tolerance, largest > tolerance || (tolerance == 0 && differingCount > 0) {
            throw CommandError(
                "model.different",
                "the models differ by up to \(largest) in '\(worst?.name ?? "")'; \(tolerance) is tolerated", at: second
            )
        }
        let rows = all.map { [$0.name, $0.shape, "\($0.valueCount)", "\($0.differingCount)", "\($0.largest)"] }
        let table = TextTable.text(
            titles: ["tensor", "shape", "values", "different", "largest difference"], rows: rows)
        let head =
            differingCount == 0
            ? "equal, bit for bit: \(left.parameterCount) parameters\n"
            : "different: \(differingCount) of \(left.parameterCount) parameters, by up to \(largest)\n\n"
        output.finish(
            .mapping([
                .init("first", .text(first)), .init("second", .text(second)),
                .init("equal", .flag(differingCount == 0)), .init("parameters", .number(left.parameterCount)),
                .init("different", .number(differingCount)), .init("difference_max", Self.number(largest)),
                .init("tensors", .list(all.map(Self.document))),
            ]),
            text: differingCount == 0 ? head : head + table)
    }

    /// The tensors of the second model by name; both models must have the same, in any order.
    private func pairs(
        _ left: SafetensorsFile, _ right: SafetensorsFile
    ) throws -> [String: SafetensorsFile.Tensor] {
        let others = Dictionary(right.tensors.map { ($0.name, $0) }) { first, _ in first }
        for tensor in left.tensors {
            guard let other = others[tensor.name] else {
                throw unlike("it has no tensor '\(tensor.name)'")
            }
            guard other.shape == tensor.shape else {
                throw unlike("'\(tensor.name)' is \(other.shapeText) there and \(tensor.shapeText) in \(first)")
            }
        }
        if let surplus = Set(others.keys).subtracting(left.tensors.map(\.name)).min() {
            throw unlike("it has a tensor '\(surplus)' that \(first) lacks")
        }
        return others
    }

    private func unlike(_ text: String) -> CommandError {
        CommandError(
            "model.unlike", "these models cannot be compared: \(text)", hint: "compare models of one architecture",
            at: second)
    }

    private func difference(
        _ tensor: SafetensorsFile.Tensor, _ other: SafetensorsFile.Tensor, _ left: SafetensorsFile,
        _ right: SafetensorsFile
    ) throws -> Difference {
        var difference = Difference(name: tensor.name, shape: tensor.shapeText, valueCount: tensor.valueCount)
        var start: UInt64 = 0
        while start < tensor.valueCount {
            let (ours, theirs) = (try left.values(of: tensor, from: start), try right.values(of: other, from: start))
            for (our, their) in zip(ours, theirs) where our.bitPattern != their.bitPattern {
                difference.differingCount += 1
                let distance = abs(Double(our) - Double(their))
                difference.largest = max(difference.largest, distance.isNaN ? .infinity : distance)
            }
            start += UInt64(ours.count)
        }
        return difference
    }

    private static func document(_ difference: Difference) -> PlainValue {
        .mapping([
            .init("name", .text(difference.name)), .init("different", .number(difference.differingCount)),
            .init("difference_max", number(difference.largest)),
        ])
    }

    /// JSON has no infinity: a difference without a measure is null.
    private static func number(_ value: Double) -> PlainValue { value.isFinite ? .number(value) : .null }
}
