// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization
package import TributaryCore
internal import TributaryCrypto

/// A directory of content-addressed objects: `<digest>` when complete, `<digest>.partial` while one arrives.
///
/// It is safe to use from several threads, and holds its directory's lock, so that one store at a time works there.
/// Complete objects are read through mappings; a small number of them is kept open. Objects outlive the process, and
/// are digested again when the machine itself went down since, as it may have lost what was not yet on the disk.
package final class ObjectStore: BlockStore, Sendable {
    /// Mappings kept open: one per object that is being sent, in the usual case that all children want the same.
    private static let mappingCountMax = 16
    /// Bytes of objects that stay in memory because they are there anyway; more go to the disk like all others.
    private static let heldByteCountMax = 64 << 20
    /// Room left free on the file system, for journals, logs and everybody else.
    private static let reserveByteCount: UInt64 = 16 << 20

    private struct State: ~Copyable {
        var partials: [Digest: PartialObject] = [:]
        /// The most recently used last.
        var mappings: [(digest: Digest, file: MappedFile)] = []
        var nextTemporary: UInt64 = 0
        /// Objects in memory.
        var held: [Digest: MappedFile] = [:]
        /// Whether an object that arrives found no room lately.
        var isFull = false
        /// Objects that lie in other files.
        var places: [Digest: Place] = [:]
    }

    /// Where an object lies that is a part of another file.
    package struct Place: Hashable, Sendable {
        package var path: String
        /// A multiple of 4 bytes.
        package var offset: UInt64
        package var byteCount: UInt64
        package init(path: String, offset: UInt64, byteCount: UInt64) {
            self.path = path
            self.offset = offset
            self.byteCount = byteCount
        }
    }

    /// Where the objects lie.
    package let directory: String
    private let lock: DirectoryLock
    private let failPoints: FailPoints?
    private let state = Mutex(State())

    /// Opens the store in a directory, creating it when it does not exist.
    ///
    /// - Throws: `FilesError.locked` when another store uses the directory, `FilesError.system` for other trouble.
    package init(directory: String, failPoints: FailPoints? = nil) throws(FilesError) {
        lock = try DirectoryLock(directory: directory)
        self.failPoints = failPoints
        self.directory = directory
        for name in try Directory.names(in: directory) where name.hasSuffix(".tmp") {
            try Directory.remove("\(directory)/\(name)")
        }
        try verifyAfterRestart()
    }

    private func path(of digest: Digest) -> String { "\(directory)/\(digest)" }
    private func partialPath(of digest: Digest) -> String { "\(directory)/\(digest).partial" }
}

// MARK: - Reading

extension ObjectStore {
    /// The size of a complete object; `nil` when it is not held.
    package func byteCount(of digest: Digest) -> UInt64? {
        state.withLock { state in
            if let held = state.held[digest] { return UInt64(held.byteCount) }
            if let place = state.places[digest] { return place.byteCount }
            var status = stat()
            guard stat(path(of: digest), &status) == 0 else { return nil }
            return UInt64(clamping: status.st_size)
        }
    }

    /// Whether the complete object is held.
    package func contains(_ digest: Digest) -> Bool { byteCount(of: digest) != nil }

    /// Every complete object that lies in the store's own files, in order of its digest's text.
    ///
    /// - Throws: `FilesError.system` when the directory cannot be listed.
    package func objects() throws(FilesError) -> [ObjectReference] {
        var objects: [ObjectReference] = []
        for name in try Directory.names(in: directory) {
            guard let digest = Digest(hexadecimal: name), let byteCount = byteCount(of: digest) else { continue }
            objects.append(ObjectReference(digest: digest, byteCount: byteCount))
        }
        return objects
    }

    /// Maps a complete object; it stays readable through the mapping when the store removes it.
    ///
    /// - Throws: `FilesError.unknownObject` when the store does not hold it.
    package func mapped(_ digest: Digest) throws(FilesError) -> MappedFile {
        try state.withLock { state throws(FilesError) in
            if let held = state.held[digest] { return held }
            if let position = state.mappings.firstIndex(where: { $0.digest == digest }) {
                let entry = state.mappings.remove(at: position)
                state.mappings.append(entry)
                return entry.file
            }
            let file = try open(digest, state.places[digest])
            if state.mappings.count == Self.mappingCountMax { state.mappings.removeFirst() }
            state.mappings.append((digest, file))
            return file
        }
    }

