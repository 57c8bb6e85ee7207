// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

/// One point of a grid of runs: what was set, and what the run came to.
package struct SweepPoint: Hashable, Sendable {
    /// How far a point has come.
    package enum State: String, Hashable, Sendable {
        case waiting
        case running
        case complete
        /// Ended before its time; there may be a part of the run.
        case failed
        /// Ended because somebody asked; there may be a part of the run.
        case stopped
    }

    /// Why a point failed.
    package struct Failure: Hashable, Sendable {
        /// A stable word for scripts, like `topology.range`.
        package var code: String
        package var message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    /// Starts at 1, in the order of the grid.
    package let number: Int
    /// Paths and values as they were given.
    package let settings: [RunRecord.Setting]
    /// Where the run's files lie.
    package let directory: String
    package var state = State.waiting
    package var failure: Failure?

    /// Of the model at the end; accuracies lie in 0...1.
    package private(set) var accuracy: Double?
    package private(set) var loss: Double?
    package private(set) var modelSHA256: String?
    package private(set) var seed: UInt64?
    package private(set) var roundCount: Int?
    package private(set) var virtualSeconds: Double?
    package private(set) var wallSeconds: Double?
    /// Bytes that the devices sent to their parents.
    package private(set) var deviceBytesUp: Double?
    package private(set) var clientRoundsPerSecond: Double?

    package init(number: Int, settings: [RunRecord.Setting], directory: String) {
        self.number = number
        self.settings = settings
        self.directory = directory
    }

    /// Takes over what a run came to, whole or cut short.
    package mutating func take(_ run: RunRecord) {
        let final = run.final
        (accuracy, loss, modelSHA256) = (final.accuracy, final.loss, final.modelSHA256)
        (seed, roundCount) = (run.seed, run.rounds.count)
        (virtualSeconds, wallSeconds) = (run.virtualSeconds, run.wallSeconds)
        let tier = run.tiers.last?.name ?? ""
        deviceBytesUp = run.rounds.reduce(0) { $0 + Double($1.bytesUp[tier] ?? 0) }
        clientRoundsPerSecond = run.clientRoundsPerSecond
    }

    /// The state in a word, with the reason of a failure.
    package var stateText: String { failure.map { "\(state.rawValue): \($0.code)" } ?? state.rawValue }

    /// What was set at some of the paths, in few words: `alpha=0.1 batch=8`.
    package func label(_ names: [String: String]) -> String {
        settings.compactMap { setting in names[setting.key].map { "\($0)=\(setting.value)" } }.joined(separator: " ")
    }

    /// The point as JSON.
    package var document: PlainValue {
        .mapping([
            .init("number", .number(number)),
            .init("settings", .mapping(settings.map { .init($0.key, .text($0.value)) })),
            .init("directory", .text(directory)), .init("state", .text(state.rawValue)),
            .init("seed", seed.map { .number($0) } ?? .null),
            .init(
                "final",
                .mapping([
                    .init("accuracy", .figure(accuracy)), .init("loss", .figure(loss)),
                    .init("model_sha256", modelSHA256.map { .text($0) } ?? .null),
                ])),
            .init("rounds", roundCount.map { .number($0) } ?? .null),
            .init("virtual_seconds", .figure(virtualSeconds)), .init("wall_seconds", .figure(wallSeconds)),
            .init("device_bytes_up", .figure(deviceBytesUp)),
            .init("client_rounds_per_second", .figure(clientRoundsPerSecond)),
            .init(
                "error",
                failure.map {
                    .mapping([.init("code", .text($0.code)), .init("message", .text($0.message))])
                } ?? .null),
        ])
    }
}

extension PlainValue {
    /// A number, or `null` for none and for what JSON cannot hold.
    static func figure(_ value: Double?) -> PlainValue {
        value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }
}
