// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import TributaryFiles

/// A directory of a test's own, removed when the value ends.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "tributary-files-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a name in the directory.
    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file into the directory and returns its path.
    func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: self(name)))
        return self(name)
    }

    func write(_ text: String, as name: String) throws -> String { try write(Array(text.utf8), as: name) }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

/// What lies in Tests/Oracles/files, and the Python that runs it.
enum Oracle {
    static let packageRoot = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let directory = packageRoot.appending(path: "Tests/Oracles/files").path()
    static let fixtures = directory + "/fixtures"

    static func fixture(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(fixtures)/\(name)")))
    }

    /// A Python process that runs a script of this directory.
    static func python(_ script: String, _ arguments: String...) throws -> Process {
        let python =
            ProcessInfo.processInfo.environment["TRIBUTARY_PYTHON"]
            ?? packageRoot.appending(path: ".build/venv/bin/python3").path()
        try #require(
            FileManager.default.isExecutableFile(atPath: python),
            "\(python) is missing: run `make setup`, or point TRIBUTARY_PYTHON at a Python with numpy and safetensors")
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = ["\(directory)/\(script)"] + arguments
        return process
    }

    /// Runs a script to its end and returns what it prints.
    static func run(_ script: String, _ arguments: String...) throws -> Data {
        let process = try python(script)
        process.arguments?.append(contentsOf: arguments)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(script) failed")
        return data
    }
}

/// Bytes that look random and are the same in every run (a 64-bit linear congruential generator's high bytes).
func scrambledBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}