    private func open(_ digest: Digest, _ place: Place?) throws(FilesError) -> MappedFile {
        if let place { return try MappedFile(path: place.path, offset: place.offset, byteCount: place.byteCount) }
        var status = stat()
        guard stat(path(of: digest), &status) == 0 else { throw .unknownObject(digest) }
        return try MappedFile(path: path(of: digest))
    }

    /// Lends bytes of a complete object from its mapping.
    ///
    /// - Throws: `FilesError.unknownObject`, `FilesError.outsideObject`, or what `body` throws.
    package func withBytes<Result>(
        of digest: Digest, offset: UInt64, byteCount: Int, _ body: (RawSpan) throws -> Result
    ) throws -> Result {
        let file = try mapped(digest)
        let (end, overflow) = offset.addingReportingOverflow(UInt64(clamping: byteCount))
        guard byteCount >= 0, !overflow, end <= UInt64(file.byteCount) else {
            throw FilesError.outsideObject(
                digest, end: overflow ? .max : end, byteCount: UInt64(file.byteCount))
        }
        let start = Int(offset)
        return try file.withBytes { bytes in try body(bytes.extracting(start..<(start + byteCount))) }
    }
}

// MARK: - Objects that arrive

extension ObjectStore {
    /// Starts or resumes a partial object; returns how many leading bytes are already held.
    ///
    /// - Throws: `FilesError.tooLarge` beyond `Limits.objectByteCountMax`, `FilesError.noSpace` when the rest of it,
    ///   with what other partial objects still want, does not fit on the disk, `FilesError.conflictingSize`.
    package func beginPartial(_ object: ObjectReference) throws(FilesError) -> UInt64 {
        guard object.byteCount <= Limits.objectByteCountMax else {
            throw .tooLarge(
                what: "object \(object.digest.short)", actual: object.byteCount, limit: Limits.objectByteCountMax)
        }
        return try state.withLock { state throws(FilesError) in
            if let partial = state.partials[object.digest] {
                guard partial.object == object else {
                    throw .conflictingSize(
                        object.digest, held: partial.object.byteCount, declared: object.byteCount)
                }
                return partial.heldByteCount
            }
            let partial = try PartialObject(object, path: partialPath(of: object.digest))
            let wanted = state.partials.values.reduce(partial.missingByteCount) { $0 + $1.unreservedByteCount }
            do throws(FilesError) {
                try failPoints?.pass(.write, directory)
                try FreeSpace.require(wanted + Self.reserveByteCount, at: directory)
                try partial.reserve()
            } catch {
                if partial.heldByteCount == 0 { _ = unlink(partialPath(of: object.digest)) }
                state.isFull = error.isOutOfSpace
                throw error
            }
            state.isFull = false
            state.partials[object.digest] = partial
            return partial.heldByteCount
        }
    }

    /// Whether the last object that arrived found no room; what fails for that reason may be tried again later.
    package var isFull: Bool { state.withLock { $0.isFull } }

    /// Appends bytes to a partial object; `offset` is the count held so far.
    ///
    /// - Throws: `FilesError.unknownObject`, `FilesError.wrongOffset`, `FilesError.outsideObject` beyond the declared
    ///   size, `FilesError.system` when the disk is full or fails. What was held stays held.
    package func append(_ bytes: RawSpan, to digest: Digest, at offset: UInt64) throws(FilesError) {
        try state.withLock { state throws(FilesError) in
            guard let partial = state.partials[digest] else { throw .unknownObject(digest) }
            do throws(FilesError) {
                try failPoints?.pass(.write, partialPath(of: digest))
                try partial.append(bytes, at: offset)
            } catch {
                state.isFull = error.isOutOfSpace
                throw error
            }
        }
    }

    /// Completes a partial object after its last byte: verifies size and digest, and discards it when they differ.
    ///
    /// - Returns: whether the object was right.
    /// - Throws: `FilesError.unknownObject`, `FilesError.system`.
    package func finishPartial(_ digest: Digest) throws(FilesError) -> Bool {
        try state.withLock { state throws(FilesError) in
            guard let partial = state.partials.removeValue(forKey: digest) else { throw .unknownObject(digest) }
            guard partial.isRight else {
                try Directory.remove(partialPath(of: digest))
                return false
            }
            try failPoints?.pass(.rename, path(of: digest))
            try Directory.move(partialPath(of: digest), to: path(of: digest))
            return true
        }
    }

    /// Forgets a partial object and what was held of it.
    package func discardPartial(_ digest: Digest) {
        state.withLock { state in
            state.partials[digest] = nil
            _ = unlink(partialPath(of: digest))
        }
    }

