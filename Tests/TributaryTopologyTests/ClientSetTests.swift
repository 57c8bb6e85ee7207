// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryTopology

@Suite struct ClientSetTests {
    @Test("ranges are sorted, joined where they touch, and never empty")
    func union() {
        let set = ClientSet(union: [5..<9, 0..<2, 2..<3, 8..<10, 20..<20])
        #expect(set.ranges == [0..<3, 5..<10])
        #expect(set.count == 8)
        #expect(set.indices.map(\.value) == [0, 1, 2, 5, 6, 7, 8, 9])
    }

    @Test("taking out and putting in agree with sets, for every small case")
    func againstSets() {
        var random = CounterRandom(seed: 4, purpose: .cohort)
        for _ in 0..<500 {
            let start = random.next(below: 8)
            let base = start..<(start + random.next(below: 12))
            let members = (0..<random.next(below: 8)).map { _ in random.next(below: 24) }.sorted()
            let removed = ClientSet(base).removing(members)
            let inserted = ClientSet(base).inserting(members)
            #expect(Set(removed.indices.map(\.value)) == Set(base).subtracting(members))
            #expect(Set(inserted.indices.map(\.value)) == Set(base).union(members))
            for index in 0..<24 as Range<UInt64> {
                #expect(removed.contains(ClientIndex(index)) == (base.contains(index) && !members.contains(index)))
            }
        }
    }
}
