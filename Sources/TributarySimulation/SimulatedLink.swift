// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// A link is a stream, as ZeroMQ's TCP is: nothing on it is lost or overtakes while it is up. A lost packet costs time.
// With packets of 1,460 bytes lost independently with probability p, every packet is sent 1 / (1 - p) times on average,
// and the last one of a message, whose loss no later packet reveals, waits for a retransmission timer that doubles:
// k losses in a row cost (2^k - 1) timers, k geometric (RFC 6298, with Linux's floor of 200 ms in place of 1 s).

import CTributaryKernels
import TributaryCore
import TributaryTopology

/// One direction of a link: when what is sent now will have arrived.
struct LinkLane {
    private let bandwidth: Double
    private let latency: Int64
    private let jitter: Double
    private let loss: Double
    /// When the last message and the last transfer will have left; they share the link, and short messages do not wait
    /// behind long transfers.
    private var messagesFree: Int64 = 0
    private var transfersFree: Int64 = 0
    private var lastArrival: Int64 = 0

    /// Below this no sender waits for an acknowledgement, in nanoseconds.
    private static let timerMin: Double = 200e6
    private static let timerDoublingMax = 10

    /// - Parameters:
    ///   - bandwidth: bits per second.
    ///   - settings: latency, jitter and loss of the link.
    init(bandwidth: Double, _ settings: LinkSettings) {
        self.bandwidth = bandwidth
        latency = settings.latency.nanoseconds
        jitter = Double(settings.jitter.nanoseconds)
        loss = settings.loss
    }

    /// The one-way delay of a byte without jitter, in nanoseconds.
    var delay: Int64 { latency }

    /// Sends a message; returns when it has arrived, never before one sent earlier.
    mutating func message(_ byteCount: Int, at now: Int64, slow: Double, _ random: inout CounterRandom) -> Int64 {
        let start = max(now, messagesFree)
        messagesFree = start + airTime(byteCount, slow: slow)
        lastArrival = max(lastArrival, messagesFree + latency + randomDelay(&random))
        return lastArrival
    }

    /// Sends an object's frames, pulled with `window` bytes under way at most and a round trip of `roundTrip`; returns
    /// when the last one has arrived and how long the sender's radio was on, in nanoseconds.
    mutating func transfer(
        _ byteCount: Int, at now: Int64, window: Int, roundTrip: Int64, slow: Double, _ random: inout CounterRandom
    ) -> (arrival: Int64, airTime: Int64) {
        let start = max(now, transfersFree)
        let pulled = roundTrip > 0 ? Double(window) * 8e9 / Double(roundTrip) : .infinity
        let airTime = airTime(byteCount, slow: slow)
        let duration = max(airTime, sendingTime(byteCount, rate: pulled, slow: 1))
        transfersFree = start + duration
        return (transfersFree + latency + randomDelay(&random), airTime)
    }

    /// Forgets what was under way when the connection broke.
    mutating func reset(at now: Int64) {
        messagesFree = now
        transfersFree = now
        lastArrival = now
    }

    /// How long a radio is busy with bytes, retransmissions included, in nanoseconds.
    func airTime(_ byteCount: Int, slow: Double = 1) -> Int64 {
        sendingTime(byteCount, rate: bandwidth, slow: slow)
    }

    private func sendingTime(_ byteCount: Int, rate: Double, slow: Double) -> Int64 {
        guard rate < .infinity else { return 0 }
        return Int64(min(Double(byteCount) * 8e9 / rate * slow / (1 - loss), 0x1p62))
    }

    /// Exponential jitter, and timers for lost last packets.
    private func randomDelay(_ random: inout CounterRandom) -> Int64 {
        var delay = 0.0
        if jitter > 0 { delay -= jitter * tributary_learn_log_double(1 - random.nextUniform()) }
        if loss > 0 {
            var losses = 0
            while losses < Self.timerDoublingMax, random.nextUniform() < loss { losses += 1 }
            delay += Double((1 << losses) - 1) * max(Self.timerMin, 2 * Double(latency))
        }
        return Int64(delay)
    }
}

/// A node's link to its parent.
struct SimulatedLink {
    var up: LinkLane
    var down: LinkLane
    /// Draws of this link alone, so that no other link's traffic changes them.
    var random: CounterRandom
    /// Grows when the connection breaks: what was sent before is lost.
    var connection: UInt32 = 0
    var isUp = true

    init(_ settings: LinkSettings, random: CounterRandom) {
        up = LinkLane(bandwidth: settings.bandwidthUp, settings)
        down = LinkLane(bandwidth: settings.bandwidthDown, settings)
        self.random = random
    }

    /// One round trip without jitter, in nanoseconds.
    var roundTrip: Int64 { up.delay + down.delay }

    /// Breaks the connection.
    mutating func cut(at now: Int64) {
        connection += 1
        isUp = false
        up.reset(at: now)
        down.reset(at: now)
    }
}
