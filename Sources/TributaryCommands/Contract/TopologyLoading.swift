// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryPlanning
import TributaryTopology
package import TributaryTopologyFile

/// Loading topology files on behalf of verbs.
package enum TopologyLoading {
    /// Loads a file with every check that needs no environment.
    ///
    /// - Throws: `CommandError` with all errors and exit code 78.
    package static func load(
        _ path: String, settings: [TopologySetting] = []
    ) throws(CommandError) -> (document: TopologyDocument, warnings: [TopologyDiagnostic]) {
        let document: TopologyDocument
        do throws(TopologyFileError) {
            document = try TopologyFile.load(path, settings: settings)
        } catch {
            throw failure(error.diagnostics)
        }
        let crossChecks = CrossCheck.issues(document.tree).map { document.diagnostic(of: $0) }
        let errors = crossChecks.filter { $0.severity == .error }
        guard errors.isEmpty else { throw failure(errors) }
        return (document, document.warnings + crossChecks)
    }

    /// Loads a file and tells its warnings on stderr.
    ///
    /// - Throws: `CommandError` with all errors and exit code 78.
    package static func load(
        _ path: String, settings: [TopologySetting] = [], _ output: CommandOutput
    ) throws(CommandError) -> TopologyDocument {
        let (document, warnings) = try load(path, settings: settings)
        for warning in warnings { output.note("\(warning.location): warning: \(warning.text)") }
        return document
    }

    private static func failure(_ diagnostics: [TopologyDiagnostic]) -> CommandError {
        let all = diagnostics.map {
            CommandError($0.code, $0.text, at: $0.location, exit: .configuration)
        }
        guard var first = all.first else {
            return CommandError("topology.invalid", "the topology is not valid", exit: .configuration)
        }
        first.all = all
        return first
    }
}