    /// Closes a partial object and keeps what is held of it for a later `beginPartial`.
    package func suspendPartial(_ digest: Digest) {
        state.withLock { state in state.partials[digest] = nil }
    }
}

// MARK: - Objects made here

extension ObjectStore {
    /// Stores what `body` writes, digesting it on the way, and names it by its digest.
    ///
    /// Nothing is left when `body` throws or the disk is full. An object that is held already is kept.
    /// `byteCount`: the expected size, when it is known: room for it is made sure of first.
    /// - Throws: `FilesError.noSpace`, `FilesError.system`, or what `body` throws.
    package func put(
        byteCount: UInt64 = 0, _ body: (inout ObjectSink) throws -> Void
    ) throws -> ObjectReference {
        try failPoints?.pass(.write, directory)
        try FreeSpace.require(byteCount + Self.reserveByteCount, at: directory)
        let temporary = state.withLock { state in
            state.nextTemporary += 1
            return "\(directory)/put-\(state.nextTemporary).tmp"
        }
        do {
            var sink = ObjectSink(
                try FileSink(creating: temporary, permissions: 0o644, expectedByteCount: byteCount))
            try body(&sink)
            let object = try sink.finish()
            try failPoints?.pass(.rename, path(of: object.digest))
            try Directory.move(temporary, to: path(of: object.digest))
            return object
        } catch {
            _ = unlink(temporary)
            throw error
        }
    }

    /// Stores bytes that are in memory.
    ///
    /// - Throws: `FilesError.noSpace`, `FilesError.system`.
    package func put(_ bytes: RawSpan) throws -> ObjectReference {
        try put(byteCount: UInt64(bytes.byteCount)) { sink in try sink.write(bytes) }
    }

    /// Stores bytes that are in memory.
    ///
    /// - Throws: `FilesError.noSpace`, `FilesError.system`.
    package func put(_ bytes: [UInt8]) throws -> ObjectReference { try put(bytes.span.bytes) }

    /// Makes values in memory an object: it stays there, where it is anyway, while there is room for it, and does not
    /// outlive the process then.
    ///
    /// - Throws: as `put`, for values that go to the disk.
    package func hold(_ vector: HeapVector) throws -> ObjectReference {
        let object = ObjectReference(digest: .sha256(of: vector.bytes), byteCount: UInt64(vector.bytes.count))
        let isHeld = state.withLock { state in
            let held = state.held.values.reduce(vector.bytes.count) { $0 + $1.byteCount }
            guard held <= Self.heldByteCountMax else { return false }
            state.held[object.digest] = MappedFile(holding: vector)
            return true
        }
        return isHeld ? object : try put(vector.bytes.bytes)
    }

    /// Makes an existing file an object without copying it, by a hard link; copies when it lies on another disk.
    ///
    /// The file may be replaced or removed afterwards, but must not be changed in place.
    /// - Throws: `FilesError.system` when it cannot be read or linked.
    package func link(path source: String) throws -> ObjectReference {
        let object: ObjectReference
        do {
            let file = try FileHandle.reading(source)
            let byteCount = try file.byteCount()
            object = ObjectReference(digest: try file.digest(), byteCount: byteCount)
        }
        if contains(object.digest) || Glibc.link(source, path(of: object.digest)) == 0 { return object }
        guard errno == EXDEV || errno == EPERM || errno == EMLINK else {
            throw FilesError.system(action: "link into \(directory)", path: source, code: errno)
        }
        return try put(byteCount: object.byteCount) { sink in
            let file = try FileHandle.reading(source)
            try file.forEachBlock(upTo: object.byteCount, blockByteCount: 1 << 20) { bytes throws(FilesError) in
                try sink.write(bytes.bytes)
            }
        }
    }

    /// Removes a complete object; one that is not held is no error.
    ///
    /// - Throws: `FilesError.system` when it cannot be removed.
    package func remove(_ digest: Digest) throws(FilesError) {
        try state.withLock { state throws(FilesError) in
            state.mappings.removeAll { $0.digest == digest }
            state.held[digest] = nil
            state.places[digest] = nil
            try Directory.remove(path(of: digest))
        }
    }

    /// Removes every complete object and every idle partial one that is not listed.
    ///
    /// - Returns: how many bytes of complete objects were removed.
    /// - Throws: `FilesError.system` when one cannot be removed.
    @discardableResult
    package func retain(only digests: Set<Digest>) throws(FilesError) -> UInt64 {
        var freed: UInt64 = 0
        for object in try objects() where !digests.contains(object.digest) {
            try remove(object.digest)
            freed += object.byteCount
        }
        for name in try Directory.names(in: directory) where name.hasSuffix(".partial") {
            guard let digest = Digest(hexadecimal: String(name.dropLast(".partial".count))) else { continue }
            let isIdle = state.withLock { $0.partials[digest] == nil }
            if isIdle, !digests.contains(digest) { try Directory.remove("\(directory)/\(name)") }
        }
        return freed
    }
}

