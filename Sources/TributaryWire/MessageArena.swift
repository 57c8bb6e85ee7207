// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore

/// Memory of one message under construction: C structs, texts and lists, all freed with the arena.
///
/// Keep the arena alive (`withExtendedLifetime`) until the message is packed.
final class MessageArena {
    private static let blockByteCount = 4096
    private var blocks: [UnsafeMutableRawBufferPointer] = []
    private var used = 0

    deinit {
        for block in blocks { block.deallocate() }
    }

    private func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let rounded = (byteCount + 15) & ~15
        if let block = blocks.last, let base = block.baseAddress, block.count - used >= rounded {
            defer { used += rounded }
            return base + used
        }
        let block = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(rounded, Self.blockByteCount), alignment: 16)
        guard let base = block.baseAddress else { preconditionFailure("an allocation has an address") }
        blocks.append(block)
        used = rounded
        return base
    }

    /// A C struct with the defaults that its generated initialiser gives.
    func make<Struct>(_ initialise: (UnsafeMutablePointer<Struct>?) -> Void) -> UnsafeMutablePointer<Struct> {
        let pointer = allocate(byteCount: MemoryLayout<Struct>.stride).bindMemory(to: Struct.self, capacity: 1)
        initialise(pointer)
        return pointer
    }

    /// A text with its closing zero.
    func text(_ value: String) -> UnsafeMutablePointer<CChar> {
        var value = value
        return value.withUTF8 { bytes in
            let memory = allocate(byteCount: bytes.count + 1)
            UnsafeMutableRawBufferPointer(start: memory, count: bytes.count)
                .copyMemory(from: UnsafeRawBufferPointer(bytes))
            memory.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt8.self)
            return memory.bindMemory(to: CChar.self, capacity: bytes.count + 1)
        }
    }

    /// The 32 bytes of a digest; none for `nil`.
    func digest(_ value: Digest?) -> ProtobufCBinaryData {
        guard let value else { return ProtobufCBinaryData(len: 0, data: nil) }
        let bytes = bytes(count: Digest.byteCount)
        value.write(to: UnsafeMutableRawBufferPointer(start: bytes.data, count: bytes.len))
        return bytes
    }

    /// A copy of bytes.
    func bytes(of value: [UInt8]) -> ProtobufCBinaryData {
        ProtobufCBinaryData(len: value.count, data: values(value))
    }

    /// Bytes for the caller to fill.
    func bytes(count: Int) -> ProtobufCBinaryData {
        ProtobufCBinaryData(
            len: count, data: allocate(byteCount: count).bindMemory(to: UInt8.self, capacity: count))
    }

    /// A list of plain values.
    func values<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value>? {
        let byteCount = values.count * MemoryLayout<Value>.stride
        let pointer = allocate(byteCount: byteCount).bindMemory(to: Value.self, capacity: values.count)
        pointer.initialize(from: values, count: values.count)
        return pointer
    }

    /// A list of messages, as protobuf-c wants it: pointers to structs.
    func list<Struct>(
        _ items: [UnsafeMutablePointer<Struct>]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Struct>?>? {
        values(items.map { Optional($0) })
    }
}
