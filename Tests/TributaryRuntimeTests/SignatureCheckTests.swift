// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryBus
import TributaryClient
import TributaryCore
import TributaryCrypto
import TributaryProtocol

@testable import TributaryRuntime

struct SignatureCheckTests {
    private let device = NodeName("device-1")
    private let run = RunID("run-1")
    private let keys: SecretKeys

    init() throws { keys = try SecretKeys.generate() }

    private var update: Update {
        Update(
            key: UpdateKey(node: device, sequence: 3), number: RoundNumber(round: 7, edgeRound: 2),
            base: Digest(words: 1, 2, 3, 4), groups: [.init(weight: 60, encoding: .float32, byteCount: 400)],
            metrics: [MetricCounter(name: "loss", numerator: -5, denominator: 60)],
            body: ObjectReference(digest: Digest(words: 5, 6, 7, 8), byteCount: 400))
    }

    private func check(_ keys: PublicKeys? = nil, isRequired: Bool = false) throws -> SignatureCheck {
        var list = AllowList()
        try list.admit(device, keys ?? self.keys.publicKeys)
        return SignatureCheck(keys: AdmittedKeys(list), isRequired: isRequired)
    }

    private func signed(_ update: Update, epoch: UInt64 = 1) throws -> Update {
        let bytes = update.signedBytes(run: run, epoch: TopologyEpoch(epoch))
        var update = update
        update.signature = .init(epoch: TopologyEpoch(epoch), value: try #require(keys.signing).sign(bytes))
        return update
    }

    @Test func everyFieldIsSigned() throws {
        let check = try check()
        let good = try signed(update)
        #expect(check.problem(of: good, run: run) == nil)
        let changes: [(inout Update) -> Void] = [
            { $0.key.sequence += 1 }, { $0.number = RoundNumber(round: 8, edgeRound: 2) },
            { $0.number = RoundNumber(round: 7, edgeRound: 1) }, { $0.base = Digest(words: 0, 2, 3, 4) },
            { $0.groups[0].weight += 1 }, { $0.groups[0].encoding = .ring }, { $0.groups[0].byteCount = 1 },
            { $0.groups.append($0.groups[0]) }, { $0.groups = [] }, { $0.metrics[0].numerator += 1 },
            { $0.metrics[0].denominator += 1 }, { $0.metrics[0].name = "less" }, { $0.metrics = [] },
            { $0.body?.digest = Digest(words: 5, 6, 7, 9) }, { $0.body?.byteCount += 1 }, { $0.body = nil },
            { $0.signature?.epoch = TopologyEpoch(2) }, { $0.signature = nil }, { $0.signature?.value[0] ^= 1 },
        ]
        for (position, change) in changes.enumerated() {
            var wrong = good
            change(&wrong)
            #expect(check.problem(of: wrong, run: run)?.reason == .wrongSignature, "change \(position)")
        }
        #expect(check.problem(of: good, run: RunID("run-2"))?.reason == .wrongSignature)
        let stranger = try SecretKeys.generate().publicKeys
        #expect(try self.check(stranger).problem(of: good, run: run)?.reason == .wrongSignature)
    }

    /// Texts of different lengths side by side must not read as one another.
    @Test func noTwoUpdatesHaveTheSameBytes() throws {
        var first = update
        first.metrics = [
            MetricCounter(name: "ab", numerator: 0, denominator: 0),
            MetricCounter(name: "c", numerator: 0, denominator: 0),
        ]
        var second = first
        second.metrics[0].name = "a"
        second.metrics[1].name = "bc"
        #expect(
            first.signedBytes(run: run, epoch: TopologyEpoch(1))
                != second.signedBytes(run: run, epoch: TopologyEpoch(1)))
    }

    @Test func whoHasNoSigningKeyIsTrustedOnlyWhereThatIsAllowed() throws {
        let bare = PublicKeys(curve: keys.curve.publicKey, signing: nil)
        #expect(try check(bare).problem(of: update, run: run) == nil)
        #expect(try check(bare, isRequired: true).problem(of: update, run: run)?.reason == .wrongSignature)
        let nobody = SignatureCheck(keys: AdmittedKeys(), isRequired: false)
        #expect(nobody.problem(of: try signed(update), run: run)?.reason == .revokedKey)
        var voice = update
        voice.voice = Update.Voice(chosenCount: 2, contributorCount: 2)
        #expect(nobody.problem(of: voice, run: run)?.reason == .revokedKey)
        #expect(try check().problem(of: signed(voice), run: run) == nil)
        voice.signature = try signed(update).signature
        #expect(try check().problem(of: voice, run: run)?.reason == .wrongSignature, "a voice is signed, too")
    }
}
