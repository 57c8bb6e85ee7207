// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Files of the repository and of one test run.
enum TestFiles {
    /// The folder of a source file.
    static func folder(of file: String) -> String { String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]) }

    /// The repository's example topologies.
    static let topologies = folder(of: folder(of: folder(of: #filePath))) + "/Topologies"

    /// The paths of the YAML files in and below a folder, relative to it, sorted.
    static func yaml(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".yaml") {
                names.append(name)
            } else if !name.hasPrefix(".") {
                names += yaml(in: folder + "/" + name).map { name + "/" + $0 }
            }
        }
        return names.sorted()
    }

    /// A file's bytes; `nil` when it cannot be opened.
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// A path that no other process uses.
    static func temporaryPath(_ name: String) -> String { "/tmp/tributary-\(getpid())-\(name)" }
}
