// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import TributaryTopologyFile

/// The corpus of broken files: each states by hand, in its first lines or in a file beside it, exactly what is wrong.
@Suite struct BrokenFilesTests {
    static let folder = TestFiles.folder(of: #filePath) + "/Broken"

    @Test("every broken file gives the errors that it states, and no others", arguments: TestFiles.yaml(in: folder))
    func errors(name: String) throws {
        let path = Self.folder + "/" + name
        let bytes = try #require(TestFiles.read(path))
        let beside = TestFiles.read(path + ".expect").map { String(decoding: $0, as: UTF8.self) }
        let expected = beside.map(Self.lines) ?? Self.stated(in: String(decoding: bytes, as: UTF8.self))
        #expect(!expected.isEmpty, "\(name) states no error")
        let error = #expect(throws: TopologyFileError.self) { try TopologyFile.load(path) }
        let actual = (error?.diagnostics ?? []).map { diagnostic in
            let text = diagnostic.description.dropFirst(path.count + 1)
            return String(text.first == " " ? text.dropFirst() : text)
        }
        #expect(actual == expected)
        for diagnostic in error?.diagnostics ?? [] { #expect(diagnostic.code.hasPrefix("topology.")) }
    }

    @Test func corpusIsWide() {
        let names = TestFiles.yaml(in: Self.folder)
        #expect(names.count >= 60)
        var codes: [String] = []
        for name in names {
            do { _ = try TopologyFile.load(Self.folder + "/" + name) } catch { codes += error.diagnostics.map(\.code) }
        }
        #expect(Set(codes).count >= 20)
    }

    @Test("a file of 100 MB is refused by its size alone")
    func hugeFile() throws {
        let path = TestFiles.temporaryPath("huge.yaml")
        defer { unlink(path) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        #expect(ftruncate(descriptor, 100_000_000) == 0)
        close(descriptor)
        let error = #expect(throws: TopologyFileError.self) { try TopologyFile.load(path) }
        #expect(error?.code == "topology.size")
        #expect(
            error?.description
                == "\(path): the file has 100000000 bytes, a topology at most 4194304; is it another file?")
    }

    @Test("a file that is not there says so")
    func missingFile() {
        let error = #expect(throws: TopologyFileError.self) { try TopologyFile.load("/nowhere/topology.yaml") }
        #expect(error?.code == "topology.unreadable")
        #expect(error?.description.hasPrefix("/nowhere/topology.yaml: the file cannot be opened: No such file") == true)
    }

    @Test("a folder says so")
    func folderInstead() {
        let error = #expect(throws: TopologyFileError.self) { try TopologyFile.load("/tmp") }
        #expect(error?.code == "topology.unreadable")
    }

    @Test("nine levels of aliases cost nothing")
    func aliasBomb() {
        var text = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1..<9 {
            let (name, before) = (
                Character(UnicodeScalar(UInt8(97 + level))), Character(UnicodeScalar(UInt8(96 + level)))
            )
            text += "\(name): &\(name) [" + Array(repeating: "*\(before)", count: 9).joined(separator: ", ") + "]\n"
        }
        let error = #expect(throws: TopologyFileError.self) { try TopologyFile.parse(Array(text.utf8), file: "bomb") }
        #expect(error?.diagnostics.allSatisfy { $0.code == "topology.alias" } == true)
        #expect(error?.diagnostics.count == 9 + 72)
    }

    @Test("cut anywhere, a file gives a topology or errors, never a crash", arguments: ["pumps", "fleet"])
    func cutAnywhere(name: String) throws {
        let bytes = try #require(TestFiles.read(TestFiles.topologies + "/\(name).yaml"))
        for count in bytes.indices {
            do { _ = try TopologyFile.parse(Array(bytes[..<count]), file: "cut") } catch {
                #expect(!error.diagnostics.isEmpty)
            }
        }
    }

    @Test("with any byte changed, a file gives a topology or errors, never a crash", arguments: ["cnn", "fleet"])
    func changedAnywhere(name: String) throws {
        let bytes = try #require(TestFiles.read(TestFiles.topologies + "/\(name).yaml"))
        let replacements = Array("\n\t:{}[],\"'#&*!|>%@-0\u{7f}".utf8) + [0x00, 0xFF, 0xC3]
        for index in stride(from: 0, to: bytes.count, by: 3) {
            var changed = bytes
            changed[index] = replacements[index / 3 % replacements.count]
            do { _ = try TopologyFile.parse(changed, file: "changed") } catch {
                #expect(!error.diagnostics.isEmpty)
            }
        }
    }

    private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    private static func stated(in text: String) -> [String] {
        let mark = "# expect: "
        return text.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix(mark) }
            .map { String($0.dropFirst(mark.count)) }
    }
}
