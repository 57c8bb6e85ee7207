// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryBus
import TributaryFiles
import TributaryLearning
import TributaryRuntime
import TributaryTopology
import TributaryTopologyFile

extension CommandError {
    /// The errors of the other rooms as the command line tells them: each with a code and an exit code.
    init(describing error: any Error) {
        switch error {
        case let error as CommandError:
            self = error
        case let error as TopologyFileError:
            self.init(diagnostics: error.diagnostics)
        case let error as TopologyError:
            let all = error.issues.map { CommandError($0.code.rawValue, $0.description, exit: .configuration) }
            self = all.first ?? CommandError("topology.invalid", error.description, exit: .configuration)
            self.all = all
        case let error as FilesError:
            self.init(files: error)
        case let error as BusError:
            self.init(bus: error)
        case let error as FederationError:
            self.init(federation: error)
        case let error as LearningError:
            self.init(learning: error)
        default:
            self.init("failed", "\(error)")
        }
    }

    /// Everything that is wrong in a topology file.
    init(diagnostics: [TopologyDiagnostic]) {
        let all = diagnostics.map { CommandError($0.code, $0.text, at: $0.location, exit: .configuration) }
        self = all.first ?? CommandError("topology.invalid", "the topology is not valid", exit: .configuration)
        self.all = all
    }

    private init(files error: FilesError) {
        let text = error.description
        switch error {
        case .noSpace:
            self.init("files.no_space", text, exit: .tryLater)
        case .system(_, _, let code):
            if error.isOutOfSpace {
                self.init("files.no_space", text, exit: .tryLater)
            } else if code == EACCES || code == EPERM || code == EROFS {
                self.init("files.not_permitted", text, exit: .notPermitted)
            } else {
                self.init("files.system", text)
            }
        case .missing:
            self.init("files.missing", text, exit: .configuration)
        case .malformed, .text:
            self.init("files.malformed", text, exit: .configuration)
        case .tooLarge:
            self.init("files.too_large", text, exit: .configuration)
        case .locked:
            self.init("files.locked", text, exit: .tryLater)
        case .request:
            self.init("files.request", text, exit: .usage)
        case .unknownObject, .wrongOffset, .outsideObject, .conflictingSize:
            self.init("files.object", text)
        }
    }

    private init(bus error: BusError) {
        switch error {
        case .endpoint(_, let endpoint, _):
            self.init("bus.endpoint", error.description, at: endpoint, exit: .unreachable)
        case .malformedKey, .sharedKey:
            self.init("bus.key", error.description, exit: .configuration)
        case .resources:
            self.init("bus.resources", error.description, exit: .tryLater)
        case .closed:
            self.init("bus.closed", error.description, exit: .fault)
        }
    }

    private init(federation error: FederationError) {
        switch error {
        case .noAggregator, .noSuchDevices:
            self.init("federation.unknown_node", error.description, exit: .usage)
        case .noEndpoint:
            self.init("federation.no_endpoint", error.description, exit: .configuration)
        }
    }

    private init(learning error: LearningError) {
        switch error {
        case .model, .examples, .settings, .partition, .parameterCount, .emptyShard:
            self.init("learning.configuration", error.description, exit: .configuration)
        case .diverged, .evaluation:
            self.init("learning.diverged", error.description)
        }
    }
}
