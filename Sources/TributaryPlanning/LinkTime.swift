// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The law of a link, the same as in a simulation. A message of B bytes arrives after 8 B / bandwidth + latency + a
// draw; a transfer after one latency for its request, the larger of 8 B / bandwidth and what a window per round trip
// allows, one latency, and a draw. A draw is exponential jitter and retransmission timers. A lost packet is sent again,
// which costs a share of the bandwidth, 1 / (1 - loss); the last packet of a message waits for a timer that doubles: k
// losses in a row, with probability (1 - loss) loss^k, cost 2^k - 1 timers of max(200 ms, one round trip) (RFC 6298
// with Linux's floor). Links are independent, and a parent's own interface is not a limit.

import TributaryCore
package import TributaryTopology

/// How long the steps of a dialogue take on one link: what is fixed, and what is drawn.
package struct LinkTime: Hashable, Sendable {
    /// Seconds of sending from the parent to the node, and back.
    package private(set) var down = 0.0
    package private(set) var up = 0.0
    /// Seconds of one-way delays.
    package private(set) var latency = 0.0
    /// How many jitters and timers are drawn.
    package private(set) var drawCount = 0
    /// Seconds during which the node's radio sends and receives, unhurried steps included.
    package private(set) var airUp = 0.0
    package private(set) var airDown = 0.0
    let link: LinkSettings

    /// The shortest retransmission timer, in seconds.
    package static let timerMin = 0.2
    /// Losses in a row that are told apart at most.
    package static let lossesMax = 10

    /// The time of all steps of a dialogue.
    package init(_ dialogue: Dialogue, over link: LinkSettings) {
        self.link = link
        for step in dialogue.steps { add(step) }
        airUp = Self.seconds(dialogue.bytesUp, at: link.bandwidthUp, link)
        airDown = Self.seconds(dialogue.bytesDown, at: link.bandwidthDown, link)
    }

    private mutating func add(_ step: Dialogue.Step) {
        let bandwidth = step.isUp ? link.bandwidthUp : link.bandwidthDown
        var time = Self.seconds(step.byteCount, at: bandwidth, link)
        if step.isTransfer {
            let roundTrip = 2 * link.latency.seconds
            let rate = roundTrip > 0 ? Double(Limits.transferWindowByteCount) * 8 / roundTrip : .infinity
            time = max(time, Self.seconds(step.byteCount, at: rate, link))
            latency += link.latency.seconds
        }
        latency += link.latency.seconds
        drawCount += 1
        if step.isUp { up += time } else { down += time }
    }

    private static func seconds(_ byteCount: Double, at rate: Double, _ link: LinkSettings) -> Double {
        rate < .infinity ? byteCount * 8 / rate / (1 - link.loss) : 0
    }

    /// Seconds without any draw.
    package var fixed: Double { down + up + latency }

    private var timer: Double { max(Self.timerMin, 2 * link.latency.seconds) }

    /// A time with all of the link's draws on top.
    func addingDraws(to time: TimeDistribution) -> TimeDistribution {
        var sum = time
        let jitter = link.jitter.seconds
        if jitter > 0, drawCount > 0 {
            let erlang = TimeDistribution(from: 0, to: jitter * (40 + 3 * Double(drawCount))) {
                Self.erlangSurvival($0, count: drawCount, mean: jitter)
            }
            sum = sum.adding(erlang)
        }
        return addingTimers(to: sum)
    }

    /// A time with the draws' retransmission timers on top.
    func addingTimers(to time: TimeDistribution) -> TimeDistribution {
        let atoms = timerAtoms
        guard atoms.count > 1, let last = atoms.last else { return time }
        return TimeDistribution(from: time.start, to: time.end + last.time) { moment in
            atoms.reduce(0) { $0 + $1.weight * time.survival(moment - $1.time) }
        }
    }

    /// The sums that timers can have, with their probabilities; only 0 without loss.
    private var timerAtoms: [(time: Double, weight: Double)] {
        guard link.loss > 0 else { return [(0, 1)] }
        var single: [(units: Int, weight: Double)] = []
        var chance = 1.0
        for losses in 0...Self.lossesMax {
            single.append(((1 << losses) - 1, losses == Self.lossesMax ? chance : chance * (1 - link.loss)))
            chance *= link.loss
        }
        var sums: [Int: Double] = [0: 1]
        for _ in 0..<drawCount {
            var next: [Int: Double] = [:]
            for (units, weight) in sums {
                for draw in single where weight * draw.weight > 1e-14 {
                    next[units + draw.units, default: 0] += weight * draw.weight
                }
            }
            sums = next
        }
        return sums.sorted { $0.key < $1.key }.map { (Double($0.key) * timer, $0.value) }
    }

    /// The survival function of a sum of `count` exponential times with a mean.
    static func erlangSurvival(_ time: Double, count: Int, mean: Double) -> Double {
        guard time > 0 else { return 1 }
        let x = time / mean
        var term = 1.0
        var sum = 1.0
        for k in 1..<max(1, count) {
            term *= x / Double(k)
            sum += term
        }
        return SpecialFunctions.exp(-x) * sum
    }
}

extension Dialogue {
    /// Seconds of all draws on average, over one link.
    func meanDraws(_ link: LinkSettings) -> Double {
        var timers = 0.0
        var chance = 1 - link.loss
        for losses in 1...LinkTime.lossesMax {
            chance *= link.loss
            timers += chance * Double((1 << losses) - 1)
        }
        let timer = max(LinkTime.timerMin, 2 * link.latency.seconds)
        return Double(steps.count) * (link.jitter.seconds + timers * timer)
    }
}
