// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryRing

/// Seeded random messages that keep every bound of `Limits`; one generator for each kind.
struct RandomMessages {
    private var random: CounterRandom

    init(seed: UInt64) { random = CounterRandom(seed: seed, purpose: .synthetic) }

    /// How many kinds of message there are.
    static let kindCount = 15

    mutating func envelope(kind: Int) -> Envelope {
        Envelope(run: flip() ? RunID(name()) : nil, epoch: TopologyEpoch(number(1 << 62)), message: message(kind))
    }

    mutating func message(_ kind: Int) -> Message {
        switch kind {
        case 0: .hello(hello())
        case 1: .ready(Ready(clientCount: number(Limits.clientCountMax)))
        case 2: .update(update())
        case 3: .sumOffer(sumOffer())
        case 4: .sum(sum())
        case 5: .working(working())
        case 6: .leave(Leave(reason: reason()))
        case 7: .welcome(Welcome(wireVersion: UInt32(1 + number(9)), layout: layout()))
        case 8: .plan(plan())
        case 9: .receipt(receipt())
        case 10: .sumGrant(SumGrant(key: sumKey(), exclude: names(), only: flip() ? names() : []))
        case 11: .roundClosed(roundClosed())
        case 12: .wait(Wait(retryAfter: .milliseconds(Int64(number(31_000_000_000)))))
        case 13: .drain(Drain(reason: reason()))
        default: .refuse(refuse())
        }
    }

    mutating func fetch() -> (digest: Digest, offset: UInt64, length: UInt64) {
        (digest(), number(Limits.objectByteCountMax), 1 + number(UInt64(Limits.transferWindowByteCount) - 1))
    }

    // MARK: Messages

    private mutating func hello() -> Hello {
        let first = UInt32(1 + number(5))
        return Hello(
            node: NodeName(name()), role: flip() ? .client(ClientIndex(number(.max))) : .aggregator,
            wireVersions: first...(first + UInt32(number(5))), encodings: flip() ? UpdateEncoding.allCases : [],
            topology: flip() ? digest() : nil)
    }

    private mutating func update() -> Update {
        let groups = many(3) { $0.updateGroup() }
        return Update(
            key: updateKey(), number: roundNumber(), base: digest(), groups: groups, metrics: many(4) { $0.metric() },
            body: groups.isEmpty ? nil : object(), voice: flip() ? voice() : nil, signature: flip() ? signature() : nil)
    }

    private mutating func voice() -> Update.Voice {
        let chosen = 1 + number(Limits.clientCountMax - 1)
        return Update.Voice(chosenCount: chosen, contributorCount: 1 + number(chosen - 1))
    }

    private mutating func signature() -> Update.Signature {
        Update.Signature(epoch: TopologyEpoch(number(1 << 62)), value: bytes(Update.Signature.byteCount))
    }

    mutating func join() -> Join {
        Join(
            secret: bytes(Join.secretByteCount), node: flip() ? NodeName(name()) : nil, signingKey: bytes(32),
            signature: bytes(Update.Signature.byteCount))
    }

    mutating func joined() -> Joined {
        Joined(
            node: NodeName(name()), role: flip() ? .client(ClientIndex(number(.max))) : .aggregator,
            parent: NodeName(name()), endpoint: flip() ? "" : "tcp://\(name()):7101")
    }

