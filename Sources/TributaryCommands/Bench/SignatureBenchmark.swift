// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import TributaryBus
internal import TributaryClient
internal import TributaryCore
internal import TributaryCrypto
internal import TributaryRuntime

/// Updates whose signatures an aggregator checks in a second on one core, against bare Ed25519 over the same bytes.
package enum SignatureBenchmark {
    private static let run = RunID("bench")
    private static let node = NodeName("device-0")

    /// Signs and checks `updateCount` updates, each step timed over all of them, the best of `repetitions` counting.
    ///
    /// - Throws: `CommandError` when a signature does not hold, `BusError` when no key can be made.
    package static func run(updateCount: Int = 2000, repetitions: Int = 5) throws -> BenchmarkResult {
        let keys = try SecretKeys.generate()
        guard let signing = keys.signing else { preconditionFailure("new keys can sign") }
        var list = AllowList()
        try list.admit(node, keys.publicKeys)
        let check = SignatureCheck(keys: AdmittedKeys(list), isRequired: true)
        let plain = (0..<updateCount).map { update(UInt64($0)) }
        var signed: [Update] = []
        var (sign, checked, bare) = (Double.infinity, Double.infinity, Double.infinity)
        var failureCount = 0
        for _ in 0..<repetitions {
            sign = min(sign, time { signed = plain.map { Self.signed($0, signing) } })
            checked = min(
                checked,
                time { for update in signed where check.problem(of: update, run: run) != nil { failureCount += 1 } })
            let messages = signed.map { ($0.signature?.value ?? [], $0.signedBytes(run: run, epoch: TopologyEpoch(1))) }
            bare = min(
                bare,
                time {
                    for (value, bytes) in messages where !signing.publicKey.verifies(value, of: bytes) {
                        failureCount += 1
                    }
                })
        }
        guard failureCount == 0 else { throw CommandError("bench.failed", "\(failureCount) signatures do not hold") }
        let count = Double(updateCount)
        return BenchmarkResult(
            name: "signatures", value: count / checked, unit: "updates/s", limit: count / bare,
            details: [
                ("sign an update", microseconds(sign / count)), ("check an update", microseconds(checked / count)),
                ("Ed25519 alone", microseconds(bare / count)),
                ("signed bytes", "\(plain[0].signedBytes(run: run, epoch: TopologyEpoch(1)).count)"),
            ])
    }

    private static func microseconds(_ seconds: Double) -> String { "\(Int((seconds * 1e7).rounded()) / 10) us" }

    private static func time(_ body: () -> Void) -> Double {
        let start = Bus.now()
        body()
        return (Bus.now() - start).seconds
    }

    private static func update(_ sequence: UInt64) -> Update {
        Update(
            key: UpdateKey(node: node, sequence: sequence), number: RoundNumber(round: 1),
            base: Digest(words: 1, 2, 3, 4), groups: [.init(weight: 60, encoding: .float32, byteCount: 4_000_000)],
            metrics: ["train.loss", "train.accuracy", "train.examples"].map {
                MetricCounter(name: $0, numerator: 1 << 20, denominator: 60)
            }, body: ObjectReference(digest: Digest(words: 5, 6, 7, sequence), byteCount: 4_000_000))
    }

    private static func signed(_ update: Update, _ key: SigningKey) -> Update {
        let envelope = Envelope(run: run, epoch: TopologyEpoch(1), message: .update(update))
        guard case .update(let signed) = key.signed(envelope).message else { return update }
        return signed
    }
}
