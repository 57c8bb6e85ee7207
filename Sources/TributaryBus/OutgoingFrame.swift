// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// A frame under construction: one allocation that libzmq takes over and releases when the bytes have left.
struct OutgoingFrame: ~Copyable {
    private static let headerByteCount = 16

    /// What `release` is called with: the frame's allocation, or its lease of a shared one.
    private let hint: UnsafeMutableRawPointer
    private let release: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void
    /// Where the frame's bytes are written.
    let bytes: UnsafeMutableRawBufferPointer
    let byteCount: Int

    /// Reserves a frame of `byteCount` bytes, counted by `meter` until libzmq releases it.
    init?(byteCount: Int, meter: OutgoingMeter) {
        guard byteCount >= 0, let base = malloc(OutgoingFrame.headerByteCount + byteCount) else { return nil }
        hint = base
        release = { _, hint in if let hint { OutgoingFrame.release(hint) } }
        bytes = UnsafeMutableRawBufferPointer(start: base + OutgoingFrame.headerByteCount, count: byteCount)
        self.byteCount = byteCount
        base.storeBytes(of: Unmanaged.passRetained(meter).toOpaque(), as: UnsafeMutableRawPointer.self)
        base.storeBytes(of: byteCount, toByteOffset: 8, as: Int.self)
        meter.add(byteCount)
    }

    /// A frame with the bytes of another that goes to several peers; counted by `meter` until libzmq releases it.
    init(sharing frame: SharedFrame, meter: OutgoingMeter) {
        hint = Unmanaged.passRetained(Lease(frame: frame, meter: meter)).toOpaque()
        release = { _, hint in if let hint { Unmanaged<Lease>.fromOpaque(hint).release() } }
        bytes = frame.bytes
        byteCount = frame.bytes.count
    }

    deinit { release(nil, hint) }

    /// Hands the frame to a libzmq message.
    consuming func move(into message: UnsafeMutablePointer<zmq_msg_t>) {
        let (start, byteCount, release, hint) = (bytes.baseAddress, byteCount, release, hint)
        discard self
        let result = zmq_msg_init_data(message, start, byteCount, release, hint)
        precondition(result == 0, "libzmq has no memory for a message header")
    }

    /// Runs on libzmq's thread as a rule.
    private static func release(_ base: UnsafeMutableRawPointer) {
        let meter = Unmanaged<OutgoingMeter>.fromOpaque(base.load(as: UnsafeMutableRawPointer.self))
        meter.takeRetainedValue().remove(base.load(fromByteOffset: 8, as: Int.self))
        free(base)
    }
}

/// Keeps a shared frame's bytes, and counts them for one peer, until libzmq's thread lets go of it.
private final class Lease: Sendable {
    private let frame: SharedFrame
    private let meter: OutgoingMeter

    init(frame: SharedFrame, meter: OutgoingMeter) {
        self.frame = frame
        self.meter = meter
        meter.add(frame.bytes.count)
    }

    deinit { meter.remove(frame.bytes.count) }
}

/// Counts the bytes handed to libzmq that have not left yet: of one peer, and through `total` of the whole bus.
final class OutgoingMeter: Sendable {
    private let count = Atomic<Int>(0)
    private let isAwaited = Atomic<Bool>(false)
    private let total: OutgoingMeter?
    private let waker: Waker

    init(total: OutgoingMeter?, waker: Waker) {
        self.total = total
        self.waker = waker
    }

    var byteCount: Int { count.load(ordering: .acquiring) }

    func add(_ byteCount: Int) {
        count.add(byteCount, ordering: .acquiringAndReleasing)
        total?.add(byteCount)
    }

    func remove(_ byteCount: Int) {
        count.subtract(byteCount, ordering: .sequentiallyConsistent)
        if isAwaited.exchange(false, ordering: .sequentiallyConsistent) { waker.wake() }
        total?.remove(byteCount)
    }

    /// Asks for a wake-up at the next release; check the count once more afterwards.
    func await() { isAwaited.store(true, ordering: .sequentiallyConsistent) }
}
