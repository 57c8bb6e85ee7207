// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryProtocol
package import TributaryTopology

/// What every population promises a node's machines, checked against a plain definition of each choice.
///
/// A registry, a simulation's arithmetic, or the next kind: who is chosen must depend on who is connected and nothing
/// else.
package struct PopulationLaws {
    /// The clients that the topology puts below the node: the domain of counted draws.
    package var declared: ClientSet
    /// Those of them that are connected, in ascending order of client index.
    package var connected: [ChosenClient]
    /// When the population is asked.
    package var now = Moment(nanoseconds: 0)

    package init(declared: ClientSet, connected: [ChosenClient]) {
        self.declared = declared
        self.connected = connected
    }

    /// The laws that a population breaks, in words; none when it keeps them all.
    package func violations(of population: any ClientPopulation) -> [String] {
        var broken: [String] = []
        if population.count != UInt64(connected.count) {
            broken.append("count is \(population.count), \(connected.count) are connected")
        }
        for chosen in connected where population.client(named: chosen.name) != chosen.client {
            broken.append("'\(chosen.name)' is connected and not found by its name")
        }
        if population.client(named: NodeName("nobody")) != nil { broken.append("a name of nobody is found") }
        for selection in selections {
            for (round, seed) in [(1, 1), (2, 1), (1, 2), (77, 0)] as [(UInt32, UInt64)] {
                let chosen = population.choose(selection, round: round, seed: seed, at: now)
                let again = population.choose(selection, round: round, seed: seed, at: now)
                if chosen != again { broken.append("\(selection) chooses others when it is asked twice") }
                if chosen != choice(selection, round: round, seed: seed) {
                    broken.append("\(selection) in round \(round) of seed \(seed) is not the choice by definition")
                }
            }
        }
        return broken
    }

    /// Shares, counts and over-selection: few, about half, all, and more than there are.
    private var selections: [Selection] {
        let count = UInt64(connected.count)
        return [
            .all, .fraction(0.03, overSelect: 1), .fraction(0.5, overSelect: 1), .fraction(0.4, overSelect: 1.5),
            .fraction(0.9, overSelect: 2), .count(1, overSelect: 1), .count(3, overSelect: 1.4),
            .count(count / 2, overSelect: 1), .count(count / 2, overSelect: 1.3), .count(count, overSelect: 1),
            .count(count + 7, overSelect: 2),
        ]
    }

    /// The choice as its definition reads, from the whole domain.
    private func choice(_ selection: Selection, round: UInt32, seed: UInt64) -> [ChosenClient] {
        switch selection {
        case .fraction(let fraction, let overSelect):
            return connected.filter {
                Cohort.draw(seed: seed, round: round, client: $0.client) < fraction * overSelect
            }
        case .count(let count, let overSelect):
            let places = Dictionary(uniqueKeysWithValues: connected.map { ($0.client, $0) })
            let order = Cohort.permutation(of: declared, round: round, seed: seed)
            let reachable = (0..<order.count).lazy.compactMap { places[order[$0]] }
            let asked = Cohort.asked(count, overSelect: overSelect)
            return Array(reachable.prefix(asked)).sorted { $0.client < $1.client }
        }
    }
}
