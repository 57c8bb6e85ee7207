// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryCore
import TributaryTopology

/// Reads topology files.
package enum TopologyFile {
    /// The largest file that is read: ten thousand nodes with settings of their own need less than a quarter of it.
    package static let byteCountMax = 4 * 1024 * 1024

    /// Reads, checks and resolves a topology file; settings replace its values before they are looked at.
    ///
    /// - Throws: everything that is wrong with it: the settings, then the file in its order.
    package static func load(
        _ path: String, settings: [TopologySetting] = []
    ) throws(TopologyFileError) -> TopologyDocument {
        var diagnostics = Diagnostics(file: path)
        guard let bytes = read(path, &diagnostics) else {
            throw TopologyFileError(diagnostics: diagnostics.sorted)
        }
        return try parse(bytes, file: path, settings: settings)
    }

    /// Checks and resolves a topology file's bytes; `file` is its name in errors.
    ///
    /// - Throws: everything that is wrong with it: the settings, then the file in its order.
    package static func parse(
        _ bytes: [UInt8], file: String, settings: [TopologySetting] = []
    ) throws(TopologyFileError) -> TopologyDocument {
        var diagnostics = Diagnostics(file: file)
        guard let (root, walker) = walk(bytes, settings, &diagnostics) else {
            throw TopologyFileError(diagnostics: diagnostics.sorted)
        }
        guard !diagnostics.isFull else {
            throw TopologyFileError(diagnostics: diagnostics.sorted)
        }
        let topology = TopologyBuilder.topology(root)
        for issue in topology.issues(besides: Array(diagnostics.broken)) {
            diagnostics.add(walker.places.diagnostic(of: issue))
        }
        let sorted = diagnostics.sorted
        guard !diagnostics.hasErrors else {
            throw TopologyFileError(diagnostics: sorted.filter { $0.severity == .error })
        }
        do throws(TopologyError) {
            return TopologyDocument(
                file: file, tree: try Tree(topology), warnings: sorted, places: walker.places)
        } catch {
            throw TopologyFileError(diagnostics: error.issues.map { walker.places.diagnostic(of: $0) })
        }
    }

    /// From bytes to values of the right form; errors of form are in `diagnostics` afterwards.
    private static func walk(
        _ bytes: [UInt8], _ settings: [TopologySetting], _ diagnostics: inout Diagnostics
    ) -> (FileValue, FileWalker)? {
        guard bytes.count <= byteCountMax else {
            reportSize(bytes.count, &diagnostics)
            return nil
        }
        guard let text = FileScan.decode(bytes, &diagnostics), FileScan.run(text, &diagnostics) else { return nil }
        var composer = FileComposer(text, &diagnostics)
        guard !diagnostics.hasErrors else { return nil }
        let lineCount = text.utf8.count { $0 == 10 } + 1
        FileOverlay.apply(settings, to: &composer, lineCount: lineCount, &diagnostics)
        guard let root = composer.root, root.typeName != "nothing" else {
            diagnostics.add(
                .empty, at: nil, "", "the file is empty; 'tributary init' writes an example to start from")
            return nil
        }
        var walker = FileWalker(composer, diagnostics)
        let value = walker.value(root, .section(KeyTable.root), "")
        walker.checkPlaces(value)
        diagnostics = walker.diagnostics
        guard let value else { return nil }
        return (value, walker)
    }

    private static func reportSize(_ count: Int, _ diagnostics: inout Diagnostics) {
        diagnostics.add(
            .size, at: nil, "", "the file has \(count) bytes, a topology at most \(byteCountMax); is it another file?")
    }

    private static func read(_ path: String, _ diagnostics: inout Diagnostics) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let hint = errno == ENOENT ? "; check the path, or let 'tributary init' write an example" : ""
            diagnostics.add(
                .unreadable, at: nil, "", "the file cannot be opened: \(String(cString: strerror(errno)))\(hint)")
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > byteCountMax {
            reportSize(status.st_size, &diagnostics)
            return nil
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count <= byteCountMax {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                diagnostics.add(
                    .unreadable, at: nil, "", "the file cannot be read: \(String(cString: strerror(errno)))")
                return nil
            }
            bytes += buffer[..<count]
        }
        reportSize(bytes.count, &diagnostics)
        return nil
    }
}

extension FileWalker {
    /// Reports keys of a tier that belong to tiers of another kind.
    mutating func checkPlaces(_ root: FileValue?) {
        guard let tiers = root?["tiers"]?.list, tiers.count > 1 else { return }
        for (index, tier) in tiers.enumerated() {
            let path = "tiers[\(index)]"
            for key in KeyTable.tier.keys where tier?[key.name] != nil || places.keys["\(path).\(key.name)"] != nil {
                let text: String? =
                    switch key.place {
                    case .aggregators where index == tiers.count - 1:
                        "the last tier holds the devices; '\(key.name)' belongs to the tiers above"
                    case .devices where index < tiers.count - 1:
                        "only the last tier, the devices, can have '\(key.name)'"
                    case .belowRoot where index == 0:
                        "the root has no parent, so it has no '\(key.name)'"
                    case .anywhere, .aggregators, .devices, .belowRoot:
                        nil
                    }
                guard let text else { continue }
                let inner = "\(path).\(key.name)"
                diagnostics.add(.misplaced, at: places.keys[inner], inner, text)
            }
        }
    }
}
