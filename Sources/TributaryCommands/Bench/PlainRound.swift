// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import CZeroMQ
import Glibc
import TributaryBus
import TributaryCore

// The two sides of a benchmark round over libzmq alone: the same CURVE, number of connections and sizes of frames, and
// nothing else: no digests, no admission, no protobuf, no stores, no bound on what is queued.

/// A round's frames: as many and as large as the bus's chunks.
struct PlainFrames {
    /// What protobuf adds to a chunk: tags, lengths, digest and offset.
    static let headByteCount = 48
    private let bytes: [UInt8]
    private let isLent: Bool
    let sizes: [Int]

    init(objectByteCount: Int, isLent: Bool) {
        var sizes: [Int] = []
        var left = objectByteCount
        while left > 0 {
            let payload = min(left, BusBenchmark.chunkByteCount)
            sizes.append(payload + Self.headByteCount)
            left -= payload
        }
        self.sizes = sizes
        self.isLent = isLent
        bytes = benchmarkBytes(objectByteCount + Self.headByteCount, seed: 7)
    }

    /// Sends the frame at `position` of an object; waits while the queue is full.
    func send(_ position: Int, over socket: UnsafeMutableRawPointer?) {
        bytes.withUnsafeBytes { bytes in
            let offset = position * BusBenchmark.chunkByteCount
            let start = bytes.baseAddress.map { $0 + offset }
            guard isLent else {
                _ = zmq_send(socket, start, sizes[position], 0)
                return
            }
            // The array outlives the round, so that libzmq may read it without a copy and has nothing to free.
            var message = zmq_msg_t()
            zmq_msg_init_data(&message, UnsafeMutableRawPointer(mutating: start), sizes[position], { _, _ in }, nil)
            zmq_msg_send(&message, socket, 0)
        }
    }
}

/// Sends the model to each device that says hello, counts what comes back, and sends a receipt.
final class PlainAggregator: BenchmarkAggregator {
    let endpoint: String
    let publicKeyText: String
    let deviceSecrets: [String]
    private let context: UnsafeMutableRawPointer?
    private let socket: UnsafeMutableRawPointer?
    private let frames: PlainFrames
    private var received: [[UInt8]: Int] = [:]

    init(_ load: BusBenchmark.Load, _ way: BusBenchmark.Way) throws {
        frames = PlainFrames(objectByteCount: load.objectByteCount, isLent: way != .plainCopy)
        let identity = try CurveKeyPair.generate()
        publicKeyText = identity.publicKey.text
        deviceSecrets = try (0..<load.deviceCount).map { _ in try CurveKeyPair.generate().secretText }
        context = zmq_ctx_new()
        socket = zmq_socket(context, ZMQ_ROUTER)
        PlainSocket.set(socket, ZMQ_CURVE_SERVER, 1)
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, identity.secretText, 40)
        PlainSocket.setUnbounded(socket)
        guard zmq_bind(socket, "tcp://127.0.0.1:*") == 0 else {
            throw CommandError("bench.failed", "cannot listen on loopback: \(String(cString: zmq_strerror(errno)))")
        }
        var text = [CChar](repeating: 0, count: 256)
        var count = text.count
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, &text, &count)
        endpoint = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func work() {
        var item = zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        guard zmq_poll(&item, 1, 1) > 0 else { return }
        var route = [UInt8](repeating: 0, count: 256)
        var message = zmq_msg_t()
        while true {
            let routeCount = zmq_recv(socket, &route, route.count, ZMQ_DONTWAIT)
            guard routeCount >= 0 else { return }
            zmq_msg_init(&message)
            zmq_msg_recv(&message, socket, 0)
            let byteCount = zmq_msg_size(&message)
            zmq_msg_close(&message)
            hear(byteCount, from: Array(route[..<Int(routeCount)]))
        }
    }

    /// A word of one byte joins and is echoed; one of two asks for the model; frames are counted.
    private func hear(_ byteCount: Int, from route: [UInt8]) {
        if byteCount == 1 { return say(1, to: route) }
        if byteCount == 2 {
            for position in frames.sizes.indices {
                zmq_send(socket, route, route.count, ZMQ_SNDMORE)
                frames.send(position, over: socket)
            }
            return
        }
        let count = (received[route] ?? 0) + 1
        received[route] = count
        if count == frames.sizes.count { say(3, to: route) }
    }

    private func say(_ byteCount: Int, to route: [UInt8]) {
        zmq_send(socket, route, route.count, ZMQ_SNDMORE)
        zmq_send(socket, [0, 0, 0], byteCount, 0)
    }

    func close() {
        zmq_close(socket)
        zmq_ctx_term(context)
    }
}

