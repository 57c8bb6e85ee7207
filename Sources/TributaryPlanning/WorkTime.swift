// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// A device's time is link + work, where the work is a number of batches, each of one time, drawn once a round:
// constant, lognormal or given by cycles. Link draws and a lognormal work are added by quadrature over the one that is
// wider, where the other is smooth: relative errors of the tail stay below a hundredth.

package import TributaryCore
import TributaryTopology

/// How much a device computes in a round.
package struct WorkAmount: Hashable, Sendable {
    /// SGD steps.
    package var batchCount: Double
    /// Bits of the features of one full batch.
    package var bitCount: Double

    /// The work of a device with so many examples; without training, one batch of one row stands for it.
    package init(_ settings: TrainSettings, exampleCount: UInt64, featureCount: Int) {
        let rows = min(UInt64(settings.batch), max(1, exampleCount))
        let perEpoch = (max(1, exampleCount) + rows - 1) / rows
        switch settings.work {
        case .epochs(let epochs): batchCount = Double(epochs) * Double(perEpoch)
        case .steps(let steps): batchCount = Double(steps)
        case .none: batchCount = 1
        }
        bitCount = Double(settings.work == .none ? 1 : rows) * Double(featureCount) * 32
    }
}

extension ComputeModel {
    /// Seconds of the middle device, on a logarithmic scale where times are drawn.
    func median(_ work: WorkAmount) -> Double {
        switch self {
        case .constant(let time): time.seconds * work.batchCount
        case .lognormal(let median, _): median.seconds * work.batchCount
        case .cpu(let frequency, let cyclesPerBit): work.bitCount * cyclesPerBit / frequency * work.batchCount
        }
    }

    /// Seconds on average.
    func mean(_ work: WorkAmount) -> Double { median(work) * SpecialFunctions.exp(sigma * sigma / 2) }

    /// The spread of the logarithm; 0 for a time that is always the same.
    var sigma: Double {
        switch self {
        case .lognormal(_, let sigma): sigma
        case .constant, .cpu: 0
        }
    }
}

extension LinkTime {
    /// The time from a plan until the device's delta has arrived: this link, and work between.
    func adding(_ compute: ComputeModel, _ work: WorkAmount) -> TimeDistribution {
        let (median, sigma) = (compute.median(work), compute.sigma)
        let jitter = link.jitter.seconds
        guard sigma > 0, median > 0 else { return addingDraws(to: TimeDistribution(always: fixed + median)) }
        let high = median * SpecialFunctions.exp(8 * sigma)
        guard jitter > 0, drawCount > 0 else {
            let time = TimeDistribution(from: fixed, to: fixed + high) {
                Self.lognormalSurvival($0 - fixed, median: median, sigma: sigma)
            }
            return addingTimers(to: time)
        }
        let sum = Sum(median: median, sigma: sigma, jitter: jitter, drawCount: drawCount)
        let end = high + jitter * (40 + 3 * Double(drawCount))
        return addingTimers(to: TimeDistribution(from: fixed, to: fixed + end) { sum.survival($0 - fixed) })
    }

    static func lognormalSurvival(_ time: Double, median: Double, sigma: Double) -> Double {
        time > 0 ? SpecialFunctions.normalTail(SpecialFunctions.log(time / median) / sigma) : 1
    }

    /// A lognormal time and several exponential ones.
    private struct Sum {
        let median: Double
        let sigma: Double
        let jitter: Double
        let drawCount: Int
        /// Nodes and weights over the wider of the two.
        private var nodes: [(seconds: Double, weight: Double)] = []
        private let isOverJitter: Bool
        private static let nodeCount = 160

        init(median: Double, sigma: Double, jitter: Double, drawCount: Int) {
            (self.median, self.sigma, self.jitter, self.drawCount) = (median, sigma, jitter, drawCount)
            isOverJitter = jitter * Double(drawCount).squareRoot() > sigma * median
            var total = 0.0
            for index in 0...Self.nodeCount {
                let part = Double(index) / Double(Self.nodeCount)
                if isOverJitter {
                    // Simpson's rule on the Erlang density, in units of the mean.
                    let x = part * (30 + 3 * Double(drawCount))
                    let simpson = index == 0 || index == Self.nodeCount ? 1.0 : index % 2 == 1 ? 4 : 2
                    var density = SpecialFunctions.exp(-x)
                    for k in 1..<max(1, drawCount) { density *= x / Double(k) }
                    nodes.append((x * jitter, simpson * density))
                } else {
                    // The trapezoid rule on the normal density, which converges faster than any power.
                    let z = -8 + 16 * part
                    nodes.append((median * SpecialFunctions.exp(sigma * z), SpecialFunctions.exp(-z * z / 2)))
                }
                total += nodes[index].weight
            }
            nodes = nodes.map { ($0.seconds, $0.weight / total) }
        }

        func survival(_ time: Double) -> Double {
            nodes.reduce(0) { sum, node in
                let rest = time - node.seconds
                return sum + node.weight
                    * (isOverJitter
                        ? lognormalSurvival(rest, median: median, sigma: sigma)
                        : erlangSurvival(rest, count: drawCount, mean: jitter))
            }
        }
    }
}
