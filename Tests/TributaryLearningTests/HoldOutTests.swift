// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryLearning

@Suite struct HoldOutTests {
    @Test func cutsAShareAndLosesNothing() throws {
        let rows = (0..<50).map { UInt32(3 * $0) }
        let (train, holdOut) = try HoldOut.split(rows, fraction: 0.25, seed: 1, client: ClientIndex(4))
        #expect(holdOut.count == 12 && train.count == 38)
        #expect((train + holdOut).sorted() == rows)
        #expect(train == train.sorted() && holdOut == holdOut.sorted())
        let again = try HoldOut.split(rows, fraction: 0.25, seed: 1, client: ClientIndex(4))
        #expect(again == (train, holdOut))
        #expect(try HoldOut.split(rows, fraction: 0.25, seed: 1, client: ClientIndex(5)).holdOut != holdOut)
        #expect(try HoldOut.split(rows, fraction: 0.25, seed: 2, client: ClientIndex(4)).holdOut != holdOut)
    }

    @Test func leavesSomethingToTrainOn() throws {
        #expect(try HoldOut.split([7], fraction: 0.99, seed: 1, client: ClientIndex(0)) == ([7], []))
        #expect(try HoldOut.split([], fraction: 0.5, seed: 1, client: ClientIndex(0)) == ([], []))
        #expect(try HoldOut.split([7, 8], fraction: 0, seed: 1, client: ClientIndex(0)) == ([7, 8], []))
        for fraction in [-0.1, 1, 2, .nan] {
            #expect(throws: LearningError.self) {
                _ = try HoldOut.split([1, 2], fraction: fraction, seed: 1, client: ClientIndex(0))
            }
        }
    }
}
