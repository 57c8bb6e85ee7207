// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryClient
import TributaryCore
import TributaryCrypto
import TributaryFiles
import TributaryProtocol
import TributaryRing

@testable import TributaryRuntime

/// An edge and a root that demands the list of what the edge's sum adds up.
private final class Bench {
    static let run = RunID("run-1")
    static let number = RoundNumber(round: 4)
    static let base = Digest(words: 1, 2, 3, 4)
    static let seed: UInt64 = 11
    static let key = SumKey(node: NodeName("edge"), number: number, revision: 0)

    let place: Workplace
    let store: ObjectStore
    let keys: [NodeName: SecretKeys]
    let plan: GroupPlan

    init(devices: Int = 3) throws {
        place = try Workplace()
        store = try ObjectStore(directory: place.path + "/objects")
        keys = Dictionary(
            uniqueKeysWithValues: try (0..<devices).map { (NodeName("device-\($0)"), try SecretKeys.generate()) })
        let ring = try RingParameters(deltaBound: 8, weightMax: 1000, cohortMax: 100)
        plan = GroupPlan(name: "body", parameterCount: 4, ring: ring, encoding: .float32, normaliser: .weight)
    }

    /// Every device.
    var admitted: AdmittedKeys {
        get throws {
            var list = AllowList()
            for (name, keys) in keys { try list.admit(name, keys.publicKeys) }
            return AdmittedKeys(list)
        }
    }

    func bench(admitting names: [NodeName]? = nil, seed: UInt64? = Bench.seed) throws -> Workbench {
        var list = AllowList()
        for (name, keys) in keys where names?.contains(name) ?? true { try list.admit(name, keys.publicKeys) }
        let bench = Workbench(
            store: store, stateDirectory: place.path, evaluation: nil, checkpoint: nil,
            signatures: SignatureCheck(keys: AdmittedKeys(list), isRequired: true, seed: seed))
        bench.perform([.begin(Self.number, [plan])], of: Self.run) { _ in }
        return bench
    }

    func update(
        of name: String, weight: UInt64 = 10, number: RoundNumber = Bench.number, run: RunID = Bench.run,
        signedBy signer: String? = nil
    ) throws -> Update {
        let values: [Float] = [0.5, -0.25, 1, 0]
        let body = try store.put(values.span.bytes)
        var update = Update(
            key: UpdateKey(node: NodeName(name), sequence: 1), number: number, base: Self.base,
            groups: [.init(weight: weight, encoding: .float32, byteCount: 16)],
            metrics: [MetricCounter(name: "loss", numerator: 100, denominator: Int64(weight))], body: body)
        let key = try #require(keys[NodeName(signer ?? name)]?.signing)
        let epoch = TopologyEpoch(1)
        update.signature = .init(epoch: epoch, value: key.sign(update.signedBytes(run: run, epoch: epoch)))
        return update
    }

    /// What an edge that holds these updates sends.
    func sum(of updates: [Update], by edge: Workbench) throws -> Sum {
        var sealed: Sum?
        edge.perform(updates.map { .fold($0) } + [.sealSum(Self.key)], of: Bench.run) { result in
            switch result {
            case .folded(_, let refusal): #expect(refusal == nil)
            case .sumSealed(_, let groups, let metrics, let body):
                let list = (body?.byteCount ?? 0) - groups.reduce(0) { $0 + $1.byteCount }
                sealed = Sum(
                    key: Self.key, base: Self.base, contributorCount: UInt64(updates.count),
                    contributionCount: UInt64(updates.count), groups: groups, metrics: metrics, body: body,
                    attestationByteCount: list)
            default: Issue.record("\(result)")
            }
        }
        return try #require(sealed)
    }

    func offer(_ updates: [Update], to root: Workbench) throws {
        let names = updates.map { ContributionName(node: $0.key.node, number: Self.number, seed: Self.seed) }
        let object = try NameList.write(names.sorted(), to: store)
        root.perform([.readNames(Self.key, object)], of: Bench.run) { _ in }
    }

    func refusal(of sum: Sum, at root: Workbench) throws -> RoundWorkResult.Refusal? {
        var results: [RoundWorkResult.Refusal?] = []
        root.perform([.foldSum(sum)], of: Bench.run) {
            if case .sumFolded(_, let refusal) = $0 { results.append(refusal) }
        }
        return try #require(results.first)
    }

    /// The sum with other records behind its groups, or other bytes.
    func forge(_ sum: Sum, _ change: (inout [Attestation.Record]) -> Void) throws -> Sum {
        var records = try list(of: sum)
        change(&records)
        return try forge(sum, bytes: Attestation([], run: Self.run, and: records).bytes)
    }