// MARK: - Objects that last

extension ObjectStore {
    /// Waits until complete objects are on the disk; those that lie elsewhere are whoever's who put them there.
    ///
    /// - Throws: `FilesError.unknownObject`, `FilesError.system` when the disk fails.
    package func sync(_ digests: [Digest]) throws(FilesError) {
        var count = 0
        for digest in digests where state.withLock({ $0.places[digest] == nil }) {
            if let held = state.withLock({ $0.held[digest] }) { try keep(digest, held) }
            guard contains(digest) else { throw .unknownObject(digest) }
            try FileHandle.reading(path(of: digest)).syncData(failPoints)
            count += 1
        }
        if count > 0 {
            try failPoints?.pass(.sync, directory)
            try Directory.sync(directory)
        }
    }

    /// Gives an object in memory a file.
    private func keep(_ digest: Digest, _ held: MappedFile) throws(FilesError) {
        do {
            _ = try held.withBytes { try put($0) }
        } catch {
            throw error as? FilesError ?? .unknownObject(digest)
        }
    }

    /// Reads objects from parts of other files from now on; the store's own copies are removed.
    ///
    /// The files must stay as they are until `leave` or `remove` is called.
    package func place(_ places: [(digest: Digest, place: Place)]) {
        state.withLock { state in
            for (digest, place) in places {
                state.places[digest] = place
                state.held[digest] = nil
                state.mappings.removeAll { $0.digest == digest }
                // What cannot be removed costs disk; the next start clears it.
                _ = unlink(path(of: digest))
            }
        }
    }

    /// Forgets the objects that lie in a file which is about to be removed.
    package func leave(path: String) {
        state.withLock { state in state.places = state.places.filter { $0.value.path != path } }
    }
}

// MARK: - After a crash of the machine

extension ObjectStore {
    /// Digests every object again, once, when the machine was started since the store was last opened.
    private func verifyAfterRestart() throws(FilesError) {
        let marker = "\(directory)/boot"
        let boot = (try? SmallFile.read("/proc/sys/kernel/random/boot_id", byteCountMax: 64)) ?? []
        if let last = try? SmallFile.read(marker, byteCountMax: 64), last == boot, !boot.isEmpty { return }
        for object in try objects() {
            let right = try FileHandle.reading(path(of: object.digest)).digest() == object.digest
            // Whoever needs one that is gone finds it missing; wrong bytes would be found by nobody.
            if !right { try Directory.remove(path(of: object.digest)) }
        }
        try AtomicFile.write(boot, to: marker)
    }
}

/// An object being made: what is written is digested; not shared between threads.
package struct ObjectSink: ~Copyable {
    private static let blockByteCount = FileSink.capacity

    private var file: FileSink
    private var digest = SHA256()

    init(_ file: consuming FileSink) { self.file = file }

    /// The bytes given so far.
    package var byteCount: UInt64 { file.byteCount }

    /// Appends bytes.
    ///
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package mutating func write(_ bytes: RawSpan) throws(FilesError) {
        // Block by block: the digest then finds in the cache what the copy into the file has just read.
        var start = 0
        while start < bytes.byteCount {
            let end = min(start + Self.blockByteCount, bytes.byteCount)
            let block = bytes.extracting(start..<end)
            try file.write(block)
            digest.update(block)
            start = end
        }
    }

    /// Appends bytes.
    ///
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package mutating func write(_ bytes: [UInt8]) throws(FilesError) { try write(bytes.span.bytes) }

    /// Appends values as little-endian float32.
    ///
    /// - Throws: `FilesError.system` when the disk is full or fails.
    package mutating func write(_ values: Span<Float>) throws(FilesError) { try write(values.bytes) }

    mutating func finish() throws(FilesError) -> ObjectReference {
        try file.finish(sync: false)
        return ObjectReference(digest: digest.copy().finish(), byteCount: file.byteCount)
    }
}

extension FileHandle {
    /// The SHA-256 of the whole file.
    borrowing func digest() throws(FilesError) -> Digest {
        var digest = SHA256()
        try forEachBlock(upTo: .max, blockByteCount: 1 << 20) { bytes in digest.update(bytes) }
        return digest.finish()
    }
}