/// The devices of a plain round.
struct PlainDevices {
    let line: DeviceLine
    let way: BusBenchmark.Way
    let frames: PlainFrames
    /// Wrapped, because pointers do not cross threads otherwise; libzmq's contexts are made for that.
    let context: PlainContext

    struct PlainContext: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer?
    }

    init(_ line: DeviceLine, _ way: BusBenchmark.Way) {
        self.line = line
        self.way = way
        frames = PlainFrames(objectByteCount: line.objectByteCount, isLent: way != .plainCopy)
        context = PlainContext(pointer: zmq_ctx_new())
    }

    /// One device on a thread of its own.
    func runOne(_ number: Int) throws {
        let socket = try connect(number)
        defer { zmq_close(socket) }
        zmq_send(socket, [0], 1, 0)
        while receive(socket) != 1 {}
        line.countReady()
        line.waitForWord()
        zmq_send(socket, [0, 0], 2, 0)
        for _ in frames.sizes { _ = receive(socket) }
        for position in frames.sizes.indices { frames.send(position, over: socket) }
        while receive(socket) != 3 {}
        line.countDone()
        line.waitForEnd()
    }

    /// All devices on this thread.
    func runAll() throws {
        var items = try (0..<line.deviceCount).map { number in
            zmq_pollitem_t(socket: try connect(number), fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        }
        defer { for item in items { zmq_close(item.socket) } }
        for item in items { zmq_send(item.socket, [0], 1, 0) }
        for item in items { while receive(item.socket) != 1 {} }
        for _ in items { line.countReady() }
        line.waitForWord()
        for item in items { zmq_send(item.socket, [0, 0], 2, 0) }
        var counts = [Int](repeating: 0, count: items.count)
        var left = items.count
        while left > 0 {
            zmq_poll(&items, Int32(items.count), -1)
            for (number, item) in items.enumerated() where item.revents != 0 {
                while let byteCount = receiveNow(item.socket) {
                    if byteCount == 3 {
                        left -= 1
                        line.countDone()
                        continue
                    }
                    counts[number] += 1
                    guard counts[number] == frames.sizes.count else { continue }
                    for position in frames.sizes.indices { frames.send(position, over: item.socket) }
                }
            }
        }
        line.waitForEnd()
    }

    private func connect(_ number: Int) throws -> UnsafeMutableRawPointer? {
        guard let key = CurveKeyPair(secret: line.secrets[number]) else {
            throw CommandError("bench.failed", "unreadable keys")
        }
        let socket = zmq_socket(context.pointer, ZMQ_DEALER)
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, line.parentKeyText, 40)
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key.publicKey.text, 40)
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key.secretText, 40)
        PlainSocket.setUnbounded(socket)
        zmq_connect(socket, line.endpoint)
        return socket
    }

    private func receive(_ socket: UnsafeMutableRawPointer?) -> Int { receive(socket, flags: 0) ?? 0 }

    private func receiveNow(_ socket: UnsafeMutableRawPointer?) -> Int? { receive(socket, flags: ZMQ_DONTWAIT) }

    private func receive(_ socket: UnsafeMutableRawPointer?, flags: Int32) -> Int? {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        return zmq_msg_recv(&message, socket, flags) < 0 ? nil : zmq_msg_size(&message)
    }
}

enum PlainSocket {
    static func set(_ socket: UnsafeMutableRawPointer?, _ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size)
    }

    /// Nothing waits and nothing is lost, whatever is queued.
    static func setUnbounded(_ socket: UnsafeMutableRawPointer?) {
        set(socket, ZMQ_SNDHWM, 0)
        set(socket, ZMQ_RCVHWM, 0)
        set(socket, ZMQ_LINGER, 0)
    }
}
