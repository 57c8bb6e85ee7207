// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryFiles
import TributaryRing
import TributaryRuntime
import TributarySimulation
import TributaryTopology

/// Where a simulation can go on, on disk: the model for people, and the state for `--resume`.
struct SimulationState {
    static let modelName = "model.safetensors"
    private static let stateName = "state.safetensors"
    private static let group = "state"

    let directory: String
    let checkpoint: SimulationCheckpoint?
    let record: RunRecord

    /// Saves a simulation; nothing before its first round has ended.
    ///
    /// - Throws: `FilesError` when the disk is full or fails.
    static func save(
        _ simulation: Simulation, _ setup: Simulation.Setup, _ federation: Federation, in directory: String
    ) throws {
        guard let checkpoint = simulation.checkpoint else { return }
        let metadata = [
            "federation": federation.topology.federation, "round": "\(checkpoint.round)",
            "topology": "\(federation.runDigest)", "seed": "\(federation.topology.seed)",
            "rounds": "\(federation.topology.rounds)", "nanoseconds": "\(checkpoint.now.nanoseconds)",
        ]
        try Safetensors.write(
            checkpoint.model.span, layout: setup.layout, metadata: metadata, to: "\(directory)/\(modelName)")
        var tensors = [tensor("model", checkpoint.model.count)]
        var values = checkpoint.model
        for (node, vectors) in checkpoint.optimizerState.sorted(by: { $0.key < $1.key }) {
            for (position, vector) in vectors.enumerated() {
                tensors.append(tensor("\(node)/\(position)", vector.count))
                values += vector
            }
        }
        try Safetensors.write(
            values.span, layout: ParameterLayout(tensors: tensors), metadata: metadata,
            to: "\(directory)/\(stateName)")
    }

    private static func tensor(_ name: String, _ count: Int) -> ParameterTensor {
        ParameterTensor(name: name, group: group, shape: [count])
    }

    /// Loads what `save` left in a run's directory, together with the run's record.
    ///
    /// - Throws: `CommandError` when the run is of another topology, seed or round count; `FilesError` for bad files.
    static func load(_ directory: String, for federation: Federation) throws -> SimulationState {
        let record = try RunFile.read(directory)
        guard record.command == "simulate" else {
            throw CommandError(
                "run.not_simulated", "\(directory) was made by '\(record.command)'",
                hint: "--resume takes the directory of a simulation")
        }
        let path = "\(directory)/\(stateName)"
        guard Directory.exists(path) else {
            return SimulationState(directory: directory, checkpoint: nil, record: emptied(record, from: 0))
        }
        let file = try SafetensorsFile(path: path)
        guard file.metadata["topology"] == "\(federation.runDigest)" else {
            throw CommandError(
                "run.other_topology", "the run in \(directory) belongs to another topology, seed or number of rounds",
                hint: "resume with the file, --set, --seed and --rounds that the run was started with; the section "
                    + "'simulate' counts too",
                exit: .configuration)
        }
        guard let round = file.metadata["round"].flatMap({ UInt32($0) }),
            let nanoseconds = file.metadata["nanoseconds"].flatMap({ Int64($0) })
        else {
            throw FilesError.malformed(path: path, at: "metadata", problem: "names no round and moment")
        }
        let layout = try file.layout(group: group)
        let values = try file.values(layout)
        var model: [Float] = []
        var states: [NodeName: [[Float]]] = [:]
        var offset = 0
        for tensor in layout.tensors {
            let part = Array(values[offset..<offset + tensor.parameterCount])
            offset += tensor.parameterCount
            if tensor.name == "model" {
                model = part
            } else if let slash = tensor.name.lastIndex(of: "/") {
                states[NodeName(String(tensor.name[..<slash])), default: []].append(part)
            }
        }
        let checkpoint = SimulationCheckpoint(
            round: round, now: Moment(nanoseconds: nanoseconds), model: model, optimizerState: states)
        return SimulationState(directory: directory, checkpoint: checkpoint, record: emptied(record, from: round))
    }

    /// The record without the rounds that will be run again.
    private static func emptied(_ record: RunRecord, from round: UInt32) -> RunRecord {
        var record = record
        record.rounds.removeAll { $0.round > round }
        return record
    }
}