    func list(of sum: Sum) throws -> [Attestation.Record] {
        let bytes = try store.mapped(try #require(sum.body).digest).withUnsafeBytes { Array($0) }
        return try #require(Attestation(Array(bytes.suffix(Int(sum.attestationByteCount))))).records
    }

    func forge(_ sum: Sum, bytes list: [UInt8]) throws -> Sum {
        let bytes = try store.mapped(try #require(sum.body).digest).withUnsafeBytes { Array($0) }
        var forged = sum
        forged.body = try store.put(Array(bytes.dropLast(Int(sum.attestationByteCount))) + list)
        forged.attestationByteCount = UInt64(list.count)
        return forged
    }

    func record(_ update: Update, run: RunID = Bench.run) throws -> Attestation.Record {
        try #require(Attestation([update], run: run, and: []).records.first)
    }
}

struct AttestationTests {
    @Test func anHonestSumIsTaken() throws {
        let bench = try Bench()
        let updates = try (0..<3).map { try bench.update(of: "device-\($0)", weight: UInt64(10 + $0)) }
        let sum = try bench.sum(of: updates, by: bench.bench())
        #expect(sum.attestationByteCount > 0 && sum.groups[0].totalWeight == 33)
        let root = try bench.bench()
        try bench.offer(updates, to: root)
        #expect(try bench.refusal(of: sum, at: root) == nil)
        #expect(root.sum.totals.weights == [33])
        // What was taken out is not shown, and what is left still is.
        let edge = try bench.bench()
        _ = try bench.sum(of: updates, by: edge)
        edge.perform([.takeOut([updates[1].key], sums: [])], of: Bench.run) { _ in }
        let less = try bench.sum(of: [], by: edge)
        #expect(try bench.list(of: less).map(\.update.key.node.value) == ["device-0", "device-2"])
    }

    /// A tier that adds sums up shows what was shown to it.
    @Test func listsAreHandedUp() throws {
        let bench = try Bench()
        let updates = try (0..<3).map { try bench.update(of: "device-\($0)") }
        let lower = try bench.sum(of: Array(updates[..<2]), by: bench.bench())
        let middle = try bench.bench(seed: nil)
        #expect(try bench.refusal(of: lower, at: middle) == nil)
        var upper = try bench.sum(of: [updates[2]], by: middle)
        upper.contributionCount = 3
        let root = try bench.bench()
        try bench.offer(updates, to: root)
        #expect(try bench.list(of: upper).count == 3)
        #expect(try bench.refusal(of: upper, at: root) == nil)
    }

    private func refusal(_ forge: (Bench, Sum) throws -> Sum) throws -> String? {
        let bench = try Bench(devices: 4)
        let updates = try (0..<3).map { try bench.update(of: "device-\($0)") }
        let honest = try bench.sum(of: updates, by: bench.bench())
        let root = try bench.bench()
        try bench.offer(updates, to: root)
        let refusal = try bench.refusal(of: forge(bench, honest), at: root)
        #expect(root.sum.totals.weights == (refusal == nil ? [30] : [0]), "a refused sum leaves nothing behind")
        if let refusal { #expect(refusal.reason == .wrongSignature) }
        return refusal?.text
    }

    @Test func aForgedSumIsRefused() throws {
        #expect(try refusal { $1 } == nil)
        // An invented device, under a name that was offered, signed by whoever is at hand.
        #expect(
            try refusal { bench, sum in
                let invented = try bench.record(try bench.update(of: "device-0", signedBy: "device-1"))
                return try bench.forge(sum) { $0[0] = invented }
            }?.contains("not one of 'device-0'") == true)
        // A real device that was not offered.
        #expect(
            try refusal { bench, sum in
                let other = try bench.record(try bench.update(of: "device-3"))
                return try bench.forge(sum) { $0[0] = other }
            }?.contains("not among the names") == true)
        // An altered weight, in the sum or in the list.
        #expect(
            try refusal { _, sum in
                var sum = sum
                sum.groups[0].totalWeight += 5
                return sum
            }?.contains("weights") == true)
        #expect(
            try refusal { bench, sum in
                let heavier = try bench.record(try bench.update(of: "device-0", weight: 15, signedBy: "device-1"))
                return try bench.forge(sum) { $0[0] = heavier }
            } != nil)
        #expect(
            try refusal { _, sum in
                var sum = sum
                sum.metrics[0].numerator += 1
                return sum
            }?.contains("metrics") == true)
        // One device twice, one missing, none at all.
        #expect(try refusal { bench, sum in try bench.forge(sum) { $0[1] = $0[0] } } != nil)
        #expect(try refusal { bench, sum in try bench.forge(sum) { $0.removeLast() } } != nil)
        #expect(try refusal { bench, sum in try bench.forge(sum, bytes: []) } != nil)
        #expect(try refusal { bench, sum in try bench.forge(sum, bytes: [0, 0, 0, 3, 1, 2]) } != nil)
    }

    /// What a device signed elsewhere, or earlier, is worth nothing here.
    @Test func anotherRoundsSignatureIsRefused() throws {
        for (number, run) in [(RoundNumber(round: 3), Bench.run), (Bench.number, RunID("run-0"))] {
            let text = try refusal { bench, sum in
                let old = try bench.record(try bench.update(of: "device-0", number: number, run: run), run: run)
                return try bench.forge(sum) { $0[0] = old }
            }
            #expect(text?.contains("another round") == true)
        }
    }

    /// A stepping tier numbers what it hands down itself.
    @Test func aSurveyMayHaveAnotherEdgeRoundAndAnUpdateMayNot() throws {
        let bench = try Bench()
        for isSurvey in [true, false] {
            var record = try bench.update(of: "device-0", number: RoundNumber(round: 4, edgeRound: 3))
            if isSurvey { (record.groups, record.body) = ([], nil) }
            let epoch = TopologyEpoch(1)
            let key = try #require(bench.keys[NodeName("device-0")]?.signing)
            record.signature = .init(epoch: epoch, value: key.sign(record.signedBytes(run: Bench.run, epoch: epoch)))
            let list = Attestation([record], run: Bench.run, and: [])
            var sum = Sum(
                key: Bench.key, base: Bench.base, contributorCount: 1, contributionCount: 1,
                groups: isSurvey ? [] : [.init(totalWeight: 10, byteCount: 0)], metrics: record.metrics, body: nil)
            let check = AttestationCheck(run: Bench.run, keys: try bench.admitted, groups: [bench.plan], seed: nil)
            func problem() -> RoundWorkResult.Refusal? {
                check
                    .problem(of: sum, showing: list, names: nil)
            }
            #expect((problem() == nil) == isSurvey)
            sum.key.number = RoundNumber(round: 5)
            #expect(problem()?.reason == .wrongSignature)
        }
    }

    @Test func aDeviceWhoseKeyIsNotAdmittedIsNoContribution() throws {
        let bench = try Bench()
        let updates = try (0..<3).map { try bench.update(of: "device-\($0)") }
        let sum = try bench.sum(of: updates, by: bench.bench())
        let root = try bench.bench(admitting: [NodeName("device-0"), NodeName("device-1")])
        try bench.offer(updates, to: root)
        #expect(try bench.refusal(of: sum, at: root)?.text.contains("'device-2' has no signing key") == true)
    }

    @Test func nobodyIsInTwoSums() throws {
        let bench = try Bench()
        let updates = try (0..<3).map { try bench.update(of: "device-\($0)") }
        let first = try bench.sum(of: Array(updates[..<2]), by: bench.bench())
        var second = try bench.sum(of: Array(updates[1...]), by: bench.bench())
        second.key.revision = 1
        let root = try bench.bench(seed: nil)
        #expect(try bench.refusal(of: first, at: root) == nil)
        #expect(try bench.refusal(of: second, at: root)?.text.contains("'device-1' is in another sum") == true)
        root.perform([.takeOut([], sums: [first.key])], of: Bench.run) { _ in }
        #expect(try bench.refusal(of: second, at: root) == nil)
    }

    @Test func anyBytesAreAListOrNone() throws {
        let bench = try Bench()
        let list = Attestation(try (0..<3).map { try bench.update(of: "device-\($0)") }, run: Bench.run, and: [])
        let bytes = list.bytes
        #expect(Attestation(bytes)?.bytes == bytes)
        for count in bytes.indices { #expect(Attestation(Array(bytes[..<count])) == nil) }
        #expect(Attestation(bytes + [0]) == nil)
        var random = CounterRandom(seed: 5, purpose: .synthetic)
        for _ in 0..<2000 {
            var wrong = bytes
            wrong[Int(random.next(below: UInt64(wrong.count)))] = UInt8(random.next(below: 256))
            // Whatever it is read as, it is written in one way only.
            if let read = Attestation(wrong) { #expect(read.bytes == wrong) }
        }
        let reversed = SignedBytes.bigEndian(UInt32(0xFFFF_FFFF))
        #expect(Attestation(reversed) == nil)
    }

    @Test func whatIsSignedReadsBack() throws {
        let bench = try Bench()
        var update = try bench.update(of: "device-0")
        update.voice = .init(chosenCount: 9, contributorCount: 8)
        let bytes = update.signedBytes(run: Bench.run, epoch: TopologyEpoch(6))
        let read = try #require(Update.reading(signedBytes: bytes))
        update.signature = nil
        #expect(read.update == update && read.run == Bench.run && read.epoch == TopologyEpoch(6))
        for count in bytes.indices { #expect(Update.reading(signedBytes: Array(bytes[..<count])) == nil) }
        #expect(Update.reading(signedBytes: bytes + [0]) == nil)
    }
}
