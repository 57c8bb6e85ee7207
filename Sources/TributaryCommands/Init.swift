// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser
import Glibc
import TributaryTopology
import TributaryTopologyFile

/// `tributary init [PATH]`: writes a commented topology to start from.
package struct Init: Verb {
    package static let configuration = CommandConfiguration(
        abstract: "Write a commented example topology.",
        discussion: "PATH is a new .yaml file, or a folder that gets a topology.yaml. Nothing is ever overwritten.")

    @Argument(help: "The file or folder to write to.")
    package var path = "topology.yaml"

    @OptionGroup package var output: OutputOptions

    package init() {}

    /// Writes the example, in a folder of its own where one is asked for.
    package func execute(_ output: CommandOutput) throws {
        var file = path
        if !path.hasSuffix(".yaml"), !path.hasSuffix(".yml") {
            while file.utf8.count > 1, file.hasSuffix("/") { file.removeLast() }
            if mkdir(file, 0o777) != 0, errno != EEXIST { throw Self.failure(file, "the folder cannot be made", errno) }
            file += "/topology.yaml"
        }
        try Self.write(TopologyFile.example, to: file)
        output.finish(
            .mapping([.init("file", .text(file)), .init("next", .text("tributary up \(file)"))]),
            text: """
                Wrote \(file): a cloud, two plants and twenty cameras.
                  tributary show \(file)    draws it
                  tributary up \(file)      runs it on this machine

                """)
    }

    /// Writes a file that does not exist yet; what could not be written in full is taken away again.
    private static func write(_ text: String, to file: String) throws(CommandError) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw CommandError(
                    "init.exists", "the file exists already and stays as it is",
                    hint: "give another path, for example 'tributary init other.yaml'", at: file)
            }
            throw failure(file, "the file cannot be written", errno)
        }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw undo(file, errno) }
            written += count
        }
        if fsync(descriptor) != 0 { throw undo(file, errno) }
    }

    private static func undo(_ file: String, _ reason: Int32) -> CommandError {
        unlink(file)
        return failure(file, "the file cannot be written", reason)
    }

    private static func failure(_ file: String, _ what: String, _ reason: Int32) -> CommandError {
        CommandError(
            "init.unwritable", "\(what): \(String(cString: strerror(reason)))",
            hint: "check the path, its rights and the space left", at: file,
            exit: reason == EACCES || reason == EPERM || reason == EROFS ? .notPermitted : .failed)
    }
}
