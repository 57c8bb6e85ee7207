// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol
import TributaryTopology

/// Draws and orders of clients: every client once, no client more likely than another.
struct CohortTests {
    /// Pearson's statistic of counts that should all be alike.
    static func chiSquare(_ counts: some Collection<Int>) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }

    /// Five standard deviations above the mean of the statistic: a fair order exceeds it less than once in a million.
    static func bound(freedom: Int) -> Double {
        Double(freedom) + 5 * (2 * Double(freedom)).squareRoot() + 10
    }

    @Test("an order holds every client of its domain once, and place undoes it")
    func permutation() {
        for count in Array(1...40) + [63, 64, 65, 1000, 4097] as [UInt64] {
            let half = count / 2
            let domain = ClientSet(union: [10..<(10 + half), 100_000..<(100_000 + count - half)])
            let order = Cohort.permutation(of: domain, round: 3, seed: count)
            let clients = (0..<order.count).map { order[$0] }
            #expect(clients.sorted() == Array(domain.indices))
            #expect(clients.map { order.place(of: $0) } == (0..<count).map { $0 })
            #expect(order.place(of: ClientIndex(9)) == nil)
            #expect(order.place(of: ClientIndex(50_000)) == nil)
            #expect(order.place(of: ClientIndex(200_000)) == nil)
        }
        #expect(Cohort.permutation(of: ClientSet(), round: 1, seed: 1).walk(3) { _ in true } == [])
    }

    @Test("a walk over a hundred million clients costs what it chooses")
    func walkOverAHugeDomain() {
        let order = Cohort.permutation(of: ClientSet(0..<100_000_000), round: 1, seed: 1)
        var asked = 0
        let chosen = order.walk(1000) { client in
            asked += 1
            return client.value.isMultiple(of: 2)
        }
        #expect(chosen.count == 1000)
        #expect(chosen == chosen.sorted())
        #expect(asked < 2500)
        #expect(order.first(1000, of: chosen) == chosen)
    }

    @Test("every client is as likely to be chosen as another", arguments: [5, 12, 100] as [UInt64])
    func uniformChoice(count: UInt64) {
        var counts = [Int](repeating: 0, count: Int(count))
        let chosen = Int(count) / 3
        for round in 0..<6000 as Range<UInt32> {
            let order = Cohort.permutation(of: ClientSet(0..<count), round: round, seed: 9)
            for client in order.walk(chosen, isReachable: { _ in true }) { counts[Int(client.value)] += 1 }
        }
        #expect(Self.chiSquare(counts) < Self.bound(freedom: Int(count) - 1))
    }

    @Test(
        "every client is as likely at every place as another, and so is every pair at the first two",
        arguments: [3, 7, 12, 17])
    func uniformPlaces(count: Int) {
        var places = [Int](repeating: 0, count: count * count)
        var pairs: [Int: Int] = [:]
        for seed in 0..<10_000 as Range<UInt64> {
            let order = Cohort.permutation(of: ClientSet(0..<UInt64(count)), round: 1, seed: seed)
            let clients = (0..<order.count).map { Int(order[$0].value) }
            for (place, client) in clients.enumerated() { places[place * count + client] += 1 }
            pairs[clients[0] * count + clients[1], default: 0] += 1
        }
        #expect(Self.chiSquare(places) < Self.bound(freedom: count * count - 1))
        #expect(pairs.count == count * (count - 1))
        #expect(Self.chiSquare(pairs.values) < Self.bound(freedom: pairs.count - 1))
    }

    @Test("rounds and seeds give different orders")
    func keys() {
        let domain = ClientSet(0..<1000)
        let orders = [(1, 1), (2, 1), (1, 2)].map { round, seed in
            let order = Cohort.permutation(of: domain, round: UInt32(round), seed: UInt64(seed))
            return order.walk(100) { _ in true }
        }
        #expect(Set(orders).count == 3)
    }
}
