// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryPlanning
import TributaryTopology
import TributaryTopologyFile

/// Loading topology files on behalf of verbs.
enum TopologyLoading {
    /// Loads a file with every check that needs no environment.
    ///
    /// - Throws: `CommandError` with all errors and exit code 78.
    static func load(
        _ path: String
    ) throws(CommandError) -> (document: TopologyDocument, warnings: [TopologyDiagnostic]) {
        let document: TopologyDocument
        do throws(TopologyFileError) {
            document = try TopologyFile.load(path)
        } catch {
            throw CommandError(diagnostics: error.diagnostics)
        }
        let crossChecks = CrossCheck.issues(document.tree).map { document.diagnostic(of: $0) }
        let errors = crossChecks.filter { $0.severity == .error }
        guard errors.isEmpty else { throw CommandError(diagnostics: errors) }
        return (document, document.warnings + crossChecks)
    }

    /// Loads a file and tells its warnings on stderr.
    ///
    /// - Throws: `CommandError` with all errors and exit code 78.
    static func loadAndWarn(_ path: String) throws(CommandError) -> TopologyDocument {
        let (document, warnings) = try load(path)
        for warning in warnings { Console.log("\(warning.location): warning: \(warning.text)") }
        return document
    }
}
