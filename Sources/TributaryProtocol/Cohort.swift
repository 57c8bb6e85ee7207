// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryTopology

/// Which clients take part in a round, as any node can work out for itself.
package enum Cohort {
    /// A client's place in a round's draw: uniform in `[0, 1)`, a function of (seed, round, client index) alone.
    package static func draw(seed: UInt64, round: UInt32, client: ClientIndex) -> Double {
        var random = CounterRandom(
            seed: seed, purpose: .cohort, round: RoundNumber(round: round, edgeRound: 0), client: client.value)
        return random.nextUniform()
    }

    /// The order in which a counted selection asks the clients of `domain`: the first that can be reached are chosen.
    ///
    /// A function of (seed, round, domain) alone: every node and every tool that knows the domain finds the same order.
    package static func permutation(of domain: ClientSet, round: UInt32, seed: UInt64) -> CohortPermutation {
        CohortPermutation(of: domain, round: round, seed: seed)
    }

    /// How many clients a counted selection asks.
    package static func asked(_ count: UInt64, overSelect: Double) -> Int {
        Int(clamping: Int64((Double(count) * overSelect).rounded(.up)))
    }

    /// How many of the chosen clients a node waits for: all without over-selection.
    package static func target(chosenCount: Int, overSelect: Double) -> Int {
        overSelect <= 1 ? chosenCount : Int((Double(chosenCount) / overSelect).rounded(.up))
    }

    /// Splits a count over sub-trees in proportion to their clients, by largest remainder; ties go to the first.
    package static func apportion(_ count: UInt64, over populations: [UInt64]) -> [UInt64] {
        let total = populations.reduce(0, +)
        guard total > 0 else { return populations.map { _ in 0 } }
        let wanted = min(count, total)
        var shares = populations.map { population in
            let (quotient, remainder) = total.dividingFullWidth(population.multipliedFullWidth(by: wanted))
            return (share: quotient, remainder: remainder)
        }
        let missing = wanted - shares.reduce(0) { $0 + $1.share }
        let order = shares.indices.sorted { (shares[$1].remainder, $0) < (shares[$0].remainder, $1) }
        for index in order.prefix(Int(missing)) { shares[index].share += 1 }
        return shares.map(\.share)
    }
}
