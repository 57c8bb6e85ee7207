// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore

@testable import TributaryBus

struct CurveKeysTests {
    /// The test vectors of https://rfc.zeromq.org/spec/26/ (CurveZMQ names NaCl's) as Z85: the public key follows from
    /// the secret one.
    @Test func thePublicHalfFollowsFromTheSecretOne() throws {
        let pair = try #require(CurveKeyPair(secret: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"))
        #expect(pair.publicKey.text == "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
    }

    @Test func generatedKeysDifferAndReadBack() throws {
        let first = try CurveKeyPair.generate()
        let second = try CurveKeyPair.generate()
        #expect(first.publicKey != second.publicKey)
        #expect(CurveKeyPair(secret: first.secretText)?.publicKey == first.publicKey)
        #expect(CurvePublicKey(first.publicKey.text) == first.publicKey)
    }

    @Test(arguments: [
        "", "short", String(repeating: "0", count: 39), String(repeating: "0", count: 41),
        String(repeating: "~", count: 40), String(repeating: " ", count: 40), String(repeating: "é", count: 20),
        String(repeating: "0", count: 39) + "\0",
    ])
    func otherTextsAreNoKeys(text: String) {
        #expect(CurvePublicKey(text) == nil)
        #expect(CurveKeyPair(secret: text) == nil)
    }

    @Test func admissionRefusesBadAndSharedKeys() throws {
        let key = try CurveKeyPair.generate().publicKey
        #expect(throws: BusError.sharedKey(first: "a", second: "b")) {
            try Admission(publicKeyTexts: [NodeName("a"): key.text, NodeName("b"): key.text])
        }
        #expect(throws: BusError.malformedKey(owner: "a")) { try Admission(publicKeyTexts: [NodeName("a"): "x"]) }
        let admission = try Admission(publicKeyTexts: [NodeName("a"): key.text])
        #expect(admission[key] == NodeName("a"))
    }
}

struct BackoffTests {
    @Test func pausesGrowToALimitAndSpread() {
        var backoffs = (0..<50).map { Backoff(seed: UInt64($0)) }
        for attempt in 0..<12 {
            let pauses = backoffs.indices.map { backoffs[$0].next() }
            let ceiling = min(Backoff.first * (1 << attempt), Backoff.longest)
            #expect(pauses.allSatisfy { $0 <= ceiling && $0 >= ceiling / 2 - .nanoseconds(1) })
            #expect(Set(pauses).count > 40)
        }
        backoffs[0].reset()
        #expect(backoffs[0].next() <= Backoff.first)
    }

    @Test func answersAreLimited() {
        var budget = AnswerBudget()
        let start = Moment(nanoseconds: 0)
        var allowed = 0
        for _ in 0..<100 where budget.take(now: start) { allowed += 1 }
        #expect(allowed == Int(AnswerBudget.burst))
        let later = start + .seconds(1)
        let more = (0..<100).filter { _ in budget.take(now: later) }.count
        #expect(more == Int(AnswerBudget.perSecond))
    }
}
