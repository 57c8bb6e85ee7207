// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
package import TributaryTopologyFile

/// Values that the command line gives in place of the file's.
package struct SettingOptions: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Use this value instead of the file's: --set rounds=10, --set tiers.camera.train.batch=8. Repeatable.",
            valueName: "path=value"))
    package var set: [String] = []

    package init() {}

    package func validate() throws {
        do throws(TopologySettingError) {
            let paths = try axes().map(\.path)
            if let twice = paths.enumerated().first(where: { paths[..<$0].contains($1) })?.element {
                throw TopologySettingError(text: twice, problem: "given twice; write its values one after the other")
            }
        } catch {
            throw ValidationError("\(error)")
        }
    }

    /// What each path takes, in the order of the command line.
    package func axes() throws(TopologySettingError) -> [TopologySettingAxis] {
        var axes: [TopologySettingAxis] = []
        for text in set { axes.append(try TopologySettingAxis(text)) }
        return axes
    }

    /// One value for each path.
    ///
    /// - Throws: `CommandError` for a path with several values, which only a grid of runs can have.
    package func single() throws -> [TopologySetting] {
        try axes().map { axis in
            guard axis.settings.count == 1 else {
                throw CommandError(
                    "usage", "--set \(axis.path): one value here, not \(axis.settings.count)",
                    hint: "several values make a grid of runs, which 'tributary simulate' can run", exit: .usage)
            }
            return axis.settings[0]
        }
    }
}
