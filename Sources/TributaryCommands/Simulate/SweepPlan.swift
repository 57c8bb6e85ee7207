// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryReport
import TributaryTopologyFile

/// Every combination of the values that settings take, in a fixed order: the last setting varies fastest.
struct SweepPlan {
    /// More runs than this are a mistake more often than a wish, and their table helps nobody.
    static let pointCountMax = 10_000

    let axes: [TopologySettingAxis]
    let pointCount: Int

    /// - Returns: `nil` when there are more than `pointCountMax` points.
    init?(_ axes: [TopologySettingAxis]) {
        var count = 1
        for axis in axes {
            count *= axis.settings.count
            guard count <= Self.pointCountMax else { return nil }
        }
        self.axes = axes
        pointCount = count
    }

    /// The settings of a point; `index` starts at 0.
    func settings(of index: Int) -> [TopologySetting] {
        var rest = index
        var settings: [TopologySetting] = []
        for axis in axes.reversed() {
            settings.append(axis.settings[rest % axis.settings.count])
            rest /= axis.settings.count
        }
        return settings.reversed()
    }

    /// The points before any has run, with directories below the sweep's: `001-alpha-0.1`.
    func summary(federation: String, directory: String) -> SweepSummary {
        let axes = axes.map { SweepSummary.Axis(path: $0.path, values: $0.settings.map(\.value)) }
        let names = SweepSummary(federation: "", directory: "", axes: axes, points: []).names(areShort: true)
        let digits = max(3, String(pointCount).count)
        let points = (0..<pointCount).map { index in
            let settings = settings(of: index).map { RunRecord.Setting($0.path, $0.value) }
            let number = String(index + 1)
            var name = String(repeating: "0", count: digits - number.count) + number
            for (path, short) in names {
                name += "-\(short)-" + (settings.first { $0.key == path }?.value ?? "")
            }
            return SweepPoint(
                number: index + 1, settings: settings, directory: "\(directory)/\(Self.fileName(name))")
        }
        return SweepSummary(federation: federation, directory: directory, axes: axes, points: points)
    }

    /// At most 64 characters that no shell and no file system minds.
    private static func fileName(_ text: String) -> String {
        var name = ""
        for character in text {
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || ".-".contains(character))
            if isPlain { name.append(character) } else if name.last != "-" { name.append("-") }
        }
        name = String(name.prefix(64))
        while name.last == "-" || name.last == "." { name.removeLast() }
        return name
    }
}
