// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import TributaryCore

// Objects of which something was promised: they are on the disk, whatever happens to the machine.

extension ObjectStore {
    /// Waits until a complete object's bytes are on the disk; `syncNames` makes its name last, too.
    ///
    /// - Throws: `FilesError.unknownObject` when no file holds it, `FilesError.system`.
    package func sync(_ digest: Digest) throws(FilesError) {
        let path = "\(directory)/\(digest)"
        guard Directory.exists(path) else { throw .unknownObject(digest) }
        try FileHandle(opening: path, flags: O_RDONLY, action: "open").sync()
    }

    /// Makes values an object that is on the disk; `syncNames` makes its name last, too.
    ///
    /// - Throws: `FilesError.noSpace`, `FilesError.system`.
    package func putDurably(_ vector: HeapVector) throws -> ObjectReference {
        let object = try put(vector.bytes.bytes)
        try sync(object.digest)
        return object
    }

    /// Makes the names of all complete objects last.
    ///
    /// - Throws: `FilesError.system`.
    package func syncNames() throws(FilesError) { try Directory.sync(directory) }
}
