// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryFiles
import TributaryLearning
import TributaryRuntime
import TributarySimulation
import TributaryTopology
import TributaryTopologyFile

extension CommandError {
    /// What an error of a room means on the command line; `nil` for one that no room throws.
    init?(_ error: any Error) {
        switch error {
        case let error as TopologyFileError:
            let all = error.diagnostics.map { CommandError($0.code, $0.text, at: $0.location, exit: .configuration) }
            guard var first = all.first else { return nil }
            first.all = all
            self = first
        case let error as TopologyError:
            let all = error.issues.map { CommandError($0.code.rawValue, $0.description, exit: .configuration) }
            guard var first = all.first else { return nil }
            first.all = all
            self = first
        case let error as TopologySettingError: self.init("usage", "\(error)", exit: .usage)
        case let error as FederationError: self.init("topology.no_such_node", "\(error)", exit: .configuration)
        case let error as FleetShardError: self.init("fleet.shard", "\(error)", exit: .usage)
        case let error as ProcessLimitsError: self.init("system.open_files", "\(error)", exit: .tryLater)
        case let error as JoinToken.Flaw: self.init("token.invalid", "\(error)", exit: .usage)
        case let error as JoinError: self.init(error)
        case let error as KeyError: self.init("key.\(error.word)", "\(error)", exit: .configuration)
        case let error as LearningError: self.init("data.unfit", "\(error)", exit: .configuration)
        case let error as SimulationError: self.init(error)
        case let error as FilesError: self.init(error)
        case let error as BusError: self.init(error)
        default: return nil
        }
    }

    private init(_ error: FilesError) {
        switch error {
        case .missing: self.init("file.missing", "\(error)", exit: .configuration)
        case .notPrivate: self.init("key.not_private", "\(error)", exit: .notPermitted)
        case .malformed, .text, .tooLarge: self.init("file.malformed", "\(error)", exit: .configuration)
        case .noSpace: self.init("file.no_space", "\(error)", exit: .tryLater)
        case .system where error.isOutOfSpace: self.init("file.no_space", "\(error)", exit: .tryLater)
        case .system(_, _, ENOENT): self.init("file.missing", "\(error)", exit: .configuration)
        case .system(_, _, EACCES), .system(_, _, EPERM), .system(_, _, EROFS):
            self.init("file.not_permitted", "\(error)", exit: .notPermitted)
        case .locked: self.init("file.locked", "\(error)", exit: .tryLater)
        default: self.init("file.failed", "\(error)")
        }
    }

    private init(_ error: JoinError) {
        switch error {
        case .refused(let reason, _): self.init(reason.rawValue, "\(error)", exit: .notPermitted)
        case .unreachable(let endpoint): self.init("join.unreachable", "\(error)", at: endpoint, exit: .unreachable)
        case .otherParent(let endpoint): self.init("join.other_parent", "\(error)", at: endpoint, exit: .notPermitted)
        case .noEndpoint: self.init("usage", "\(error)", exit: .usage)
        case .joinedAs: self.init("join.joined_before", "\(error)", exit: .configuration)
        }
    }

    private init(_ error: SimulationError) {
        switch error {
        case .trace: self.init("simulate.trace", "\(error)", exit: .configuration)
        case .memory: self.init("simulate.memory", "\(error)", exit: .tryLater)
        case .stalled: self.init("simulate.stalled", "\(error)")
        }
    }

    private init(_ error: BusError) {
        switch error {
        case .malformedKey, .sharedKey: self.init("key.invalid", "\(error)", exit: .configuration)
        case .endpoint(_, let endpoint, _):
            self.init("bus.endpoint", "\(error)", at: endpoint, exit: .unreachable)
        case .resources: self.init("bus.resources", "\(error)", exit: .tryLater)
        case .closed: self.init("bus.failed", "\(error)")
        }
    }
}

extension KeyError {
    /// The last word of the error's code.
    fileprivate var word: String {
        switch self {
        case .malformed, .cannotSign: "invalid"
        case .shared: "shared"
        case .exists: "exists"
        case .revoked: "revoked"
        case .unknown: "unknown"
        }
    }
}