    private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(random.next(below: 256)) } }

    private mutating func updateGroup() -> Update.Group {
        Update.Group(weight: number(.max), encoding: encoding(), byteCount: number(Limits.objectByteCountMax))
    }

    private mutating func sumOffer() -> SumOffer {
        SumOffer(
            key: sumKey(), names: flip() ? object() : nil, chosenCount: number(Limits.clientCountMax),
            contributorCount: number(Limits.clientCountMax), contributionCount: number(Limits.cohortMax),
            reason: flip() ? reason() : nil)
    }

    private mutating func sum() -> Sum {
        Sum(
            key: sumKey(), base: digest(), contributorCount: number(Limits.clientCountMax),
            contributionCount: number(Limits.cohortMax),
            groups: many(4) {
                Sum.Group(totalWeight: $0.number(1 << 62), byteCount: $0.number(Limits.objectByteCountMax))
            },
            metrics: many(4) { $0.metric() }, body: flip() ? object() : nil,
            attestationByteCount: number(Limits.objectByteCountMax))
    }

    private mutating func working() -> Working {
        Working(
            number: roundNumber(), chosenCount: number(Limits.clientCountMax),
            reportedCount: number(Limits.clientCountMax), permille: UInt32(number(1000)))
    }

    private mutating func layout() -> ParameterLayout {
        let tensors = (0...number(2)).flatMap { group in
            (0...number(3)).map { tensor in
                ParameterTensor(
                    name: "tensor\(group).\(tensor)", group: "group\(group)", shape: many(4) { Int(1 + $0.number(40)) })
            }
        }
        do {
            return try ParameterLayout(tensors: tensors)
        } catch {
            preconditionFailure("a generated layout is sound: \(error)")
        }
    }

    private mutating func plan() -> RoundPlan {
        RoundPlan(
            number: roundNumber(), kind: flip() ? .evaluate : .train(trainSettings()),
            model: ModelReference(
                digest: digest(),
                sources: [.init(object: object(), encoding: encoding())]
                    + many(3) { .init(object: $0.object(), encoding: $0.encoding()) }),
            groups: many(3) { $0.groupPlan() }, selection: selection(),
            timeLeft: .milliseconds(Int64(number(31_000_000_000))), seed: random.next())
    }

    private mutating func trainSettings() -> TrainSettings {
        guard number(5) > 0 else { return .noTraining }
        return TrainSettings(
            work: flip() ? .epochs(UInt32(1 + number(9))) : .steps(UInt32(1 + number(99))),
            batch: UInt32(1 + number(99)),
            optimizer: flip()
                ? .sgd(learningRate: float(), momentum: float())
                : .adam(learningRate: float(), beta1: float(), beta2: float(), epsilon: float()),
            proximal: float())
    }

    private mutating func groupPlan() -> GroupPlan {
        let ring: RingParameters
        do {
            ring = try RingParameters(
                deltaBound: 0.001 + float(), weightMax: 1 + number(1 << 16), cohortMax: 1 + number(1 << 10))
        } catch {
            preconditionFailure("generated ring parameters are sound: \(error)")
        }
        return GroupPlan(
            name: name(), parameterCount: 1 + number(1 << 24), ring: ring, encoding: encoding(),
            normaliser: flip() ? .count : .weight)
    }

    private mutating func selection() -> Selection {
        let overSelect = 1 + random.nextUniform()
        return flip()
            ? .fraction(1 - random.nextUniform(), overSelect: overSelect)
            : .count(number(Limits.clientCountMax), overSelect: overSelect)
    }

    private mutating func receipt() -> Receipt {
        Receipt(
            subject: flip() ? .update(updateKey()) : .sum(sumKey()), durability: flip() ? .memory : .disk)
    }

    private mutating func roundClosed() -> RoundClosed {
        RoundClosed(
            number: roundNumber(),
            outcome: flip() ? .committed(contributorCount: number(Limits.clientCountMax)) : .failed(reason()),
            without: flip() ? names() : [])
    }

    private mutating func refuse() -> Refuse {
        let subject: Refuse.Subject =
            switch number(3) {
            case 0: .connection
            case 1: .update(updateKey())
            case 2: .sum(sumKey())
            default: .object(digest())
            }
        return Refuse(subject: subject, reason: reason(), text: flip() ? "" : "zu gross: \u{00fc}\u{1f333} \(name())")
    }

    // MARK: Parts

    private mutating func number(_ maximum: UInt64) -> UInt64 {
        // Every magnitude equally often, so that all sizes of varint occur.
        let bits = random.next(below: 65)
        let value = bits == 0 ? 0 : random.next() >> (64 - bits)
        return maximum == .max ? value : value % (maximum + 1)
    }

    private mutating func flip() -> Bool { random.next(below: 2) == 1 }
    private mutating func float() -> Float { Float(random.nextUniform()) }
    private mutating func digest() -> Digest {
        let bytes = (0..<Digest.byteCount).map { _ in UInt8(random.next(below: 256)) }
        guard let digest = Digest(bytes) else { preconditionFailure("32 bytes are a digest") }
        return digest
    }

    private mutating func name() -> String {
        let letters = Array("abcxyz-.09")
        return String((0...random.next(below: 12)).map { _ in letters[Int(random.next(below: 10))] })
    }

    private mutating func many<Value>(_ maximum: UInt64, _ make: (inout RandomMessages) -> Value) -> [Value] {
        var values: [Value] = []
        for _ in 0..<random.next(below: maximum + 1) { values.append(make(&self)) }
        return values
    }

    private mutating func names() -> [ContributionName] {
        Set(many(9) { ContributionName(high: $0.number(.max), low: $0.number(.max)) }).sorted()
    }

    private mutating func metric() -> MetricCounter {
        MetricCounter(
            name: name(), numerator: Int64(bitPattern: number(.max)), denominator: Int64(bitPattern: number(.max)))
    }

    private mutating func roundNumber() -> RoundNumber {
        let maximum = UInt64(Limits.roundCountMax)
        return RoundNumber(round: UInt32(number(maximum)), edgeRound: UInt32(1 + number(maximum - 1)))
    }

    private mutating func updateKey() -> UpdateKey {
        UpdateKey(node: NodeName(name()), sequence: number(UInt64(Int64.max)))
    }

    private mutating func sumKey() -> SumKey {
        SumKey(node: NodeName(name()), number: roundNumber(), revision: UInt32(number(UInt64(Int32.max))))
    }

    private mutating func object() -> ObjectReference {
        ObjectReference(digest: digest(), byteCount: number(Limits.objectByteCountMax))
    }

    private mutating func encoding() -> UpdateEncoding { flip() ? .ring : .float32 }
    private mutating func reason() -> ReasonCode {
        ReasonCode.allCases[Int(random.next(below: UInt64(ReasonCode.allCases.count)))]
    }
}
